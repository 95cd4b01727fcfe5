"""What one rule of a role allows."""

from __future__ import annotations

import attrs

from akmatori_server.kubernetes.manifests import Node


@attrs.frozen
class Rule:
    """One rule of a role."""

    groups: frozenset[str]
    resources: frozenset[str]
    verbs: frozenset[str]
    names: frozenset[str] = frozenset()
    urls: frozenset[str] = frozenset()
    index: int = 0

    def allows(self, group: str, resource: str, *verbs: str) -> bool:
        """Whether it allows one of the verbs on every object of the resource, wildcards included."""
        return not self.names and self.allows_some(group, resource, *verbs)

    def allows_some(self, group: str, resource: str, *verbs: str) -> bool:
        """Whether it allows one of the verbs on some object of the resource, be it a single one by its name."""
        _, _, sub = resource.partition("/")
        # A resource named as */exec is that part of every resource; pods/* is nothing.
        wanted = {resource, "*", f"*/{sub}"} if sub else {resource, "*"}
        return (
            bool(self.groups & {group, "*"})
            and bool(self.resources & wanted)
            and bool(self.verbs & {*verbs, "*"})
        )

    @property
    def is_wildcard(self) -> bool:
        """Whether it allows every verb on every resource of its groups."""
        return not self.names and "*" in self.verbs and "*" in self.resources

    @property
    def is_everything(self) -> bool:
        """Whether it allows everything, whatever it is."""
        return self.is_wildcard and "*" in self.groups

    def __str__(self) -> str:
        """Return it as a phrase."""
        what = ", ".join(sorted(self.resources | self.urls)) or "nothing"
        names = f" named {', '.join(sorted(self.names))}" if self.names else ""
        return f"{', '.join(sorted(self.verbs))} on {what}{names}"[:500]


def read_rules(body: Node) -> tuple[Rule, ...]:
    """Return the rules of a role."""
    return tuple(
        Rule(
            groups=_texts(item.get("apiGroups")),
            resources=_texts(item.get("resources")),
            verbs=_texts(item.get("verbs")),
            names=_texts(item.get("resourceNames")),
            urls=_texts(item.get("nonResourceURLs")),
            index=index,
        )
        for index, item in enumerate(body.get("rules").each())
    )


def _texts(node: Node) -> frozenset[str]:
    return frozenset(item.scalar or "" for item in node.each() if item.scalar is not None)

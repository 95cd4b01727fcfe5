"""What a role allows."""

from __future__ import annotations

import attrs

from akmatori_server.kubernetes.manifests import Node


@attrs.frozen
class Rule:
    """One rule of a role."""

    groups: frozenset[str]
    resources: frozenset[str]
    verbs: frozenset[str]
    names: frozenset[str]
    index: int

    def allows(self, group: str, resource: str, *verbs: str) -> bool:
        """Whether it allows one of the verbs on every object of the resource, wildcards included."""
        if self.names:
            return False
        parent, _, sub = resource.partition("/")
        # A resource named as */exec is that part of every resource.
        wanted = {resource, "*", f"*/{sub}"} if parent and sub else {resource, "*"}
        return (
            bool(self.groups & {group, "*"})
            and bool(self.resources & wanted)
            and bool(self.verbs & {*verbs, "*"})
        )


def read_rules(body: Node) -> tuple[Rule, ...]:
    """Return the rules of a role."""
    return tuple(
        Rule(
            groups=_texts(item.get("apiGroups")),
            resources=_texts(item.get("resources")),
            verbs=_texts(item.get("verbs")),
            names=_texts(item.get("resourceNames")),
            index=index,
        )
        for index, item in enumerate(body.get("rules").each())
    )


def _texts(node: Node) -> frozenset[str]:
    return frozenset(item.scalar or "" for item in node.each() if item.scalar is not None)

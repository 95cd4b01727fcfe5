"""Which pods a NetworkPolicy selects, and for which direction."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from akmatori_server.kubernetes.manifests import ManifestObject, Node


@attrs.frozen
class Requirement:
    """A `matchExpressions` entry."""

    key: str
    operator: str
    values: frozenset[str]

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether labels meet it; an operator that does not exist is met by none."""
        match self.operator:
            case "In":
                return labels.get(self.key) in self.values
            case "NotIn":
                return labels.get(self.key) not in self.values
            case "Exists":
                return self.key in labels
            case "DoesNotExist":
                return self.key not in labels
            case _:
                return False


@attrs.frozen
class NetworkPolicy:
    """A policy: whom it selects, and what it restricts."""

    name: str
    labels: Mapping[str, str]
    requirements: tuple[Requirement, ...]
    ingress: bool
    egress: bool

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether it selects pods with these labels; an empty selector selects all."""
        return all(labels.get(name) == value for name, value in self.labels.items()) and all(
            requirement.holds(labels) for requirement in self.requirements
        )


def read_network_policy(found: ManifestObject) -> NetworkPolicy:
    """Return the policy that an object is."""
    spec = found.body.get("spec")
    selector = spec.get("podSelector")
    types = frozenset(item.text() for item in spec.get("policyTypes").each())
    return NetworkPolicy(
        name=found.name,
        labels=selector.get("matchLabels").texts(),
        requirements=tuple(_requirement(item) for item in selector.get("matchExpressions").each()),
        # Without types it restricts ingress, and egress only when it has rules for it.
        ingress="Ingress" in types if types else True,
        egress="Egress" in types if types else bool(spec.get("egress").each()),
    )


def _requirement(node: Node) -> Requirement:
    values = frozenset(item.text() for item in node.get("values").each())
    return Requirement(node.get("key").text(), node.get("operator").text(), values)

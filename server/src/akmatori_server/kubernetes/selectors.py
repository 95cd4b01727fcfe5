"""Label selectors: which objects they pick."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from akmatori_server.kubernetes.manifests import Node


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
class Selector:
    """Labels and requirements, of which all must be met; an empty selector picks everything."""

    labels: Mapping[str, str]
    requirements: tuple[Requirement, ...]

    @property
    def is_empty(self) -> bool:
        """Whether it picks everything."""
        return not self.labels and not self.requirements

    def picks(self, labels: Mapping[str, str]) -> bool:
        """Whether it picks what has these labels."""
        return all(labels.get(name) == value for name, value in self.labels.items()) and all(
            requirement.holds(labels) for requirement in self.requirements
        )


def read_selector(node: Node) -> Selector:
    """Return the selector that is written."""
    return Selector(
        labels=node.get("matchLabels").texts(),
        requirements=tuple(
            Requirement(
                item.get("key").text(),
                item.get("operator").text(),
                frozenset(value.text() for value in item.get("values").each()),
            )
            for item in node.get("matchExpressions").each()
        ),
    )

"""What a scan looks at. Pure: two scans of one plan can be compared with each other."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TypedDict

import attrs
import orjson

from akmatori_sdk._generated.aotanami.models import Category, Severity
from akmatori_server.kubernetes.manifests import ManifestObject
from akmatori_server.kubernetes.reports.label_selector import parse_selector
from akmatori_server.kubernetes.scans.model import SYSTEM_NAMESPACES, rank
from akmatori_server.kubernetes.selectors import Selector


class StoredPlan(TypedDict):
    """A plan as it is stored."""

    targets: list[str]
    scanners: list[str]
    namespaces: list[str]
    excluded: list[str]
    labels: str
    min_severity: str


@attrs.frozen(kw_only=True, slots=False)
class Plan:
    """The targets, and what is checked of which of their objects."""

    targets: frozenset[str]
    scanners: frozenset[Category] = frozenset(Category)
    namespaces: frozenset[str] = frozenset()
    """Empty for all."""
    excluded: frozenset[str] = SYSTEM_NAMESPACES
    labels: str = ""
    min_severity: Severity = Severity.INFO

    @classmethod
    def read(cls, stored: StoredPlan) -> Plan:
        """Return a plan that was stored."""
        return cls(
            targets=frozenset(stored["targets"]),
            scanners=frozenset(Category(name) for name in stored["scanners"]),
            namespaces=frozenset(stored["namespaces"]),
            excluded=frozenset(stored["excluded"]),
            labels=stored["labels"],
            min_severity=Severity(stored["min_severity"]),
        )

    @cached_property
    def stored(self) -> StoredPlan:
        """The plan as it is stored, the same for equal plans."""
        return StoredPlan(
            targets=sorted(self.targets),
            scanners=[one.value for one in Category if one in self.scanners],
            namespaces=sorted(self.namespaces),
            excluded=sorted(self.excluded),
            labels=self.labels,
            min_severity=self.min_severity.value,
        )

    @property
    def key(self) -> str:
        """What the plan is known by."""
        return hashlib.sha256(orjson.dumps(self.stored)).hexdigest()

    @property
    def narrows(self) -> bool:
        """Whether somebody has chosen some of the objects, who may have chosen none."""
        return bool(self.namespaces or self.labels)

    @cached_property
    def _selector(self) -> Selector:
        return parse_selector(self.labels)

    def picks(self, found: ManifestObject) -> bool:
        """Whether an object is looked at. A Namespace counts as part of itself."""
        is_namespace = found.kind == "Namespace" and not found.group
        namespace = found.name if is_namespace else found.namespace
        if namespace in self.excluded or (self.namespaces and namespace not in self.namespaces):
            return False
        if self._selector.is_empty:
            return True
        return self._selector.picks(found.body.get("metadata", "labels").texts())

    def needs_not(self, known_in: frozenset[str]) -> bool:
        """Whether nothing is missed where some kinds were read in these namespaces alone."""
        return bool(self.namespaces) and self.namespaces - self.excluded <= known_in

    def covers(self, other: Plan, targets: frozenset[str]) -> bool:
        """Whether all that another plan looks at, in these targets, is looked at here as well."""
        return (
            other.targets & targets <= self.targets
            and other.scanners <= self.scanners
            and rank(other.min_severity) <= rank(self.min_severity)
            and self.labels in ("", other.labels)
            and self._covers_namespaces(other)
        )

    def _covers_namespaces(self, other: Plan) -> bool:
        if other.namespaces:
            wanted = other.namespaces - other.excluded
            return not wanted & self.excluded and (not self.namespaces or wanted <= self.namespaces)
        return not self.namespaces and self.excluded <= other.excluded

"""Which checks a scan runs where, and why it leaves others out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import attrs

from akmatori_sdk._generated.aotanami.models import Category
from akmatori_server.kubernetes.checks.catalogue import (
    CHECKS,
    END_CHECKS,
    NAMES_CHECKS,
    OBJECT_CHECKS,
    WORKLOAD_CHECKS,
)
from akmatori_server.kubernetes.checks.images import REGISTRY_CHECK
from akmatori_server.kubernetes.checks.model import (
    Check,
    EndCheck,
    KindsCheck,
    NamesCheck,
    ObjectCheck,
    WorkloadCheck,
)
from akmatori_server.kubernetes.compliance.catalogue import POD_SECURITY
from akmatori_server.kubernetes.manifests import Problem, ProblemKind
from akmatori_server.kubernetes.pod_security import CONTROLS
from akmatori_server.kubernetes.scans.model import ScanOptions, reaches
from akmatori_server.kubernetes.unread import Unread
from akmatori_server.kubernetes.workloads.reading import WORKLOAD_KINDS

_NOT_IN_SYSTEM = frozenset({Category.NETWORK_POLICY, Category.RBAC_AUDIT})
_OfKinds = TypeVar("_OfKinds", bound=KindsCheck)


@attrs.frozen
class Selection:
    """The checks of a scan."""

    options: ScanOptions
    workload: tuple[WorkloadCheck, ...]
    workload_in_system: tuple[WorkloadCheck, ...]
    objects: Mapping[str, tuple[ObjectCheck, ...]]
    """By the kind of the object."""
    names: Mapping[str, tuple[NamesCheck, ...]]
    ends: Mapping[str, tuple[EndCheck, ...]]
    unmade: Mapping[str, str]
    """Checks that cannot be made anywhere."""
    unread: Unread

    @classmethod
    def of(cls, options: ScanOptions, unread: Unread) -> Selection:
        """Choose the checks; `unread` are kinds that other objects would be judged by."""
        unmade = {
            check.id: _needs(lacking)
            for check in CHECKS
            if _asked(check, options) and (lacking := _lacking(check, unread))
        }
        asked = [check for check in CHECKS if _asked(check, options) and check.id not in unmade]
        workload = tuple(check for check in WORKLOAD_CHECKS if check in asked)
        return cls(
            options=options,
            workload=workload,
            workload_in_system=tuple(filter(_is_in_system, workload)),
            objects=_by_kind(OBJECT_CHECKS, asked),
            names=_by_kind(NAMES_CHECKS, asked),
            ends=_by_kind(END_CHECKS, asked),
            unmade=unmade,
            unread=unread,
        )

    def of_workload(self, namespace: str) -> Sequence[WorkloadCheck]:
        """Return the checks of workloads in a namespace."""
        in_system = namespace in self.options.system_namespaces
        checks = self.workload_in_system if in_system else self.workload
        if not self.unread.kinds:
            return checks
        return [check for check in checks if self._is_decided(check, namespace)]

    def of_object(self, kind: str, namespace: str, name: str) -> Sequence[ObjectCheck]:
        """Return the checks of an object of another kind."""
        where = name if kind == "Namespace" else namespace
        checks: Sequence[ObjectCheck] = self.objects.get(kind, ())
        if self.unread.kinds:
            checks = [check for check in checks if self._is_decided(check, where)]
        if kind == "Namespace":
            return () if name in self.options.system_namespaces else checks
        return self._in(namespace, checks)

    def of_names(self, kind: str, namespace: str) -> Sequence[NamesCheck]:
        """Return the checks of what an object says of itself."""
        return self._in(namespace, self.names.get(kind, ()))

    def of_end(self, kind: str, namespace: str) -> Sequence[EndCheck]:
        """Return the checks of an object that are decided at the end."""
        return self._in(namespace, self.ends.get(kind, ()))

    def _in(self, namespace: str, checks: Sequence[_OfKinds]) -> Sequence[_OfKinds]:
        if namespace not in self.options.system_namespaces:
            return checks
        return [check for check in checks if _is_in_system(check)]

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of objects that something is to be known of."""
        return WORKLOAD_KINDS.union(self.objects, self.names, self.ends)

    def _is_decided(self, check: Check, namespace: str) -> bool:
        return all(self.unread.is_known(kind, namespace) for kind in check.needs_nearby)

    @property
    def ids(self) -> frozenset[str]:
        """The checks that are made, and whose findings are not left out."""
        asked = (check for check in CHECKS if _asked(check, self.options) and check.id not in self.unmade)
        return frozenset(check.id for check in asked if self._shown(check))

    @property
    def skipped(self) -> dict[str, str]:
        """Checks whose findings would not be left out, and that cannot be made."""
        return {
            check.id: self.unmade[check.id]
            for check in CHECKS
            if check.id in self.unmade and self._shown(check)
        }

    def undecided(self, problems: Iterable[Problem]) -> dict[str, str]:
        """Return the checks of what is not there that cannot be decided anywhere: something was not read."""
        problems = [*problems]
        reasons = self.not_run(problems)
        return {
            check.id: reasons[check.id]
            for check in END_CHECKS
            if check.id in self.ids and check.id in reasons and not self.seen_in(check, problems)
        }

    @property
    def pointless(self) -> frozenset[str]:
        """The checks that cannot find anything, whatever is read: nobody lacks them."""
        return frozenset(check.id for check in CHECKS if _is_pointless(check, self.options))

    def _shown(self, check: Check) -> bool:
        return reaches(check.severity, self.options.min_severity)

    def not_run(self, problems: Iterable[Problem]) -> dict[str, str]:
        """Return why checks did not see everything, or were not made at all."""
        problems = [*problems]
        missing = Unread.of(problems).kinds
        unreadable = sum(problem.kind is ProblemKind.UNREADABLE for problem in problems)
        reasons: dict[str, str] = {}
        for check in CHECKS:
            kinds = looked_at(check)
            if check.id in self.unmade:
                reasons[check.id] = self.unmade[check.id]
            elif not _asked(check, self.options):
                reasons[check.id] = _why_not(check, self.options)
            elif kinds & missing:
                reasons[check.id] = f"Not all {_listed(kinds & missing)} objects were read."
            elif check.needs_nearby & missing:
                reasons[check.id] = _needs(check.needs_nearby & missing)
            elif unreadable:
                reasons[check.id] = f"{unreadable} files or documents could not be read."
        if WORKLOAD_KINDS & missing or unreadable:
            what = _listed(WORKLOAD_KINDS & missing)
            reason = (
                f"Not all {what} objects were read." if what else f"{unreadable} documents were not read."
            )
            reasons |= {POD_SECURITY + control.id: reason for control in CONTROLS}
        return reasons

    def seen_in(self, check: Check, problems: Iterable[Problem]) -> frozenset[str]:
        """Return the namespaces in which a check saw everything, although it did not see all of the others."""
        problems = [*problems]
        if check.id in self.unmade or any(one.kind is ProblemKind.UNREADABLE for one in problems):
            return frozenset()
        return Unread.of(problems).known_of(looked_at(check) | check.needs_nearby)


def _asked(check: Check, options: ScanOptions) -> bool:
    # What is less bad than was asked for is left out only of the findings: compliance and --fail-on look at all.
    asked = check.category in options.categories and check.id not in options.skipped
    return asked and not _is_pointless(check, options)


def _is_pointless(check: Check, options: ScanOptions) -> bool:
    return (check.manifests_only and options.live) or (check.id == REGISTRY_CHECK and not options.registries)


def _why_not(check: Check, options: ScanOptions) -> str:
    if check.id in options.skipped:
        return f"The check {check.id} is switched off."
    if check.category in options.categories and _is_pointless(check, options):
        what = "is about files alone" if check.manifests_only else "needs the registries that are allowed"
        return f"The check {check.id} {what}."
    return f"The check {check.id} was not asked for."


def _is_in_system(check: Check) -> bool:
    """Whether a check looks at what belongs to Kubernetes itself."""
    return check.in_system and check.category not in _NOT_IN_SYSTEM


def _by_kind(checks: Iterable[_OfKinds], asked: Sequence[Check]) -> dict[str, tuple[_OfKinds, ...]]:
    found: dict[str, tuple[_OfKinds, ...]] = {}
    for check in checks:
        if check in asked:
            for kind in check.kinds:
                found[kind] = (*found.get(kind, ()), check)
    return found


def looked_at(check: Check) -> frozenset[str]:
    """Return the kinds of the objects that it looks at."""
    return check.kinds if isinstance(check, KindsCheck) else WORKLOAD_KINDS


def _lacking(check: Check, unread: Unread) -> frozenset[str]:
    """Return the kinds without which it cannot be made in any namespace."""
    nearby = check.needs_nearby & unread.kinds
    return check.needs & unread.kinds | {kind for kind in nearby if not unread.known_in[kind]}


def _needs(kinds: frozenset[str]) -> str:
    return f"It is judged by {_listed(kinds)} objects, which were not all read."


def _listed(kinds: frozenset[str]) -> str:
    return ", ".join(sorted(kinds))

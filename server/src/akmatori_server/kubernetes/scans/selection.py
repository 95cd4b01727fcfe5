"""Which checks a scan runs where, and why it leaves others out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from akmatori_sdk._generated.aotanami.models import Category
from akmatori_server.kubernetes.checks.catalogue import CHECKS, OBJECT_CHECKS, WORKLOAD_CHECKS
from akmatori_server.kubernetes.checks.model import Check, ObjectCheck, WorkloadCheck
from akmatori_server.kubernetes.compliance.catalogue import POD_SECURITY
from akmatori_server.kubernetes.manifests import Problem, ProblemKind
from akmatori_server.kubernetes.pod_security import CONTROLS
from akmatori_server.kubernetes.scans.model import ScanOptions, reaches
from akmatori_server.kubernetes.workloads.reading import WORKLOAD_KINDS

_NOT_IN_SYSTEM = frozenset({Category.NETWORK_POLICY, Category.RBAC_AUDIT})


@attrs.frozen
class Selection:
    """The checks of a scan."""

    options: ScanOptions
    workload: tuple[WorkloadCheck, ...]
    workload_in_system: tuple[WorkloadCheck, ...]
    objects: Mapping[str, tuple[ObjectCheck, ...]]
    """By the kind of the object."""
    unmade: Mapping[str, str]
    """Checks that cannot be made."""

    @classmethod
    def of(cls, options: ScanOptions, unread: frozenset[str]) -> Selection:
        """Choose the checks; `unread` are kinds that other objects would be judged by."""
        unmade = {
            check.id: _needs(check.needs & unread)
            for check in CHECKS
            if _asked(check, options) and check.needs & unread
        }
        asked = [check for check in CHECKS if _asked(check, options) and check.id not in unmade]
        workload = tuple(check for check in WORKLOAD_CHECKS if check in asked)
        objects: dict[str, tuple[ObjectCheck, ...]] = {}
        for check in OBJECT_CHECKS:
            if check in asked:
                for kind in check.kinds:
                    objects[kind] = (*objects.get(kind, ()), check)
        return cls(
            options=options,
            workload=workload,
            workload_in_system=tuple(c for c in workload if c.category not in _NOT_IN_SYSTEM),
            objects=objects,
            unmade=unmade,
        )

    def of_workload(self, namespace: str) -> Sequence[WorkloadCheck]:
        """Return the checks of workloads in a namespace."""
        return self.workload_in_system if namespace in self.options.system_namespaces else self.workload

    def of_object(self, kind: str, namespace: str, name: str) -> Sequence[ObjectCheck]:
        """Return the checks of an object of another kind."""
        checks = self.objects.get(kind, ())
        if kind == "Namespace":
            return () if name in self.options.system_namespaces else checks
        if namespace not in self.options.system_namespaces:
            return checks
        return [check for check in checks if check.category not in _NOT_IN_SYSTEM]

    @property
    def ids(self) -> frozenset[str]:
        """The checks that are made, and whose findings are not left out."""
        every = (check for checks in self.objects.values() for check in checks)
        return frozenset(check.id for check in (*self.workload, *every) if self._shown(check))

    @property
    def skipped(self) -> dict[str, str]:
        """Checks whose findings would not be left out, and that cannot be made."""
        return {
            check.id: self.unmade[check.id]
            for check in CHECKS
            if check.id in self.unmade and self._shown(check)
        }

    def _shown(self, check: Check) -> bool:
        return reaches(check.severity, self.options.min_severity)

    def not_run(self, problems: Iterable[Problem]) -> dict[str, str]:
        """Return why checks did not see everything, or were not made at all."""
        missing = {problem.missing for problem in problems if problem.kind is ProblemKind.NOT_READ}
        unreadable = sum(problem.kind is ProblemKind.UNREADABLE for problem in problems)
        reasons: dict[str, str] = {}
        for check in CHECKS:
            kinds = WORKLOAD_KINDS if isinstance(check, WorkloadCheck) else _kinds(check)
            if check.id in self.unmade:
                reasons[check.id] = self.unmade[check.id]
            elif not _asked(check, self.options):
                reasons[check.id] = f"The check {check.id} was not asked for."
            elif kinds & missing:
                reasons[check.id] = f"Not all {_listed(kinds & missing)} objects were read."
            elif unreadable:
                reasons[check.id] = f"{unreadable} files or documents could not be read."
        if WORKLOAD_KINDS & missing or unreadable:
            what = _listed(WORKLOAD_KINDS & missing)
            reason = (
                f"Not all {what} objects were read." if what else f"{unreadable} documents were not read."
            )
            reasons |= {POD_SECURITY + control.id: reason for control in CONTROLS}
        return reasons


def _asked(check: Check, options: ScanOptions) -> bool:
    # What is less bad than was asked for is left out only of the findings: compliance and --fail-on look at all.
    return check.category in options.categories


def _kinds(check: Check) -> frozenset[str]:
    return check.kinds if isinstance(check, ObjectCheck) else frozenset()


def _needs(kinds: frozenset[str]) -> str:
    return f"It is judged by {_listed(kinds)} objects, which were not all read."


def _listed(kinds: frozenset[str]) -> str:
    return ", ".join(sorted(kinds))

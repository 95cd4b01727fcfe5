"""What a scan is asked, and what it answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

import attrs

from akmatori_sdk._generated.aotanami.models import (
    Category,
    ComplianceResult,
    Finding,
    Framework,
    ScanSummary,
    Severity,
)
from akmatori_server.kubernetes.api_versions import Release
from akmatori_server.kubernetes.checks.controls import LATEST_CIS
from akmatori_server.kubernetes.checks.images import REGISTRY_CHECK
from akmatori_server.kubernetes.manifests import Problem, ProblemKind
from akmatori_server.kubernetes.pod_security import (
    POD_SECURITY_LATEST,
    Level,
    PodSecurityVersion,
    Verdict,
)
from akmatori_server.kubernetes.scans.exceptions import ScopedException
from akmatori_server.kubernetes.workloads import Reference

SYSTEM_NAMESPACES = frozenset({"kube-system", "kube-public", "kube-node-lease"})
SEVERITIES = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO)
"""The worst first."""


@attrs.frozen
class CheckOptions:
    """What an installation says of the checks of all its scans."""

    skipped: frozenset[str] = frozenset()
    """Checks that are switched off."""
    registries: tuple[str, ...] = ()
    """The registries that images may come from; none for any."""
    release: Release | None = None
    """The release of Kubernetes that everything is meant for; None for a cluster's own, or else the newest."""

    @property
    def unwanted(self) -> frozenset[str]:
        """The checks of which nothing is to be told, what they found before included."""
        return self.skipped if self.registries else self.skipped | {REGISTRY_CHECK}


@attrs.frozen
class ScanOptions:
    """What to check, and how."""

    today: dt.date
    """The day that ends of exceptions are compared with."""
    categories: frozenset[Category] = frozenset(Category)
    min_severity: Severity = Severity.INFO
    """What is less bad is left out of the findings; it still counts for compliance."""
    cis_version: str = LATEST_CIS
    system_namespaces: frozenset[str] = SYSTEM_NAMESPACES
    """Where neither network-policy nor rbac-audit look: what is there belongs to Kubernetes itself."""
    exceptions: Sequence[ScopedException] = ()
    cluster: str = ""
    frameworks: Sequence[Framework] = (Framework.CIS,)
    """Whose controls are held against what was found."""
    pod_security: PodSecurityVersion = POD_SECURITY_LATEST
    """The version of the Pod Security Standards, where no namespace asks for another."""
    release: Release | None = None
    """The release of Kubernetes that everything is meant for; None for the cluster's own, or else the newest."""
    skipped: frozenset[str] = frozenset()
    """Checks that are switched off."""
    registries: tuple[str, ...] = ()
    """The registries that images may come from; none for any."""
    live: bool = False
    """Whether a cluster is looked at, and no files."""


@attrs.frozen
class ScanResult:
    """What a scan found, suppressed findings included, and what it could not read."""

    findings: Collection[Finding]
    """The worst first; where there are many they are read from a file each time."""
    summary: ScanSummary
    """In numbers; suppressed findings are not counted."""
    problems: Sequence[Problem]
    objects: int
    workloads: int
    owned: int
    """Pods and others that were passed over because what makes them was checked."""
    compliance: Sequence[ComplianceResult] = ()
    levels: Mapping[Level, int] = attrs.field(factory=dict[Level, int])
    """How many workloads meet each level of the Pod Security Standards, and none above it."""
    skipped: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """Checks that were asked for and could not be made, with the reason."""

    cis_version: str = LATEST_CIS
    """The version of the CIS benchmark that controls are numbered by."""
    left_out: Mapping[Severity, int] = attrs.field(factory=dict[Severity, int])
    """How many findings count, and were left out because they are less bad than was asked for."""

    @property
    def partial(self) -> bool:
        """Whether something that was to be checked was not."""
        return bool(self.skipped) or any(
            problem.kind in (ProblemKind.UNREADABLE, ProblemKind.NOT_READ) for problem in self.problems
        )


@attrs.frozen
class WorkloadVerdict:
    """The level of the Pod Security Standards that one workload meets, and what its namespace asks for."""

    workload: Reference
    verdict: Verdict
    asked: Level | None
    """None where the namespace asks for nothing, or was not read."""


def rank(severity: Severity) -> int:
    """Return the place of a severity, the worst first."""
    return SEVERITIES.index(severity)


def reaches(severity: Severity, threshold: Severity) -> bool:
    """Whether a severity is as bad as the threshold, or worse."""
    return rank(severity) <= rank(threshold)

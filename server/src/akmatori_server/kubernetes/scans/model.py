"""What a scan is asked, and what it answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import attrs

from akmatori_sdk._generated.aotanami.models import Category, Finding, ScanSummary, Severity
from akmatori_server.kubernetes.checks.controls import LATEST_CIS
from akmatori_server.kubernetes.manifests import Problem
from akmatori_server.kubernetes.scans.exceptions import ScopedException

SYSTEM_NAMESPACES = frozenset({"kube-system", "kube-public", "kube-node-lease"})
SEVERITIES = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO)
"""The worst first."""


@attrs.frozen
class ScanOptions:
    """What to check, and how."""

    today: dt.date
    """The day that ends of exceptions are compared with."""
    categories: frozenset[Category] = frozenset(Category)
    min_severity: Severity = Severity.INFO
    cis_version: str = LATEST_CIS
    system_namespaces: frozenset[str] = SYSTEM_NAMESPACES
    """Where neither network-policy nor rbac-audit look: what is there belongs to Kubernetes itself."""
    exceptions: Sequence[ScopedException] = ()
    cluster: str = ""


@attrs.frozen
class ScanResult:
    """What a scan found, suppressed findings included, and what it could not read."""

    findings: Sequence[Finding]
    """The worst first."""
    summary: ScanSummary
    """In numbers; suppressed findings are not counted."""
    problems: Sequence[Problem]
    objects: int
    workloads: int
    owned: int
    """Pods and others that were passed over because what makes them was checked."""


def rank(severity: Severity) -> int:
    """Return the place of a severity, the worst first."""
    return SEVERITIES.index(severity)


def reaches(severity: Severity, threshold: Severity) -> bool:
    """Whether a severity is as bad as the threshold, or worse."""
    return rank(severity) <= rank(threshold)

"""The verdict on one pod."""

from __future__ import annotations

from akmatori_server.kubernetes.pod_security.catalogue import CONTROLS
from akmatori_server.kubernetes.pod_security.model import (
    POD_SECURITY_LATEST,
    Level,
    PodSecurityVersion,
    Verdict,
)
from akmatori_server.kubernetes.workloads import Workload


def judge(workload: Workload, version: PodSecurityVersion = POD_SECURITY_LATEST) -> Verdict:
    """Return the strictest level that the pods of a workload meet, by the rules of a version."""
    violations = tuple(
        violation
        for control in CONTROLS
        if (rule := control.rule(version)) is not None
        for violation in rule(workload)
    )
    # Below the lowest level that something violates.
    level = min((violation.level - 1 for violation in violations), default=Level.RESTRICTED)
    return Verdict(Level(level), violations, version)

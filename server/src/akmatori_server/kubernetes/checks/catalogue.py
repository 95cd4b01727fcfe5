"""All checks."""

from __future__ import annotations

from akmatori_server.kubernetes.checks import (
    container_security,
    escalation,
    images,
    network,
    pod_security,
    rbac,
    resources,
    secrets,
)
from akmatori_server.kubernetes.checks.model import Check, ObjectCheck, WorkloadCheck

CHECKS: tuple[Check, ...] = (
    *container_security.CHECKS,
    *resources.CHECKS,
    *images.CHECKS,
    *pod_security.CHECKS,
    *escalation.CHECKS,
    *secrets.CHECKS,
    *network.CHECKS,
    *rbac.CHECKS,
)
WORKLOAD_CHECKS = tuple(check for check in CHECKS if isinstance(check, WorkloadCheck))
OBJECT_CHECKS = tuple(check for check in CHECKS if isinstance(check, ObjectCheck))
CHECK_IDS = frozenset(check.id for check in CHECKS)

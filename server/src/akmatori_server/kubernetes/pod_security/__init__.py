"""The Pod Security Standards: which level a pod meets, by the rules of one version of Kubernetes."""

from akmatori_server.kubernetes.pod_security.catalogue import CONTROLS
from akmatori_server.kubernetes.pod_security.model import (
    POD_SECURITY_LATEST,
    Control,
    Level,
    PodSecurityVersion,
    Verdict,
    Violation,
    parse_version,
)
from akmatori_server.kubernetes.pod_security.namespaces import Enforcement, read_enforcement
from akmatori_server.kubernetes.pod_security.verdict import judge

__all__ = [
    "CONTROLS",
    "POD_SECURITY_LATEST",
    "Control",
    "Enforcement",
    "Level",
    "PodSecurityVersion",
    "Verdict",
    "Violation",
    "judge",
    "parse_version",
    "read_enforcement",
]

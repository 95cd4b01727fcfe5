"""Workloads: pods and what makes them, read from objects."""

from akmatori_server.kubernetes.workloads.model import (
    Container,
    ContainerKind,
    Reference,
    SecurityContext,
    Variable,
    Workload,
)
from akmatori_server.kubernetes.workloads.reading import is_workload, read_workload, reference_of

__all__ = [
    "Container",
    "ContainerKind",
    "Reference",
    "SecurityContext",
    "Variable",
    "Workload",
    "is_workload",
    "read_workload",
    "reference_of",
]

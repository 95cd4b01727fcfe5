"""Network policies: what they let through, for a workload and between two pods."""

from akmatori_server.kubernetes.networking.evaluation import (
    Direction,
    Endpoint,
    Policies,
    Reach,
    Traffic,
)
from akmatori_server.kubernetes.networking.policies import NetworkPolicy, read_network_policy

__all__ = [
    "Direction",
    "Endpoint",
    "NetworkPolicy",
    "Policies",
    "Reach",
    "Traffic",
    "read_network_policy",
]

"""Writing sizes as Kubernetes quantities, rounded up to what a person would write."""

from __future__ import annotations

import math

from akmatori_server.kubernetes.costs.model import GIB, MIB


def cpu_text(cores: float) -> str:
    """Write cores: `80m`, `1500m`, `2`."""
    milli = math.ceil(cores * 1000 - 1e-6)
    step = 1 if milli < 50 else 10 if milli < 1000 else 100
    rounded = math.ceil(milli / step) * step
    return str(rounded // 1000) if rounded % 1000 == 0 else f"{rounded}m"


def memory_text(size: float) -> str:
    """Write bytes: `160Mi`, `2Gi`."""
    mebibytes = math.ceil(size / MIB - 1e-6)
    step = 1 if mebibytes < 64 else 16 if mebibytes < 1024 else 64
    rounded = math.ceil(mebibytes / step) * step
    return f"{rounded * MIB // GIB}Gi" if rounded % 1024 == 0 else f"{rounded}Mi"

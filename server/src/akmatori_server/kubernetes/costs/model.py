"""What is known of a workload's containers: what they ask for, and what they use."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Protocol

import attrs

from akmatori_server.kubernetes.costs.idle import Idle
from akmatori_server.kubernetes.workloads import Reference

HOURS_PER_MONTH = 730
HOURS_PER_DAY = 24
GIB = 1024**3
MIB = 1024**2


class Resource(enum.StrEnum):
    """What a container asks for."""

    CPU = "cpu"
    MEMORY = "memory"


class Distribution(Protocol):
    """Samples of what was used, without each of them."""

    @property
    def count(self) -> int:
        """How many samples there are."""
        ...

    @property
    def mean(self) -> float:
        """Their mean; 0 of none."""
        ...

    @property
    def largest(self) -> float:
        """The largest; 0 of none."""
        ...

    def percentile(self, percent: float) -> float:
        """Return what so many percent of them do not exceed."""
        ...


@attrs.frozen(kw_only=True)
class Prices:
    """US dollars for an hour. The defaults are OpenCost's, of GCP's us-central1."""

    cpu_core_hour: float = 0.031611
    memory_gib_hour: float = 0.004237
    storage_gib_hour: float = 0.00005479452
    source: str = "default"

    def monthly(self, cores: float, memory_bytes: float) -> float:
        """Return what so much costs in a month."""
        hourly = cores * self.cpu_core_hour + memory_bytes / GIB * self.memory_gib_hour
        return hourly * HOURS_PER_MONTH


@attrs.frozen(kw_only=True)
class Size:
    """What a container asks for: cores and bytes; 0 where it asks for nothing."""

    cpu_request: float = 0.0
    cpu_limit: float = 0.0
    memory_request: float = 0.0
    memory_limit: float = 0.0


@attrs.frozen(kw_only=True)
class Usage:
    """What a container used over a time, of all pods of its workload. CPU in cores, memory in bytes."""

    cpu: Distribution
    memory: Distribution
    # Between the first and the last sample.
    observed_seconds: float
    # How many samples there would be if none was missing.
    expected_samples: float


@attrs.frozen(kw_only=True)
class ContainerDemand:
    """One container of a workload."""

    name: str
    size: Size
    # It was killed for its memory.
    was_killed: bool = False


@attrs.frozen(kw_only=True)
class Demand:
    """A workload: how many pods it has, and what their containers ask for."""

    target: str
    reference: Reference
    pods: int
    containers: tuple[ContainerDemand, ...]
    # What an autoscaler decides by; what it drives is left alone.
    scaled_by: frozenset[Resource] = frozenset()
    # A VerticalPodAutoscaler sizes it already.
    is_sized: bool = False
    # Nobody knows whether an autoscaler drives it: those of its namespace could not be read.
    is_unsure: bool = False

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What it is known by."""
        return (self.target, self.reference.namespace, self.reference.kind, self.reference.name)


@attrs.frozen(kw_only=True)
class Demands:
    """Everything that costs in what was read, and what could not be read."""

    workloads: tuple[Demand, ...]
    storage_bytes: Mapping[str, float]
    problems: tuple[str, ...] = ()
    """What could not be read, in sentences."""
    idle: tuple[Idle, ...] = ()
    blind: str = ""
    """Why nothing is known of what runs, where nothing is."""

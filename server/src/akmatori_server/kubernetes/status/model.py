"""How a cluster is, and how that is judged."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime, timedelta

import attrs

from akmatori_sdk._generated.aotanami.models import ClusterHealth

INTERVAL = timedelta(minutes=1)
LATE = 2 * INTERVAL
UNREACHABLE = timedelta(minutes=5)


class ConditionType(enum.StrEnum):
    """What a condition is about."""

    REACHABLE = "Reachable"
    READY = "Ready"
    NODES_READY = "NodesReady"
    NODES_UNDER_PRESSURE = "NodesUnderPressure"
    COMPONENTS_AVAILABLE = "ComponentsAvailable"
    LAST_SCAN_COMPLETE = "LastScanComplete"
    # Of a folder, which is no cluster.
    MANIFESTS_READABLE = "ManifestsReadable"


# What is wrong when it is False; under pressure is wrong when it is True.
_WRONG = {
    ConditionType.READY: "False",
    ConditionType.NODES_READY: "False",
    ConditionType.NODES_UNDER_PRESSURE: "True",
    ConditionType.COMPONENTS_AVAILABLE: "False",
}


@attrs.frozen(kw_only=True)
class Condition:
    """Something that is True, False or Unknown of a cluster, since a moment."""

    type: ConditionType
    status: str
    reason: str
    message: str = ""
    since: datetime


@attrs.frozen(kw_only=True)
class Component:
    """A part of a cluster."""

    name: str
    is_available: bool
    message: str = ""


@attrs.frozen(kw_only=True)
class Nodes:
    """The nodes in numbers."""

    total: int
    ready: int
    pressed: int


@attrs.frozen(kw_only=True)
class Heartbeat:
    """What a cluster said, or at least that it was asked."""

    name: str
    endpoint: str = ""
    version: str = ""
    region: str = ""
    provider: str = ""
    nodes: Nodes | None = None
    pods: int | None = None
    conditions: tuple[Condition, ...] = ()
    components: tuple[Component, ...] | None = None
    heartbeat_at: datetime | None = None
    asked_at: datetime
    error: str = ""


def judge(beat: Heartbeat | None, now: datetime, *, is_scan_degraded: bool = False) -> ClusterHealth:
    """Decide how a cluster is, from what it said last."""
    if beat is None:
        return ClusterHealth.UNREGISTERED
    if beat.heartbeat_at is None or now - beat.heartbeat_at > UNREACHABLE:
        return ClusterHealth.UNREACHABLE
    is_late = now - beat.heartbeat_at > LATE
    if is_late or is_scan_degraded or any(is_wrong(condition) for condition in beat.conditions):
        return ClusterHealth.DEGRADED
    return ClusterHealth.HEALTHY


def is_wrong(condition: Condition) -> bool:
    """Whether a condition is one that should not be."""
    return _WRONG.get(condition.type) == condition.status


def since_before(now: Sequence[Condition], before: Sequence[Condition]) -> tuple[Condition, ...]:
    """Return conditions with the moments since when they are so."""
    known = {one.type: one for one in before}
    kept: list[Condition] = []
    for one in now:
        last = known.get(one.type)
        is_same = last is not None and last.status == one.status
        kept.append(attrs.evolve(one, since=last.since) if last is not None and is_same else one)
    return tuple(kept)

"""Better sizes for containers, from what they used. Pure; no recommendation rests on less than a day."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs

from akmatori_sdk._generated.aotanami.models import RecommendationType, Severity
from akmatori_server.kubernetes.costs.model import MIB, ContainerDemand, Demand, Prices, Resource, Size, Usage

DAY = 86_400.0
SHORTEST_OBSERVATION = DAY
FULL_OBSERVATION = 7 * DAY
# What KRR goes down to: less says nothing about a program at work.
LEAST_CPU = 0.010
LEAST_MEMORY = 100 * 1_000_000
IDLE_BELOW = 0.05
# A change below it is not worth a rollout.
WORTH = 0.10
NEAR_LIMIT = 0.90
AFTER_KILL = 1.25
CPU_LIMIT_ROOM = 1.5


class Strategy(enum.StrEnum):
    """How much room a recommendation leaves."""

    CONSERVATIVE = "conservative"
    MODERATE = "moderate"
    AGGRESSIVE = "aggressive"


@attrs.frozen
class _Room:
    cpu_percentile: float
    cpu_factor: float
    # 100 is the highest.
    memory_percentile: float
    memory_factor: float


_ROOMS: Mapping[Strategy, _Room] = {
    Strategy.CONSERVATIVE: _Room(99, 1.20, 100, 1.25),
    Strategy.MODERATE: _Room(95, 1.20, 100, 1.15),
    Strategy.AGGRESSIVE: _Room(90, 1.10, 99, 1.10),
}


@attrs.frozen(kw_only=True)
class Advice:
    """A better size for one container. Money is US dollars a month, of all pods of the workload."""

    demand: Demand
    container: ContainerDemand
    type: RecommendationType
    # None in a member leaves it as it is.
    cpu_request: float | None = None
    cpu_limit: float | None = None
    memory_request: float | None = None
    memory_limit: float | None = None
    savings: float | None = None
    savings_percent: float | None = None
    confidence: float
    severity: Severity
    message: str
    usage: Usage | None = None


def advise(
    demand: Demand, container: ContainerDemand, usage: Usage | None, *, prices: Prices, strategy: Strategy
) -> Advice | None:
    """Return a better size for a container, if there is one.

    Without a day of samples, or without knowing of autoscalers, only what is missing altogether is said: nothing rests
    on a guess.
    """
    if demand.is_sized:
        return None
    if (
        demand.is_unsure
        or usage is None
        or usage.observed_seconds < SHORTEST_OBSERVATION
        or not usage.cpu.count
    ):
        return _missing(demand, container)
    wanted = _wanted(demand, container, usage, _ROOMS[strategy])
    missing = _missing(demand, container)
    kind = _kind(demand, container, usage, wanted)
    if kind is None and missing is None:
        return None
    if kind is None:
        kind = RecommendationType.MISSING_LIMITS
    return _priced(demand, container, usage, kind, wanted, prices)


def month_of(demand: Demand, container: ContainerDemand, usage: Usage | None, prices: Prices) -> float:
    """Return what a container costs in a month: what it asks for, or what it uses where that is more."""
    size = container.size
    cpu = max(size.cpu_request, usage.cpu.mean if usage else 0.0)
    memory = max(size.memory_request, usage.memory.mean if usage else 0.0)
    return prices.monthly(cpu, memory) * demand.pods


def is_idle(container: ContainerDemand, usage: Usage) -> bool:
    """Whether a container does next to nothing with what it asks for."""
    size = container.size
    return (
        size.cpu_request > 0
        and size.memory_request > 0
        and usage.cpu.mean < IDLE_BELOW * size.cpu_request
        and usage.memory.mean < IDLE_BELOW * size.memory_request
    )


def _wanted(demand: Demand, container: ContainerDemand, usage: Usage, room: _Room) -> Size:
    """Return the requests that fit the usage; 0 for what is left alone."""
    cpu = max(usage.cpu.percentile(room.cpu_percentile) * room.cpu_factor, LEAST_CPU)
    memory = max(usage.memory.percentile(room.memory_percentile) * room.memory_factor, LEAST_MEMORY)
    if container.was_killed:
        # What it used is what it was allowed to: it may have needed any amount more.
        held = max(container.size.memory_limit, container.size.memory_request, usage.memory.largest)
        memory = max(memory, held * AFTER_KILL)
    return Size(
        cpu_request=0.0 if Resource.CPU in demand.scaled_by else cpu,
        memory_request=0.0 if Resource.MEMORY in demand.scaled_by else memory,
    )


def _kind(
    demand: Demand, container: ContainerDemand, usage: Usage, wanted: Size
) -> RecommendationType | None:
    size = container.size
    grows = (
        container.was_killed
        or _more(size.cpu_request, wanted.cpu_request)
        or _more(size.memory_request, wanted.memory_request)
        or (size.memory_limit > 0 and usage.memory.largest > NEAR_LIMIT * size.memory_limit)
    )
    if grows and (wanted.cpu_request or wanted.memory_request):
        return RecommendationType.UPSIZE
    if is_idle(container, usage) and not demand.scaled_by:
        return RecommendationType.IDLE
    if _less(size.cpu_request, wanted.cpu_request) or _less(size.memory_request, wanted.memory_request):
        return RecommendationType.DOWNSIZE
    return None


def _more(current: float, wanted: float) -> bool:
    return current > 0 and wanted > current * (1 + WORTH)


def _less(current: float, wanted: float) -> bool:
    return wanted > 0 and wanted < current * (1 - WORTH)


def _missing(demand: Demand, container: ContainerDemand) -> Advice | None:
    size = container.size
    gaps = [
        words
        for words, amount in (
            ("a CPU request", size.cpu_request),
            ("a memory request", size.memory_request),
            ("a memory limit", size.memory_limit),
        )
        if not amount
    ]
    if not gaps:
        return None
    listed = gaps[0] if len(gaps) == 1 else f"{', '.join(gaps[:-1])} and {gaps[-1]}"
    return Advice(
        demand=demand,
        container=container,
        type=RecommendationType.MISSING_LIMITS,
        confidence=100.0,
        severity=Severity.MEDIUM,
        message=f"{container.name} has no {listed.removeprefix('a ')}; there are no measurements yet to say how much.",
    )


def _priced(
    demand: Demand,
    container: ContainerDemand,
    usage: Usage,
    kind: RecommendationType,
    wanted: Size,
    prices: Prices,
) -> Advice:
    size = container.size
    cpu = wanted.cpu_request or size.cpu_request
    memory = wanted.memory_request or size.memory_request
    before = month_of(demand, container, usage, prices)
    after = prices.monthly(max(cpu, usage.cpu.mean), max(memory, usage.memory.mean)) * demand.pods
    # A limit below the request would be refused, and one that leaves no room throttles.
    cpu_limit = cpu * CPU_LIMIT_ROOM if size.cpu_limit and size.cpu_limit < cpu * CPU_LIMIT_ROOM else None
    return Advice(
        demand=demand,
        container=container,
        type=kind,
        cpu_request=wanted.cpu_request or None,
        cpu_limit=cpu_limit,
        memory_request=wanted.memory_request or None,
        memory_limit=wanted.memory_request or None,
        savings=before - after,
        savings_percent=100 * (before - after) / before if before else 0.0,
        confidence=confidence(usage),
        severity=_severity(size, wanted),
        message=_message(container, usage, kind),
        usage=usage,
    )


def confidence(usage: Usage) -> float:
    """Return how sure a recommendation is, in percent: a week without gaps is all that can be asked for."""
    completeness = min(1.0, usage.cpu.count / usage.expected_samples) if usage.expected_samples else 0.0
    return round(min(100.0, 100.0 * usage.observed_seconds / FULL_OBSERVATION) * completeness, 1)


def _severity(size: Size, wanted: Size) -> Severity:
    """Return how far the size is from the better one, in the steps of KRR."""
    cpu = abs(wanted.cpu_request - size.cpu_request) if wanted.cpu_request else 0.0
    memory = abs(wanted.memory_request - size.memory_request) / MIB if wanted.memory_request else 0.0
    if cpu >= 0.5 or memory >= 500:
        return Severity.HIGH
    if cpu >= 0.25 or memory >= 250:
        return Severity.MEDIUM
    if cpu >= 0.1 or memory >= 100:
        return Severity.LOW
    return Severity.INFO


def _message(container: ContainerDemand, usage: Usage, kind: RecommendationType) -> str:
    size, name = container.size, container.name
    if kind is RecommendationType.UPSIZE and container.was_killed:
        return f"{name} was killed for want of memory; it needs more than it may have."
    if kind is RecommendationType.UPSIZE:
        return f"{name} uses more than it asks for, or comes near its limit."
    if kind is RecommendationType.IDLE:
        return f"{name} does next to nothing: it uses less than 5 % of the CPU and memory it asks for."
    if kind is RecommendationType.MISSING_LIMITS:
        return f"{name} does not ask for what it uses; these sizes fit what was measured."
    shares = [
        f"{used / asked:.0%} of the {what}"
        for what, used, asked in (
            ("CPU", usage.cpu.mean, size.cpu_request),
            ("memory", usage.memory.mean, size.memory_request),
        )
        if asked
    ]
    return f"{name} uses {' and '.join(shares)} it asks for."

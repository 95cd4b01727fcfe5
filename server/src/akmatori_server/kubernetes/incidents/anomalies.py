"""Rates that are not what they usually are: median and median absolute deviation, by the hour. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from statistics import median

import attrs

from akmatori_sdk._generated.aotanami.models import EventType, Severity
from akmatori_server.kubernetes.incidents.identity import identity_of
from akmatori_server.kubernetes.incidents.model import Key, Origin, Symptom

KEPT_HOURS = 28 * 24
HOURS_OF_WEEK = 7 * 24
LEARNING = timedelta(hours=24)
LEAST_POINTS = 30
# As many hours like this one have to be known before it is compared with them alone.
LEAST_SEASON = 6
# Makes the median absolute deviation of a normal distribution its standard deviation.
NORMAL = 1.4826


class Rate(enum.StrEnum):
    """What is counted by the hour."""

    RESTARTS = "restarts"
    WARNINGS = "warnings"


# The least that counts as one deviation: what never happens has no spread at all.
_FLOOR = {Rate.RESTARTS: 2.0, Rate.WARNINGS: 5.0}
_WORDS = {Rate.RESTARTS: "restarts", Rate.WARNINGS: "warnings"}
_LEVELS = ((6.0, Severity.CRITICAL, 3), (4.5, Severity.HIGH, 2), (3.0, Severity.MEDIUM, 1))


@attrs.frozen(order=True)
class RateKey:
    """Whose rate of what."""

    key: Key
    container: str
    rate: Rate


@attrs.frozen
class Baseline:
    """How often it happened in hours of the past; hours that are not named had none."""

    first_at: datetime
    hours: Mapping[int, int]


def hour_of(moment: datetime) -> int:
    """Return the number of the hour a moment is in."""
    return int(moment.astimezone(UTC).timestamp()) // 3600


def counted(baseline: Baseline, number: int, now: datetime) -> Baseline:
    """Return the baseline with so much more in the present hour, and without what is too old."""
    hour = hour_of(now)
    hours = {one: count for one, count in baseline.hours.items() if one > hour - KEPT_HOURS}
    hours[hour] = hours.get(hour, 0) + number
    return attrs.evolve(baseline, hours=hours)


def anomaly(
    of: RateKey, baseline: Baseline, observed: Iterable[int], now: datetime, origin: Origin
) -> Symptom | None:
    """Compare the present hour with those before it.

    Args:
        of: What is compared.
        baseline: Its counts, the present hour's among them.
        observed: The hours in which the cluster was read: only of these it is known that nothing happened.
        now: The present moment.
        origin: Where the counts are read.

    Returns:
        What is unusual; None when nothing is, or while too little is known to tell.
    """
    hour = hour_of(now)
    value = baseline.hours.get(hour, 0)
    # The hour it was first seen in was not seen whole.
    past = [one for one in observed if hour_of(baseline.first_at) < one < hour]
    if now - baseline.first_at < LEARNING or len(past) < LEAST_POINTS:
        return None
    like = [one for one in past if _is_alike(one, hour)]
    points = [baseline.hours.get(one, 0) for one in (like if len(like) >= LEAST_SEASON else past)]
    usual = median(points)
    spread = max(NORMAL * median(abs(point - usual) for point in points), _FLOOR[of.rate])
    deviation = (value - usual) / spread
    level = next(((severity, number) for least, severity, number in _LEVELS if deviation >= least), None)
    if level is None:
        return None
    severity, number = level
    what, name = _WORDS[of.rate], of.container or of.key.name
    return Symptom(
        key=of.key,
        type=EventType.ANOMALY,
        reason=f"Many{what.capitalize()}",
        severity=severity,
        origin=origin,
        at=now,
        identity=identity_of("anomaly", of.rate, str(of.key), of.container, str(hour)),
        # Getting worse within the hour is something new.
        number=number,
        container=of.container,
        resource_kind=of.key.kind,
        resource_name=of.key.name,
        message=f"{name} had {value} {what} since the hour began, where {usual:g} in an hour are usual.",
        source="anomaly-detector",
        facts={
            "value": str(value),
            "expected": f"{usual:g}",
            "spread": f"{spread:g}",
            "deviations": f"{deviation:.1f}",
            "hours": str(len(points)),
        },
    )


def _is_alike(one: int, hour: int) -> bool:
    """Whether it is about the same hour of another week."""
    apart = (hour - one) % HOURS_OF_WEEK
    return hour - one > 1 and apart in (0, 1, HOURS_OF_WEEK - 1)

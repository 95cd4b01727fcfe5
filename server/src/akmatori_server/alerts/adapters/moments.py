"""Moments as monitoring systems write them: RFC 3339, a date and a time, or seconds since 1970."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from akmatori_server.alerts.adapters.fields import FIRST_REAL_MOMENT, MISSING

_NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
_WRITTEN = re.compile(
    r"(?P<date>\d{4}[-./]\d\d[-./]\d\d)(?:[Tt]|[ ,]+)(?P<time>\d\d:\d\d(?::\d\d)?)"
    r"(?:[.,](?P<fraction>\d{1,20}))? ?(?P<zone>\S{1,64})?",
    re.ASCII,
)
_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)?", re.ASCII)
_UTC_NAMES = frozenset({"Z", "UTC", "GMT"})
# Seconds, milliseconds, microseconds and nanoseconds since 1970 are told apart by their size: what is below the
# first bound is a moment before the year 5138 in seconds.
_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (1e20, 1e9))


class NotAMomentError(ValueError):
    """The value cannot be read as a moment."""


def read_moment(value: object, *, zone: tzinfo = UTC) -> datetime | None:
    """Read a moment; one without a time zone is in `zone`. Nothing, "" and one up to 1970 mean never.

    Raises:
        NotAMomentError: it is something else.
    """
    if value is MISSING or value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        moment = _moment(value, zone)
    except (ValueError, OverflowError, OSError, KeyError) as error:
        # Zone names are looked for among files, whose absence is told in several ways.
        raise NotAMomentError from error
    return None if moment <= FIRST_REAL_MOMENT else moment


def zone_named(name: str) -> tzinfo:
    """Return the zone with this name or offset, such as `Europe/Berlin` or `+02:00`.

    Raises:
        NotAMomentError: there is none.
    """
    try:
        return _zone(name.strip())
    except (ValueError, OSError, KeyError) as error:
        raise NotAMomentError from error


def _moment(value: object, zone: tzinfo) -> datetime:
    if isinstance(value, bool):
        raise NotAMomentError
    if isinstance(value, (int, float)):
        return _since_1970(float(value))
    if not isinstance(value, str):
        raise NotAMomentError
    text = value.strip()
    if _NUMBER.fullmatch(text):
        return _since_1970(float(text))
    matched = _WRITTEN.fullmatch(text)
    if matched is None:
        raise NotAMomentError
    return _written(matched, zone)


def _since_1970(number: float) -> datetime:
    if not math.isfinite(number):
        raise NotAMomentError
    for bound, unit in _UNITS:
        if number < bound:
            return datetime.fromtimestamp(max(number, 0) / unit, tz=UTC)
    raise NotAMomentError


def _written(matched: re.Match[str], zone: tzinfo) -> datetime:
    date = re.sub("[./]", "-", matched["date"])
    fraction = (matched["fraction"] or "").ljust(6, "0")[:6]
    time = matched["time"] if matched["time"].count(":") == 2 else matched["time"] + ":00"
    moment = datetime.fromisoformat(f"{date}T{time}.{fraction}")
    if moment.year == 1:
        # What Go programs write for never; in most time zones it has no UTC.
        return FIRST_REAL_MOMENT
    named = matched["zone"]
    return moment.replace(tzinfo=_zone(named) if named else zone).astimezone(UTC)


def _zone(name: str) -> tzinfo:
    if name.upper() in _UTC_NAMES:
        return UTC
    offset = _OFFSET.fullmatch(name)
    if offset is None:
        return ZoneInfo(name)
    sign, hours, minutes = offset.groups()
    size = timedelta(hours=int(hours), minutes=int(minutes or 0))
    return timezone(size if sign == "+" else -size)

"""Durations as people write them: `90s`, `30m`, `2h`, `1d`, and `1h30m`."""

from __future__ import annotations

import re
from datetime import timedelta

LONGEST = timedelta(days=365)
_FORM = re.compile(
    r"(?:(?P<days>[0-9]{1,9})d)?(?:(?P<hours>[0-9]{1,9})h)?(?:(?P<minutes>[0-9]{1,9})m)?(?:(?P<seconds>[0-9]{1,9})s)?"
)
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def parse_duration(text: str) -> timedelta:
    """Read a duration.

    Raises:
        ValueError: it is none, or longer than a year; the sentence says so.
    """
    found = _FORM.fullmatch(text)
    if not text or found is None:
        raise ValueError("must be a duration such as 90s, 30m, 2h, 1d or 1h30m.")
    parts = {unit: int(number) for unit, number in found.groupdict(default="0").items()}
    seconds = ((parts["days"] * 24 + parts["hours"]) * 60 + parts["minutes"]) * 60 + parts["seconds"]
    # Compared as a number: timedelta refuses the largest ones in its own words.
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"must be {LONGEST.days}d at most.")
    return timedelta(seconds=seconds)


def format_duration(duration: timedelta) -> str:
    """Write whole seconds in the largest unit that divides them."""
    seconds = int(duration.total_seconds())
    if seconds == 0:
        return "0s"
    unit, size = next((unit, size) for unit, size in _UNITS if seconds % size == 0)
    return f"{seconds // size}{unit}"

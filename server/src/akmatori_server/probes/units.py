"""Numbers as people read them."""

from __future__ import annotations

import math

from akmatori_server.probes.models import Expectation, Operator

_BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_BETWEEN = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"))


def shown_number(number: float, unit: str) -> str:
    """Write a number in its unit.

    `percent` is a part of one (0.93 is 93 %), `bytes` and `seconds` are written in the unit that fits; every
    other unit stands behind the number as it is.
    """
    if not math.isfinite(number):
        return "infinite" if number > 0 else "minus infinite"
    if unit == "percent":
        return f"{_plain(number * 100, 3)} %"
    if unit == "bytes":
        return _in_bytes(number)
    if unit == "seconds":
        for size, name in _BETWEEN:
            if abs(number) >= size:
                return f"{_plain(number / size, 3)} {name}"
        return f"{_plain(number, 3)} s"
    return f"{_plain(number, 3)} {unit}".rstrip()


def shown_threshold(expectation: Expectation) -> str:
    """Write what makes a finding: `> 90 %`."""
    threshold = expectation.threshold
    shown = shown_number(threshold, expectation.unit) if isinstance(threshold, float) else str(threshold)
    return {
        Operator.ABOVE: f"> {shown}",
        Operator.BELOW: f"< {shown}",
        Operator.EQUALS: f"= {shown}",
        Operator.NOT_EQUALS: f"≠ {shown}",
        Operator.MATCHES: f"matches {shown}",
        Operator.NOT_MATCHES: f"does not match {shown}",
        Operator.PRESENT: "is there",
        Operator.ABSENT: "is missing",
        Operator.COUNT_ABOVE: f"more than {shown}",
        Operator.COUNT_BELOW: f"fewer than {shown}",
    }[expectation.operator]


def _in_bytes(number: float) -> str:
    power = 0
    while abs(number) >= 1024 and power < len(_BYTES) - 1:
        number, power = number / 1024, power + 1
    return f"{_plain(number, 3)} {_BYTES[power]}"


def _plain(number: float, digits: int) -> str:
    """Write a number without needless digits, and without an exponent where there is a shorter way."""
    if number == int(number) and abs(number) < 1e15:
        return str(int(number))
    return f"{number:.{digits}g}" if abs(number) < 10**digits else f"{number:.0f}"

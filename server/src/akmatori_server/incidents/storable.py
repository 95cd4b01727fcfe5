"""Making text from outside storable: what no database takes must not cost an alert or an incident.

PostgreSQL refuses NUL in text, UTF-8 has no lone surrogates, and JSON encoders have limits on integers and
depth.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TypeAlias, cast

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# orjson writes integers of 64 bits and 254 levels at most; the levels leave room for what wraps the value.
LARGEST_INTEGER = 2**64 - 1
SMALLEST_INTEGER = -(2**63)
DEEPEST_LEVEL = 100

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable_text(text: str, longest: int | None = None) -> str:
    """Replace NUL and lone surrogates by U+FFFD, and keep `longest` characters at most."""
    # Nearly every text is plain, and that is seen ten times as fast as searched for.
    is_plain = text.isascii() and "\x00" not in text
    cleaned = text if is_plain else _UNSTORABLE.sub(REPLACEMENT, text)
    return cleaned if longest is None else cleaned[:longest]


def storable_json(value: object, *, levels: int = DEEPEST_LEVEL) -> JSON:
    """Return the same value with storable texts, huge integers as text, and what nests too deep cut off."""
    if isinstance(value, str):
        return storable_text(value)
    if value is None or isinstance(value, (bool, int, float)):
        return _number(value)
    if levels == 0:
        return REPLACEMENT
    if isinstance(value, dict):
        return storable_object(cast("dict[str, object]", value), levels=levels)
    if isinstance(value, (list, tuple)):
        return [storable_json(item, levels=levels - 1) for item in cast("Sequence[object]", value)]
    raise TypeError(f"{type(value).__name__} is not a JSON value.")


def storable_object(members: dict[str, object], *, levels: int = DEEPEST_LEVEL) -> dict[str, JSON]:
    """Do the same for the members of a JSON object."""
    return {
        storable_text(str(key)): storable_json(member, levels=levels - 1) for key, member in members.items()
    }


def _number(value: float | bool | None) -> JSON:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool) or SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
        return value
    try:
        return str(value)
    except ValueError:
        # Python refuses to write thousands of digits; nobody reads them either.
        return hex(value)

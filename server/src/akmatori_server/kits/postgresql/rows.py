"""What a database answers, as JSON, within limits of rows, of bytes and of each value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

import attrs
import orjson

from akmatori_server.incidents.storable import JSON

MOST_ROWS = 1000
MOST_BYTES = 5 * 1024 * 1024
# Of one value; the database cuts it, so that it is never sent.
LONGEST_VALUE = 16384

Texts: TypeAlias = Sequence[str | None]

# Identifiers of built-in types, which never change.
_BOOLEAN = 16
_INTEGERS = frozenset({20, 21, 23, 26})
_NUMBERS = frozenset({700, 701, 1700})
_JSON = frozenset({114, 3802})


@attrs.frozen
class Column:
    """A column of an answer, and its type's identifier."""

    name: str
    type_id: int


def answer(columns: Sequence[Column], rows: Sequence[Texts], *, is_truncated: bool) -> dict[str, JSON]:
    """Return an answer as a value."""
    return {
        "columns": [column.name for column in columns],
        "rows": [
            [value_of(column.type_id, text) for column, text in zip(columns, row, strict=True)]
            for row in rows
        ],
        "row_count": len(rows),
        "is_truncated": is_truncated,
    }


def value_of(type_id: int, text: str | None) -> JSON:
    """Return a value from the text the database gave; dates, intervals, arrays and the like stay texts."""
    if text is None:
        return None
    if type_id == _BOOLEAN:
        return text in {"t", "true"}
    if type_id in _INTEGERS:
        return int(text)
    if type_id in _NUMBERS:
        return _number(text)
    return _json(text) if type_id in _JSON else _shortened(text)


def _json(text: str) -> JSON:
    # What was cut is JSON no longer.
    if len(text) > LONGEST_VALUE:
        return _shortened(text)
    try:
        value: JSON = orjson.loads(text)
    except ValueError:
        # PostgreSQL's JSON has numbers that no float holds.
        return text
    return value


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"


def _number(text: str) -> JSON:
    """Return a number as it is; where JSON's would not be the same one, its text."""
    if len(text) > 40:
        return text[:LONGEST_VALUE]
    try:
        exact, near = Decimal(text), float(text)
    except (InvalidOperation, ValueError):
        return text
    if not math.isfinite(near):
        return text
    if exact == exact.to_integral_value() and "." not in text and "e" not in text.lower():
        return int(text)
    return near if Decimal(repr(near)) == exact else text

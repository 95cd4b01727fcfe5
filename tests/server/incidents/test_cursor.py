"""The opaque cursor of the incident list."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akmatori_server.errors import BadRequest
from akmatori_server.incidents.cursor import decode_cursor, encode_cursor
from akmatori_server.incidents.models import Position

POSITION = Position(datetime(2026, 5, 15, 10, 0, 0, 123456, tzinfo=UTC), 42)


@given(st.datetimes(timezones=st.just(UTC)), st.integers(min_value=1, max_value=2**53))
def test_a_cursor_is_read_back(created_at: datetime, row_id: int) -> None:
    """To the microsecond."""
    position = Position(created_at, row_id)

    assert decode_cursor(encode_cursor(position)) == position


@pytest.mark.parametrize(
    "cursor", ["", "x", "====", "é", "0" * 32, "a b", encode_cursor(POSITION) + "A", "\x00"]
)
def test_what_is_no_cursor_is_refused(cursor: str) -> None:
    """With a sentence that says what to do."""
    with pytest.raises(BadRequest, match="next_cursor"):
        decode_cursor(cursor)


def test_every_changed_character_is_noticed() -> None:
    """A cursor is exactly what was given out, or refused."""
    cursor = encode_cursor(POSITION)
    changed = [cursor[:i] + ("B" if c == "A" else "A") + cursor[i + 1 :] for i, c in enumerate(cursor)]

    for text in [*changed, cursor[:-1], cursor[1:], cursor + "="]:
        with pytest.raises(BadRequest):
            decode_cursor(text)

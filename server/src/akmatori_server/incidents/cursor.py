"""The opaque `cursor` of the incident list: when the last incident of a page was created, and its id."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from akmatori_server.cursors import Cursors, refusal
from akmatori_server.incidents.models import Position

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Microseconds since the epoch and the row's id.
_CURSORS = Cursors("incident-list", ">qQ")


def encode_cursor(position: Position) -> str:
    """Write the position of the last item of a page."""
    return _CURSORS.write((position.created_at - EPOCH) // timedelta(microseconds=1), position.id)


def decode_cursor(cursor: str) -> Position:
    """Read a cursor back.

    Raises:
        BadRequest: it is not one that `encode_cursor` wrote.
    """
    microseconds, row_id = _CURSORS.read(cursor)
    try:
        return Position(EPOCH + timedelta(microseconds=microseconds), row_id)
    except OverflowError as error:
        raise refusal() from error

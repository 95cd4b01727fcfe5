"""The opaque `cursor` of the incident list: a position, written so that a damaged one is noticed.

The check bytes are no signature: a forged cursor could only name another position in a list its caller may
read anyway.
"""

from __future__ import annotations

import base64
import binascii
import struct
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from akmatori_server.errors import BadRequest
from akmatori_server.incidents.models import Position

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CHECK_BYTES = 6
# Microseconds since the epoch and the row's id.
_LAYOUT = struct.Struct(">qQ")


def encode_cursor(position: Position) -> str:
    """Write the position of the last item of a page."""
    microseconds = (position.created_at - EPOCH) // timedelta(microseconds=1)
    packed = _LAYOUT.pack(microseconds, position.id)
    return base64.urlsafe_b64encode(packed + _check(packed)).decode().rstrip("=")


def decode_cursor(cursor: str) -> Position:
    """Read a cursor back.

    Raises:
        BadRequest: it is not one that `encode_cursor` wrote.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        packed, check = raw[: _LAYOUT.size], raw[_LAYOUT.size :]
        microseconds, row_id = _LAYOUT.unpack(packed)
        position = Position(EPOCH + timedelta(microseconds=microseconds), row_id)
    except (binascii.Error, ValueError, struct.error, OverflowError) as error:
        raise _refusal() from error
    # Comparing the text too refuses a second spelling of the same bytes.
    if check != _check(packed) or encode_cursor(position) != cursor:
        raise _refusal()
    return position


def _check(packed: bytes) -> bytes:
    return blake2b(packed, digest_size=CHECK_BYTES, person=b"incident-list").digest()


def _refusal() -> BadRequest:
    return BadRequest("cursor: send next_cursor of an earlier page exactly as it came, or leave it out.")

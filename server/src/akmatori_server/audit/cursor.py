"""The opaque `cursor` of the audit trail: the id of the last entry of a page, damage noticed."""

from __future__ import annotations

import base64
import binascii
import struct
from hashlib import blake2b

from akmatori_server.errors import BadRequest

CHECK_BYTES = 6
LARGEST_ID = 2**63 - 1
_LAYOUT = struct.Struct(">Q")


def encode_cursor(entry_id: int) -> str:
    """Write the position of the last entry of a page."""
    packed = _LAYOUT.pack(entry_id)
    return base64.urlsafe_b64encode(packed + _check(packed)).decode().rstrip("=")


def decode_cursor(cursor: str) -> int:
    """Read a cursor back.

    Raises:
        BadRequest: it is not one that `encode_cursor` wrote.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        packed, check = raw[: _LAYOUT.size], raw[_LAYOUT.size :]
        (entry_id,) = _LAYOUT.unpack(packed)
    except (binascii.Error, ValueError, struct.error) as error:
        raise _refusal() from error
    # Comparing the text too refuses a second spelling of the same bytes.
    if check != _check(packed) or entry_id > LARGEST_ID or encode_cursor(entry_id) != cursor:
        raise _refusal()
    return int(entry_id)


def _check(packed: bytes) -> bytes:
    return blake2b(packed, digest_size=CHECK_BYTES, person=b"audit-trail").digest()


def _refusal() -> BadRequest:
    return BadRequest("cursor: this is not a cursor of this list.")

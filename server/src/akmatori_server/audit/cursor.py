"""The opaque `cursor` of the audit trail: the id of the last entry of a page."""

from __future__ import annotations

from akmatori_server.cursors import Cursors, refusal

LARGEST_ID = 2**63 - 1
_CURSORS = Cursors("audit-trail", ">Q")


def encode_cursor(entry_id: int) -> str:
    """Write the position of the last entry of a page."""
    return _CURSORS.write(entry_id)


def decode_cursor(cursor: str) -> int:
    """Read a cursor back.

    Raises:
        BadRequest: it is not one that `encode_cursor` wrote.
    """
    (entry_id,) = _CURSORS.read(cursor)
    if entry_id > LARGEST_ID:
        raise refusal()
    return entry_id

"""Opaque cursors of lists: a position, written so that a damaged one is noticed.

The check bytes are no signature: a forged cursor could only name another position in a list its caller may
read anyway.
"""

from __future__ import annotations

import base64
import binascii
import struct
from hashlib import blake2b

from akmatori_server.errors import BadRequest

CHECK_BYTES = 6


class Cursors:
    """Writes and reads the cursors of one list."""

    def __init__(self, name: str, layout: str) -> None:
        """Take the list's name (16 bytes at most: its cursors are not those of another), and a `struct` layout."""
        self._person = name.encode()
        self._layout = struct.Struct(layout)

    def write(self, *numbers: int) -> str:
        """Write the position of the last item of a page."""
        packed = self._layout.pack(*numbers)
        return base64.urlsafe_b64encode(packed + self._check(packed)).decode().rstrip("=")

    def read(self, cursor: str) -> tuple[int, ...]:
        """Read a cursor back.

        Raises:
            BadRequest: it is not one that `write` wrote.
        """
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            packed, check = raw[: self._layout.size], raw[self._layout.size :]
            numbers = self._layout.unpack(packed)
        except (binascii.Error, ValueError, struct.error) as error:
            raise refusal() from error
        # Comparing the text too refuses a second spelling of the same bytes.
        if check != self._check(packed) or self.write(*numbers) != cursor:
            raise refusal()
        return numbers

    def _check(self, packed: bytes) -> bytes:
        return blake2b(packed, digest_size=CHECK_BYTES, person=self._person).digest()


def refusal() -> BadRequest:
    """Return what a cursor is refused with."""
    return BadRequest("cursor: send next_cursor of an earlier page exactly as it came, or leave it out.")

"""Opaque cursors of lists: a position, written so that a damaged one is noticed.

The check bytes are no signature: a forged cursor could only name another position in a list its caller may
read anyway.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Callable
from hashlib import blake2b
from typing import Generic, TypeVar

import attrs

from akmatori_server.errors import BadRequest
from akmatori_server.pagination import PageRequest

T = TypeVar("T")

CHECK_BYTES = 6


@attrs.frozen(kw_only=True)
class CursorPage(Generic[T]):
    """A part of a list, how long all of it is, and the cursor of what follows (None: nothing does)."""

    items: list[T]
    total: int
    next_cursor: str | None


def read_cursor_page(
    request: PageRequest,
    total: int,
    *,
    numbered: Callable[[int, int], list[T]],
    following: Callable[[int], list[T]] | None,
    cursor_of: Callable[[T], str],
) -> CursorPage[T]:
    """Read a page by its number, or what follows a cursor.

    Args:
        request: The page; with a cursor, only its size counts.
        total: How long the list is.
        numbered: Reads from an offset, so many items at most.
        following: Reads what follows the cursor, so many items at most; None when there is no cursor.
        cursor_of: Writes the cursor of an item.
    """
    # One more than the page holds: it tells whether another page follows.
    limit = request.size + 1
    if following is not None:
        found = following(limit)
    else:
        # Beyond the end nothing is read; the offset may be larger than the database's integers.
        found = numbered(request.offset, limit) if request.offset < total else []
    items, is_last = found[: request.size], len(found) <= request.size
    return CursorPage(items=items, total=total, next_cursor=None if is_last else cursor_of(items[-1]))


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

"""Undoing the compression of an answer, never further than to a number of bytes."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable
from typing import Protocol

from akmatori_server.outgoing.errors import OutgoingError, Reason

# What is asked for, and understood.
ACCEPTED = "gzip, deflate"
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


class _Decoder(Protocol):
    def decode(self, data: bytes, most: int) -> bytes: ...

    def finish(self) -> None: ...


async def read_body(chunks: AsyncIterable[bytes], encoding: str, most_bytes: int) -> tuple[bytes, bool]:
    """Read a body, and tell whether it goes on after `most_bytes`.

    Raises:
        OutgoingError: it is compressed in a way that was not asked for, or wrongly.
    """
    decoder = _decoder(encoding.strip().lower())
    content, received = bytearray(), 0
    async for chunk in chunks:
        received += len(chunk)
        content += decoder.decode(chunk, most_bytes + 1 - len(content))
        # What decompresses to nothing could go on for ever, too.
        if len(content) > most_bytes or received > most_bytes:
            return bytes(content[:most_bytes]), True
    decoder.finish()
    return bytes(content), False


def _decoder(encoding: str) -> _Decoder:
    if encoding in {"", "identity"}:
        return _Plain()
    if encoding in {"gzip", "x-gzip", "deflate"}:
        return _Inflating(may_be_bare=encoding == "deflate")
    raise OutgoingError("The answer is compressed in a way that was not asked for.", Reason.PROTOCOL)


class _Plain:
    def decode(self, data: bytes, most: int) -> bytes:
        return data[:most]

    def finish(self) -> None:
        """Nothing can be missing."""


class _Inflating:
    """Gzip in any number of members, zlib, and the bare form that some servers call deflate."""

    def __init__(self, *, may_be_bare: bool) -> None:
        self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._may_be_bare = may_be_bare
        self._has_begun = False

    def decode(self, data: bytes, most: int) -> bytes:
        content = bytearray()
        while data and len(content) < most:
            if self._inflate.eof:
                self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
            content += self._step(data, most - len(content))
            data = self._inflate.unconsumed_tail or self._inflate.unused_data
        return bytes(content)

    def finish(self) -> None:
        if self._has_begun and not self._inflate.eof:
            raise OutgoingError("The answer's compression ends too early.", Reason.PROTOCOL)

    def _step(self, data: bytes, most: int) -> bytes:
        is_first, self._has_begun = not self._has_begun, True
        try:
            return self._inflate.decompress(data, most)
        except zlib.error:
            if not (is_first and self._may_be_bare):
                raise OutgoingError("The answer's compression is broken.", Reason.PROTOCOL) from None
            self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
            return self._step(data, most)

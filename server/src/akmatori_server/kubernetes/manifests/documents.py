"""A file cut into its YAML documents while it is read, so that a broken one does not take the rest with it."""

from __future__ import annotations

from typing import IO

import attrs

CHUNK = 64 * 1024


@attrs.define
class DocumentCutter:
    """Reads the documents of a file, one after the other, without ever holding one.

    A line that begins with `---` begins a document wherever it stands: YAML forbids it inside of texts. So the
    next document is found even behind one that is broken.
    """

    _file: IO[bytes]
    _line: int = 0
    _held: bytes = b""
    _line_begins: bool = True
    _significant: bool = False
    _ended: bool = True
    _first: int = 0
    templated: bool = False
    """Whether the document holds what templates are written with."""

    @property
    def first_line(self) -> int:
        """Lines before the document that is being read."""
        return self._first

    @property
    def last_line(self) -> int:
        """The line that was read last."""
        return max(self._line, 1)

    def next(self) -> bool:
        """Go to the next document; what is left of this one is passed over.

        Returns:
            Whether there is one.
        """
        while self.read(CHUNK):
            pass
        if not self._held:
            self._held = self._file.readline(CHUNK)
            if not self._held:
                return False
        self._first = self._line
        self._ended = self._significant = self.templated = False
        return True

    def read(self, size: int = CHUNK, /) -> bytes:
        """Return the next piece of the document; empty at its end; the YAML parser calls this."""
        if self._ended:
            return b""
        pieces: list[bytes] = []
        length = 0
        while length < size:
            piece = self._piece(size - length)
            if not piece:
                break
            pieces.append(piece)
            length += len(piece)
        return b"".join(pieces)

    def _piece(self, size: int) -> bytes:
        piece, self._held = self._held or self._file.readline(CHUNK), b""
        if not piece:
            self._ended = True
            return b""
        if self._line_begins:
            marker = piece.startswith(b"---") and piece[3:4] in b" \t\r\n"
            if marker and self._significant:
                self._held, self._ended = piece, True
                return b""
            # Comments and directives stand in front of the marker of the document they belong to.
            self._significant = self._significant or marker or piece.lstrip()[:1] not in (b"", b"#", b"%")
        self.templated = self.templated or b"{{" in piece
        if len(piece) > size:
            piece, self._held = piece[:size], piece[size:]
        self._line_begins = piece.endswith(b"\n")
        self._line += self._line_begins
        return piece

"""Uploads: parts of a multipart body that are read while they are sent, never as a whole."""

from __future__ import annotations

import io
import mimetypes
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

import attrs

from akmatori_sdk._core.model import UNSET

CHUNK = 64 * 1024

Content: TypeAlias = bytes | os.PathLike[str] | BinaryIO


@attrs.frozen
class Upload:
    """A file to send: a path, bytes, or an open binary file (sent from its current position).

    Attributes:
        content: What to send. A path is opened when the request is sent and read in pieces.
        filename: The name the server sees; by default the path's or the file's last part.
        content_type: By default guessed from the name.
    """

    content: Content = attrs.field(
        repr=lambda value: f"<{len(value)} bytes>" if isinstance(value, bytes) else repr(value)
    )
    filename: str | None = None
    content_type: str | None = None

    @property
    def name(self) -> str:
        """The name the server sees."""
        if self.filename:
            return self.filename
        source = (
            self.content
            if isinstance(self.content, (bytes, os.PathLike))
            else getattr(self.content, "name", None)
        )
        return Path(cast("str", source)).name if isinstance(source, (str, os.PathLike)) else "upload"

    @property
    def media_type(self) -> str:
        """The content type of the part."""
        return self.content_type or mimetypes.guess_type(self.name)[0] or "application/octet-stream"


class _Part:
    """One part: its head, its size if known, and its content as often as it can be read."""

    def __init__(self, head: bytes, content: Content) -> None:
        self.head = head
        self._content = content
        self._start: int | None = None
        self.replayable = True
        if isinstance(content, bytes):
            self.size: int | None = len(content)
        elif isinstance(content, os.PathLike):
            self.size = Path(content).stat().st_size
        elif content.seekable():
            self._start = content.tell()
            self.size = content.seek(0, io.SEEK_END) - self._start
            content.seek(self._start)
        else:
            self.size, self.replayable = None, False

    def chunks(self) -> Iterator[bytes]:
        yield self.head
        content = self._content
        if isinstance(content, bytes):
            yield content
        elif isinstance(content, os.PathLike):
            with Path(content).open("rb") as file:
                yield from self._pieces(file)
        else:
            if self._start is not None:
                content.seek(self._start)
            yield from self._pieces(content)
        yield b"\r\n"

    def _pieces(self, file: BinaryIO) -> Iterator[bytes]:
        """Read as much as was announced: a file that grows is cut there, one that shrank cannot be sent."""
        left = self.size
        while piece := file.read(CHUNK if left is None else min(CHUNK, left)):
            yield piece
            if left is not None:
                left -= len(piece)
        if left:
            raise OSError("the file became shorter while it was read")


class MultipartBody:
    """A `multipart/form-data` body of plain fields and uploads. Can be read again if all its uploads can."""

    def __init__(self, form: Mapping[str, object], boundary: str | None = None) -> None:
        self._boundary = boundary or secrets.token_hex(16)
        self._parts = [
            self._part(name, value)
            for name, value in form.items()
            if value is not UNSET and value is not None
        ]
        self._end = f"--{self._boundary}--\r\n".encode()

    @property
    def content_type(self) -> str:
        """The value of the Content-Type header."""
        return f"multipart/form-data; boundary={self._boundary}"

    @property
    def replayable(self) -> bool:
        """Whether it can be sent a second time."""
        return all(part.replayable for part in self._parts)

    @property
    def size(self) -> int | None:
        """The length in bytes, or None when a part cannot say."""
        sizes = [part.size for part in self._parts]
        if any(size is None for size in sizes):
            return None
        heads = sum(len(part.head) + 2 for part in self._parts)
        return heads + sum(size for size in sizes if size is not None) + len(self._end)

    def chunks(self) -> Iterator[bytes]:
        """Read the body piece by piece, from its beginning."""
        for part in self._parts:
            yield from part.chunks()
        yield self._end

    def _part(self, name: str, value: object) -> _Part:
        head = f'--{self._boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"'
        if not isinstance(value, Upload):
            return _Part(f"{head}\r\n\r\n".encode(), _plain(value).encode())
        head += f'; filename="{_quoted(value.name)}"\r\nContent-Type: {_quoted(value.media_type)}\r\n\r\n'
        return _Part(head.encode(), value.content)


def _plain(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _quoted(text: str) -> str:
    """Escape as browsers do: only what would end the quoted string or the line."""
    return text.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")

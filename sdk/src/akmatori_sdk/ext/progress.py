"""What the verbs for files share: telling how far an upload is, and writing a download as a whole. No network."""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeAlias, cast

from akmatori_sdk._core.files import Upload
from akmatori_sdk._core.model import UNSET, Unset

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

OnProgress: TypeAlias = Callable[[int, int | None], object]
"""Called with the bytes sent so far, and how many there are (None when that is not known)."""

FileSource: TypeAlias = Upload | bytes | str | os.PathLike[str] | BinaryIO
"""What can be uploaded: a path (a text is one too), bytes, an open binary file, or an `Upload`."""


@contextmanager
def uploading(
    source: FileSource, *, filename: str | Unset, on_progress: OnProgress | None
) -> Generator[Upload]:
    """Yield what is sent for a source; what had to be opened for it is closed at the end.

    Raises:
        ValueError: bytes, or a file without a name, were given without a `filename`.
    """
    upload = (
        source if isinstance(source, Upload) else Upload(Path(source) if isinstance(source, str) else source)
    )
    if not upload.filename and not _has_name(upload.content):
        if filename is UNSET:
            raise ValueError("filename is needed: the content has no name of its own")
        upload = Upload(upload.content, filename, upload.content_type)
    if on_progress is None:
        yield upload
        return
    with _Watched(upload.content, on_progress) as watched:
        # An open file in every way the sender uses one.
        yield Upload(cast("BinaryIO", watched), upload.name, upload.media_type)


def write_whole(path: str | os.PathLike[str], content: bytes) -> Path:
    """Write a file so that it is never seen half written; return its path."""
    target = Path(path)
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        beside.write_bytes(content)
        beside.replace(target)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return target


def script_text(content: str | Unset | None, path: str | os.PathLike[str] | None) -> str | Unset | None:
    """Return the text of a script that is given as a text or as the path of a file.

    Raises:
        ValueError: both are given, or the file is not UTF-8 text.
    """
    if path is None:
        return content
    if content is not UNSET:
        raise ValueError("give content or path, not both")
    try:
        # With its line endings as they are: a script's first line depends on them.
        return Path(path).read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{os.fspath(path)} is not UTF-8 text") from None


def _has_name(content: object) -> bool:
    return isinstance(content, os.PathLike) or isinstance(getattr(content, "name", None), str)


class _Watched(io.RawIOBase):
    """A file that tells how much of it was read."""

    def __init__(self, content: bytes | os.PathLike[str] | BinaryIO, on_progress: OnProgress) -> None:
        super().__init__()
        self._owned = isinstance(content, (bytes, os.PathLike))
        if isinstance(content, bytes):
            self._file: BinaryIO = io.BytesIO(content)
        elif isinstance(content, os.PathLike):
            self._file = Path(content).open("rb")  # noqa: SIM115 - closed with this file
        else:
            self._file = content
        self._start = self._file.tell() if self._file.seekable() else 0
        self._total = self._size()
        self._sent = 0
        self._on_progress = on_progress

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._file.seekable()

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        # Another attempt begins anew, and says so.
        at = self._file.seek(offset, whence)
        self._sent = at - self._start
        return at

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        chunk = self._file.read(len(view))
        view[: len(chunk)] = chunk
        if chunk:
            self._sent += len(chunk)
            self._on_progress(self._sent, self._total)
        return len(chunk)

    def close(self) -> None:
        if self._owned:
            self._file.close()
        super().close()

    def _size(self) -> int | None:
        if not self._file.seekable():
            return None
        size = self._file.seek(0, io.SEEK_END) - self._start
        self._file.seek(self._start)
        return size

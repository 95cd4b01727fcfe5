"""A directory that nothing leaves: every step of a path is opened by name, below the one before, no links followed.

Checking a path first and opening it later would leave a moment in which a part of it becomes a link; opening
each part relative to the descriptor of the part before does not.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Literal

import attrs

CHUNK = 256 * 1024
# What begins so is ours: files that are being written, or that a transaction has not decided about yet.
INTERNAL = ".~"

# Nothing but these characters: no separators, no NUL, no look-alikes of them, no second spelling of a letter.
_NAME = re.compile(r"[A-Za-z0-9_.~-]{1,255}")
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK opening a named pipe would wait for a writer.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class UnsafePathError(Exception):
    """A name or a file that cannot be used: it could lead elsewhere, or is no plain file or directory."""


class FileTooLargeError(Exception):
    """A file holds more than the reader takes."""


@attrs.frozen
class Entry:
    """One entry of a directory. Links are `other`, wherever they lead."""

    name: str
    kind: Literal["file", "directory", "other"]


@attrs.frozen
class SafeDirectory:
    """A directory, and everything below it. Made when first written to, for its owner only.

    Attributes:
        root: Where it begins; this path itself may be a link, which is the operator's choice.
        names: The way from the root to this directory.
    """

    root: Path
    names: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Where it is, for messages and for programs that are given the directory."""
        return self.root.joinpath(*self.names)

    def below(self, name: str) -> SafeDirectory:
        """Return a directory in this one.

        Raises:
            UnsafePathError: the name could lead elsewhere.
        """
        return SafeDirectory(self.root, (*self.names, checked_name(name)))

    def exists(self) -> bool:
        """Whether it has been made."""
        try:
            with self.opened():
                return True
        except FileNotFoundError:
            return False

    def make(self) -> None:
        """Make it, and all above it."""
        with self.opened(create=True):
            pass

    def entries(self) -> list[Entry]:
        """Return what is in it by name, without what is ours; nothing when it does not exist."""
        return [entry for entry in self._scan() if not entry.name.startswith(INTERNAL)]

    def internal_names(self) -> list[str]:
        """Return the names of what is ours in it."""
        return [entry.name for entry in self._scan() if entry.name.startswith(INTERNAL)]

    def kind(self, name: str) -> Literal["file", "directory", "other"] | None:
        """Return what a name is, None when it does not exist."""
        try:
            with self.opened() as descriptor:
                return _kind(os.stat(checked_name(name), dir_fd=descriptor, follow_symlinks=False).st_mode)
        except FileNotFoundError:
            return None

    def open(self, name: str) -> BinaryIO:
        """Open a file for reading.

        Raises:
            FileNotFoundError: there is none.
            UnsafePathError: it is a link, a pipe or a device.
        """
        checked_name(name)
        with self.opened() as descriptor:
            try:
                file = os.open(name, _FILE, dir_fd=descriptor)
            except FileNotFoundError:
                raise
            except OSError as error:
                raise UnsafePathError(f"{name} cannot be opened: {error.strerror}.") from error
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise UnsafePathError(f"{name} is no plain file.")
        return os.fdopen(file, "rb")

    def read(self, name: str, *, limit: int) -> bytes:
        """Return a file's bytes.

        Raises:
            FileNotFoundError: there is none.
            FileTooLargeError: it has more than `limit` bytes.
            UnsafePathError: it is a link, a pipe or a device.
        """
        with self.open(name) as file:
            content = file.read(limit + 1)
        if len(content) > limit:
            raise FileTooLargeError(f"{name} has more than {limit} bytes.")
        return content

    def hash(self, name: str) -> str:
        """Return the SHA-256 of a file; raises what `open` raises."""
        digest = sha256()
        with self.open(name) as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
        return digest.hexdigest()

    def write(self, name: str, content: bytes) -> None:
        """Write a file as a whole: whoever reads meanwhile, or after a crash, sees the old one or the new."""
        checked_name(name)
        with self.opened(create=True) as descriptor:
            temporary, _ = write_temporary(descriptor, [content])
            try:
                os.rename(temporary, name, src_dir_fd=descriptor, dst_dir_fd=descriptor)
            except OSError:
                os.unlink(temporary, dir_fd=descriptor)
                raise
            os.fsync(descriptor)

    def rename(self, old: str, new: str) -> bool:
        """Give an entry another name, replacing a file of that name; return whether it was there."""
        try:
            with self.opened() as descriptor:
                os.rename(checked_name(old), checked_name(new), src_dir_fd=descriptor, dst_dir_fd=descriptor)
                os.fsync(descriptor)
        except FileNotFoundError:
            return False
        return True

    def remove(self, name: str) -> bool:
        """Remove a file or a whole directory; return whether it was there. Links are removed, not followed."""
        kind = self.kind(name)
        if kind is None:
            return False
        with self.opened() as descriptor:
            if kind == "directory":
                shutil.rmtree(name, dir_fd=descriptor)
            else:
                os.unlink(name, dir_fd=descriptor)
            os.fsync(descriptor)
        return True

    @contextmanager
    def opened(self, *, create: bool = False) -> Generator[int]:
        """Yield a descriptor of the directory.

        Raises:
            FileNotFoundError: it does not exist, and shall not be made.
            UnsafePathError: a part of the way is a link, or no directory.
        """
        if create:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in self.names:
                inner = _enter(descriptor, name, create=create)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)

    def _scan(self) -> list[Entry]:
        try:
            with self.opened() as descriptor, os.scandir(descriptor) as found:
                entries = [Entry(e.name, _kind(e.stat(follow_symlinks=False).st_mode)) for e in found]
        except FileNotFoundError:
            return []
        return sorted(entries, key=lambda entry: entry.name)


def checked_name(name: str) -> str:
    """Return a name that is one step of a path and cannot be anything else.

    Raises:
        UnsafePathError: it is none.
    """
    if name in {".", ".."} or _NAME.fullmatch(name) is None:
        raise UnsafePathError("A file name may hold ASCII letters, digits, dots, dashes and underscores.")
    return name


def write_temporary(
    descriptor: int, chunks: Iterable[bytes], *, modified_ns: int | None = None
) -> tuple[str, str]:
    """Write a new file in an open directory, down to the disk; return its name and SHA-256."""
    name, digest = f"{INTERNAL}tmp.{secrets.token_hex(8)}", sha256()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(name, flags, 0o600, dir_fd=descriptor), "wb") as file:
            for chunk in chunks:
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            if modified_ns is not None:
                os.utime(file.fileno(), ns=(modified_ns, modified_ns))
            os.fsync(file.fileno())
    except BaseException:
        # Also when the disk is full: the half-written file must not stay.
        os.unlink(name, dir_fd=descriptor)
        raise
    return name, digest.hexdigest()


def _enter(descriptor: int, name: str, *, create: bool) -> int:
    try:
        return os.open(name, _DIRECTORY, dir_fd=descriptor)
    except FileNotFoundError:
        if not create:
            raise
    except OSError as error:
        raise UnsafePathError(f"{name} is no plain directory.") from error
    try:
        os.mkdir(name, 0o700, dir_fd=descriptor)
        os.fsync(descriptor)
    except FileExistsError:
        # Somebody else has just made it; whether it is a directory is seen by opening it.
        pass
    return _enter(descriptor, name, create=False)


def _kind(mode: int) -> Literal["file", "directory", "other"]:
    if stat.S_ISREG(mode):
        return "file"
    return "directory" if stat.S_ISDIR(mode) else "other"

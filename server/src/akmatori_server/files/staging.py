"""Files that change together with a database transaction: the commit decides, a crash at any point is settled.

New content is written beside its place, and what shall go is moved beside it, before the commit; the files take
their places after it. A crash leaves marked files, and `settle` finishes what was committed and takes back
what was not, by the hashes that the database holds.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import BinaryIO

import attrs

from akmatori_server.files.directory import (
    CHUNK,
    INTERNAL,
    SafeDirectory,
    UnsafePathError,
    checked_name,
    write_temporary,
)
from akmatori_server.files.lock import LOCK


@attrs.define
class StagedFiles:
    """The files of one transaction. `apply` after the commit; `discard` when it will not happen."""

    _apply: list[Callable[[], object]] = attrs.field(factory=list[Callable[[], object]], init=False)
    _discard: list[Callable[[], object]] = attrs.field(factory=list[Callable[[], object]], init=False)

    def put(
        self,
        directory: SafeDirectory,
        name: str,
        content: bytes | BinaryIO,
        *,
        modified: datetime | None = None,
    ) -> str:
        """Write what shall become the file `name`; return its SHA-256, which the transaction must store.

        Raises:
            UnsafePathError: the name could lead elsewhere, or belongs to a directory.
        """
        if directory.kind(checked_name(name)) == "directory":
            # Taking its place would fail, when the transaction is committed already.
            raise UnsafePathError(f"{name} is a directory.")
        with directory.opened(create=True) as descriptor:
            temporary, digest = write_temporary(
                descriptor, _chunks(content), modified_ns=_nanoseconds(modified)
            )
            waiting = _put_name(name, digest)
            os.rename(temporary, waiting, src_dir_fd=descriptor, dst_dir_fd=descriptor)
            os.fsync(descriptor)
        self._apply.append(lambda: directory.rename(waiting, name))
        self._discard.append(lambda: directory.remove(waiting))
        return digest

    def remove(self, directory: SafeDirectory, name: str) -> bool:
        """Move a file or a whole directory aside, to be gone after the commit; return whether it was there."""
        aside = _gone_name(name)
        directory.remove(aside)
        if not directory.rename(name, aside):
            return False
        self._apply.append(lambda: directory.remove(aside))
        self._discard.append(lambda: directory.rename(aside, name))
        return True

    def apply(self) -> None:
        """Put the files in their places."""
        _run(self._apply)

    def discard(self) -> None:
        """Take everything back."""
        _run(reversed(self._discard))


def settle(directory: SafeDirectory, expected: Mapping[str, str | None]) -> bool:
    """Finish or take back what a crash has left in a directory; return whether there was anything.

    Call it while nobody else writes there.

    Args:
        directory: Where to look.
        expected: What the database says is there: names, and the SHA-256 of those that are files.
    """
    left = set(directory.internal_names()) - {LOCK}
    if not left:
        return False
    for name, digest in expected.items():
        if digest is not None and _put_name(name, digest) in left:
            directory.rename(_put_name(name, digest), name)
        elif _gone_name(name) in left and directory.kind(name) is None:
            directory.rename(_gone_name(name), name)
    for name in set(directory.internal_names()) - {LOCK}:
        directory.remove(name)
    return True


def _run(steps: Iterable[Callable[[], object]]) -> None:
    """Take every step, also after one has failed; the first failure is raised at the end."""
    failures: list[Exception] = []
    for step in steps:
        try:
            step()
        except OSError as error:
            failures.append(error)
    if failures:
        raise failures[0]


def _put_name(name: str, digest: str) -> str:
    return f"{INTERNAL}put.{_key(name)}.{digest}"


def _gone_name(name: str) -> str:
    return f"{INTERNAL}gone.{_key(name)}"


def _key(name: str) -> str:
    """Stands for a name that may itself be as long as a file system allows."""
    return sha256(name.encode()).hexdigest()[:32]


def _chunks(content: bytes | BinaryIO) -> Iterable[bytes]:
    if isinstance(content, bytes):
        return (content,)
    return iter(lambda: content.read(CHUNK), b"")


def _nanoseconds(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    # Whole numbers: as a float the microseconds of our century lose their last digits.
    return int(moment.timestamp()) * 1_000_000_000 + moment.microsecond * 1000

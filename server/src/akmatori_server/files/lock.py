"""One writer at a time in a directory, among the threads of a process and among processes."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager

import attrs

from akmatori_server.files.directory import INTERNAL, SafeDirectory

LOCK = f"{INTERNAL}lock"


@attrs.frozen
class DirectoryLock:
    """Held while the files of a directory change; the system frees it however the process ends.

    Take it before a database transaction begins, never inside one: two writers that take both in different
    orders would wait for each other. It cannot be taken twice by one thread.
    """

    directory: SafeDirectory

    @contextmanager
    def held(self) -> Generator[None]:
        """Wait for the lock, and hold it."""
        with self.directory.opened(create=True) as descriptor:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            lock = os.open(LOCK, flags, 0o600, dir_fd=descriptor)
        try:
            # Each opening of the file is its own holder, so threads exclude each other too.
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

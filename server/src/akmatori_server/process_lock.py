"""One server per data directory: SQLite's file belongs to one process."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType

LOCK_FILE = "server.lock"


class AlreadyRunningError(RuntimeError):
    """Another process holds the data directory."""


class ProcessLock:
    """Held while a process owns the data directory; the system frees it however the process ends."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / LOCK_FILE
        self._descriptor: int | None = None

    def __enter__(self) -> ProcessLock:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise AlreadyRunningError(
                f"Another server uses {self._path.parent}. With SQLite one process owns the data; for more"
                " set AKMATORI_DATABASE_URL to a PostgreSQL database."
            ) from None
        self._descriptor = descriptor
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

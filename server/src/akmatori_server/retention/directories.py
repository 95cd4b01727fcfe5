"""The directories of incidents on the disk: removing one safely, and finding those that belong to nobody."""

from __future__ import annotations

import enum
import os
import re
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import structlog

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

# A directory is made before its incident is committed; one that is younger may be about to get its row.
YOUNGEST_ORPHAN = timedelta(hours=1)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Removal(enum.StrEnum):
    """What became of a directory that was to be removed."""

    REMOVED = "removed"
    ABSENT = "absent"
    REFUSED = "refused"
    FAILED = "failed"


class IncidentDirectories:
    """The directories directly below one root; nothing else is ever touched."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def remove(self, directory: Path) -> Removal:
        """Remove a directory with all it holds, unless it is a link or lies elsewhere."""
        if directory.is_symlink() or directory.resolve().parent != self._root.resolve():
            _log.warning("incident_directory_refused", directory=str(directory))
            return Removal.REFUSED
        try:
            # Links below it are removed, never followed.
            shutil.rmtree(directory)
        except FileNotFoundError:
            return Removal.ABSENT
        except OSError as error:
            _log.warning("incident_directory_not_removed", directory=str(directory), reason=error.strerror)
            return Removal.FAILED
        return Removal.REMOVED

    def named_by_uuid(self, *, now: datetime) -> Iterator[str]:
        """Yield the names of directories that may be orphans: named as incidents are, and not young."""
        latest = (now - YOUNGEST_ORPHAN).timestamp()
        try:
            entries = os.scandir(self._root)
        except FileNotFoundError:
            # No incident was ever opened.
            return
        with entries:
            for entry in entries:
                if _UUID.fullmatch(entry.name) and _is_older(entry, latest):
                    yield entry.name

    def at(self, name: str) -> Path:
        """Return the directory with this name."""
        return self._root / name


def _is_older(entry: os.DirEntry[str], latest: float) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_mtime < latest
    except FileNotFoundError:
        return False

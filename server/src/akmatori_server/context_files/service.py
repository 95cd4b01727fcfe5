"""Managing context files: rows and bytes that appear and go together."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime

import sqlalchemy as sa
import structlog

from akmatori_sdk._generated.akmatori import codec
from akmatori_server.audit import Action, AuditTrail
from akmatori_server.context_files import store
from akmatori_server.context_files.models import ContextFile, NewContextFile, OpenedFile, Validation
from akmatori_server.context_files.names import LARGEST_FILE, require_media_type, require_name
from akmatori_server.context_files.ports import Prompts
from akmatori_server.context_files.references import references_in
from akmatori_server.context_files.views import file_model
from akmatori_server.database import Database
from akmatori_server.errors import Conflict, NotFound, TooLarge
from akmatori_server.files import LOCK, Change, SafeDirectory, UnsafePathError, changing, settle
from akmatori_server.http.call import Call
from akmatori_server.listing import Listing

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

LARGEST_TOTAL = 1024 * 1024 * 1024
# As many as a bare list may hold.
MOST_FILES = 10_000
LONGEST_REFERENCE = 255


class ContextFileService:
    """Stores, reads and deletes context files.

    The files are the truth about their bytes, the table about everything else. A change writes its file aside,
    commits, and then puts it in place; a crash in between is settled by what was committed.
    """

    def __init__(
        self,
        database: Database,
        directory: SafeDirectory,
        *,
        audit: AuditTrail,
        prompts: Prompts,
        now: Callable[[], datetime],
        quota_bytes: int = LARGEST_TOTAL,
    ) -> None:
        self._database = database
        self._directory = directory
        self._audit = audit
        self._prompts = prompts
        self._now = now
        self._quota = quota_bytes
        # By name.
        self.listing = Listing(self._database, store.count, store.listed)

    def get(self, file_id: int) -> ContextFile:
        """Return one file's row.

        Raises:
            NotFound: there is none with this id.
        """
        with self._database.read() as connection:
            return _found(store.get(connection, file_id))

    def referring_to(self, filename: str) -> list[str]:
        """Return the names of the skills whose prompts refer to a file."""
        return self._prompts.referring_to(filename)

    def upload(self, call: Call | None, new: NewContextFile) -> ContextFile:
        """Store a new file.

        Raises:
            BadRequest: the name, its ending or the media type is not allowed.
            TooLarge: the file is too large, or there is no room left for it.
            Conflict: a file of this name exists.
        """
        name, media_type = require_name(new.filename), require_media_type(new.mime_type)
        if new.size > LARGEST_FILE:
            raise TooLarge(f"file: may have {LARGEST_FILE} bytes at most.")
        with self._change() as change:
            taken = store.taken_as(change.connection, name)
            if taken is not None:
                raise Conflict(f"A context file with this name exists: {taken}.")
            self._require_room(change.connection, new.size)
            now = self._now()
            digest = change.staged.put(self._directory, name, new.content, modified=now)
            stored = store.insert(
                change.connection,
                {
                    "filename": name,
                    "original_name": new.original_name,
                    "mime_type": media_type,
                    "size": new.size,
                    "sha256": digest,
                    "description": new.description,
                    "created_at": now,
                    "updated_at": now,
                },
            )
            self._record(change, call, Action.CONTEXT_FILE_UPLOADED, None, stored)
        return stored

    def delete(self, call: Call | None, file_id: int) -> list[str]:
        """Delete a file; return the names of the skills whose prompts still refer to it.

        Raises:
            NotFound: there is none with this id.
        """
        with self._change() as change:
            stored = _found(store.get(change.connection, file_id))
            store.delete(change.connection, file_id)
            self._record(change, call, Action.CONTEXT_FILE_DELETED, stored, None)
            change.staged.remove(self._directory, stored.filename)
        return self._prompts.referring_to(stored.filename)

    def open(self, file_id: int) -> OpenedFile:
        """Open a file for reading; the caller closes it.

        Raises:
            NotFound: there is none with this id, or its bytes are gone from the disk.
        """
        stored = self.get(file_id)
        try:
            content = self._directory.open(stored.filename)
        except (FileNotFoundError, UnsafePathError):
            _log.error("context_file_missing", filename=stored.filename)
            raise NotFound(
                "The bytes of this file are gone from the server's disk; upload it again."
            ) from None
        status = os.fstat(content.fileno())
        return OpenedFile(
            file=stored,
            content=content,
            size=status.st_size,
            modified_at=datetime.fromtimestamp(status.st_mtime, UTC),
            modified_ns=status.st_mtime_ns,
        )

    def validate(self, text: str) -> Validation:
        """Find the files a text refers to, and which of them exist."""
        references = references_in(text)
        # A longer one is no file's name, and as a value for the database it is only a burden.
        possible = [name for name in references if len(name) <= LONGEST_REFERENCE and "\x00" not in name]
        with self._database.read() as connection:
            existing = store.existing(connection, possible)
        return Validation(
            references=references,
            found=[name for name in references if name in existing],
            missing=[name for name in references if name not in existing],
        )

    def recover(self) -> list[str]:
        """Settle what a crash has left, and note what was edited on disk; called at every start.

        Returns:
            The names of files whose bytes are gone.
        """
        with self._change() as change:
            stored = store.listed(change.connection)
            missing = [file.filename for file in stored if not self._refresh(change.connection, file)]
        if missing:
            _log.error("context_files_missing", filenames=missing)
        return missing

    @contextmanager
    def _change(self) -> Generator[Change]:
        with changing(self._database, self._directory, self._settle) as change:
            yield change

    def _settle(self, connection: sa.Connection) -> None:
        if any(name != LOCK for name in self._directory.internal_names()):
            settle(self._directory, {file.filename: file.sha256 for file in store.listed(connection)})

    def _require_room(self, connection: sa.Connection, size: int) -> None:
        number, used = store.totals(connection)
        if number >= MOST_FILES:
            raise TooLarge(f"There are {MOST_FILES} context files already.", code="quota_exceeded")
        if used + size > self._quota:
            raise TooLarge(
                f"All context files may have {self._quota} bytes together; {max(0, self._quota - used)} are left.",
                code="quota_exceeded",
            )

    def _refresh(self, connection: sa.Connection, stored: ContextFile) -> bool:
        """Note the size and hash of a file that was edited on disk; return whether it is there."""
        try:
            with self._directory.open(stored.filename) as content:
                status = os.fstat(content.fileno())
            as_written = status.st_mtime_ns // 1000 == _microseconds(stored.updated_at)
            if as_written and status.st_size == stored.size:
                return True
            digest = self._directory.hash(stored.filename)
        except (OSError, UnsafePathError):
            return False
        if digest != stored.sha256:
            changed = datetime.fromtimestamp(status.st_mtime, UTC)
            store.update(
                connection,
                stored.id,
                {"size": status.st_size, "sha256": digest, "updated_at": changed},
            )
        return True

    def _record(
        self,
        change: Change,
        call: Call | None,
        action: Action,
        before: ContextFile | None,
        after: ContextFile | None,
    ) -> None:
        named = after or before
        self._audit.record(
            change.connection,
            call,
            action,
            f"context_file:{named.id if named else ''}",
            None if before is None else codec.encode_context_file(file_model(before)),
            None if after is None else codec.encode_context_file(file_model(after)),
        )


def _found(file: ContextFile | None) -> ContextFile:
    if file is None:
        raise NotFound("No context file has this id.")
    return file


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond

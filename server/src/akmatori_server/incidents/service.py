"""Opening incidents and reading them back."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from akmatori_server.cursors import CursorPage, read_cursor_page
from akmatori_server.database import Database
from akmatori_server.errors import BadRequest, NotFound
from akmatori_server.incidents import store
from akmatori_server.incidents.cursor import decode_cursor, encode_cursor
from akmatori_server.incidents.groups import group_of
from akmatori_server.incidents.log import read_log
from akmatori_server.incidents.models import (
    CreatedBetween,
    Incident,
    NewIncident,
    OpenedIncident,
    Position,
    Status,
)
from akmatori_server.incidents.ports import Queue
from akmatori_server.incidents.storable import JSON, storable_object, storable_text
from akmatori_server.incidents.title import title_of
from akmatori_server.pagination import PageRequest

# The working directory holds what the investigation finds out; nobody else on the machine needs to read it.
DIRECTORY_MODE = 0o700
LONGEST_SOURCE_ID = 255
LONGEST_TITLE = 255
EVER = CreatedBetween()


class Opening:
    """One transaction in which incidents may be opened: the row, the queue and the directory, together."""

    def __init__(self, connection: sa.Connection, queue: Queue, root: Path, now: datetime) -> None:
        self.connection = connection
        self.now = now
        self._queue = queue
        self._root = root
        self._made: list[Path] = []

    def open(self, new: NewIncident) -> OpenedIncident:
        """Store the incident and queue its investigation; both take effect when the transaction commits."""
        [opened] = self.open_all([new])
        return opened

    def open_all(self, new: Sequence[NewIncident]) -> list[OpenedIncident]:
        """Do the same for several, in their order."""
        if not new:
            return []
        named = [(incident, str(uuid.uuid4())) for incident in new]
        directories = [self._make_directory(identifier) for _, identifier in named]
        rows = [
            {
                "uuid": identifier,
                "source": incident.source,
                "source_id": storable_text(incident.source_id, LONGEST_SOURCE_ID),
                "title": storable_text(incident.title, LONGEST_TITLE),
                "status": Status.PENDING.value,
                "context": storable_object(dict(incident.context)),
                "working_dir": str(directory),
                "kind": incident.kind.value,
                "alert_source_id": incident.alert_source_id,
                "open_key": incident.open_key,
                "started_at": self.now,
                "created_at": self.now,
                "updated_at": self.now,
            }
            for (incident, identifier), directory in zip(named, directories, strict=True)
        ]
        opened = [
            OpenedIncident(id=number, uuid=identifier, working_dir=directory)
            for number, (_, identifier), directory in zip(
                store.insert(self.connection, rows), named, directories, strict=True
            )
        ]
        for incident, (described, _) in zip(opened, named, strict=True):
            group = group_of(described.source, described.alert_source_id)
            self._queue.enqueue(self.connection, incident.id, group=group)
        return opened

    def discard_directories(self) -> None:
        """Remove the directories of incidents that were rolled back; they are empty."""
        for directory in self._made:
            with contextlib.suppress(OSError):
                directory.rmdir()

    def _make_directory(self, identifier: str) -> Path:
        if not self._made:
            self._root.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        directory = self._root / identifier
        directory.mkdir(mode=DIRECTORY_MODE)
        self._made.append(directory)
        return directory


class IncidentService:
    """Opens incidents and reads them."""

    def __init__(
        self,
        database: Database,
        *,
        queue: Queue,
        data_directory: Path,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._queue = queue
        self._root = data_directory / "incidents"
        self._now = now

    @contextmanager
    def opening(self) -> Generator[Opening]:
        """Yield one write transaction in which incidents may be opened."""
        opening: Opening | None = None
        try:
            with self._database.write() as connection:
                opening = Opening(connection, self._queue, self._root, self._now())
                yield opening
        except BaseException:
            if opening is not None:
                opening.discard_directories()
            raise

    def get(self, identifier: str) -> tuple[Incident, str]:
        """Return the incident with its whole log.

        Raises:
            NotFound: there is none with this uuid.
        """
        with self._database.read() as connection:
            incident = store.get(connection, identifier)
            if incident is None:
                raise NotFound("No incident has this uuid.")
            return incident, read_log(connection, incident.id)

    def page(
        self,
        request: PageRequest,
        *,
        cursor: str | None = None,
        bounds: CreatedBetween = EVER,
        with_log: bool = False,
    ) -> CursorPage[tuple[Incident, str]]:
        """Return one page of the list, newest first: by its number, or what follows `cursor`.

        With each incident its log, "" unless it is asked for.

        Raises:
            BadRequest: the cursor is not one of ours.
        """
        position = None if cursor is None else decode_cursor(cursor)
        with self._database.read() as connection:
            page = read_cursor_page(
                request,
                store.count(connection, bounds),
                numbered=lambda offset, limit: store.page(connection, bounds, offset=offset, limit=limit),
                following=None
                if position is None
                else lambda limit: store.page_after(connection, bounds, position=position, limit=limit),
                cursor_of=lambda incident: encode_cursor(Position(incident.created_at, incident.id)),
            )
            logs = store.logs(connection, [item.id for item in page.items]) if with_log else {}
        items = [(item, logs.get(item.id, "")) for item in page.items]
        return CursorPage(items=items, total=page.total, next_cursor=page.next_cursor)


def requested_by_task(task: str, context: Mapping[str, object] | None) -> NewIncident:
    """Describe the incident that a caller of the API asks for.

    The caller's members win over ours, as the contract has it. Nothing in the server trusts them: who opened
    the incident is in `source`.

    Raises:
        BadRequest: there is no task.
    """
    if not task:
        raise BadRequest("task: must not be empty.")
    own: dict[str, JSON] = {"task": storable_text(task), "created_by": "api"}
    return NewIncident(
        source="api",
        source_id=f"api-{time.time_ns()}",
        title=title_of(task, source="api"),
        context=own | storable_object(dict(context or {})),
    )

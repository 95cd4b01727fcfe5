"""Writing about an incident while working on it, so that nothing is written twice and nobody writes late.

Taking an incident raises its fence number. Every later write is one transaction that begins by checking the
number: a worker that was thought dead and wakes up again finds another number there, and stops.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa

from akmatori_server.database import Database
from akmatori_server.events import EventKind, EventLog, NewEvent, incident_data
from akmatori_server.incidents import store
from akmatori_server.incidents.log import FINAL_KEY, LineKind, LogLine, key_of_run
from akmatori_server.incidents.models import Status
from akmatori_server.incidents.storable import storable_text
from akmatori_server.incidents.tables import incidents


class Fenced(BaseException):
    """Another worker took the incident, or it is closed or gone. No `Exception`: no tool may swallow it."""


class Stopped(BaseException):
    """This process is stopping, or the incident was cancelled. Not an `Exception`, for the same reason."""


# What events tell about an incident, read with each write.
_SHOWN = (
    incidents.c.uuid,
    incidents.c.title,
    incidents.c.status,
    incidents.c.alert_count,
    incidents.c.firing_count,
)


class Journal:
    """The one way to write about an incident during its investigation. Use `take` to get one."""

    def __init__(
        self,
        database: Database,
        incident_id: int,
        *,
        run: int,
        fence: int,
        takes: int,
        spent_ms: int,
        now: Callable[[], datetime],
        stop: threading.Event,
        events: EventLog,
    ) -> None:
        self.incident_id = incident_id
        self.run = run
        self.fence = fence
        # How often this run was taken, this time included.
        self.takes = takes
        self._database = database
        self._spent_ms = spent_ms
        self._began = time.monotonic()
        self._now = now
        self._stop = stop
        self._events = events

    @classmethod
    def take(
        cls,
        database: Database,
        incident_id: int,
        run: int = 1,
        *,
        now: Callable[[], datetime],
        stop: threading.Event | None = None,
        events: EventLog | None = None,
    ) -> Journal | None:
        """Take a run of an incident; None when it is over or gone. Whoever had it before can write no more."""
        moment, log = now(), events or EventLog()
        query = (
            sa.update(incidents)
            .where(
                incidents.c.id == incident_id,
                incidents.c.run == run,
                incidents.c.status.in_([Status.PENDING.value, Status.RUNNING.value]),
            )
            .values(
                fence=incidents.c.fence + 1,
                status=Status.RUNNING.value,
                session_id=incidents.c.uuid,
                updated_at=moment,
            )
            .returning(incidents.c.fence, incidents.c.run_fence, incidents.c.execution_time_ms, *_SHOWN)
        )
        with database.write() as connection:
            row = connection.execute(query).one_or_none()
            if row is not None:
                began = _event(EventKind.INCIDENT_UPDATED, row, moment)
                log.record(connection, [attrs.evolve(began, begins_run=True)])
        if row is None:
            return None
        log.wake()
        return cls(
            database,
            incident_id,
            run=run,
            fence=row.fence,
            takes=row.fence - row.run_fence,
            spent_ms=row.execution_time_ms,
            now=now,
            stop=stop or threading.Event(),
            events=log,
        )

    @property
    def elapsed_ms(self) -> int:
        """How long the incident was worked on, earlier runs and what a crash ended included."""
        return self._spent_ms + int((time.monotonic() - self._began) * 1000)

    @property
    def is_stopped(self) -> bool:
        """Whether the work was cancelled, or this process is stopping."""
        return self._stop.is_set()

    def key(self, key: str) -> str:
        """Return a key of this run's steps: another run has the same steps, and rows of its own."""
        return key_of_run(self.run, key)

    def check(self) -> None:
        """Give up here if the work was cancelled.

        Raises:
            Stopped: it was.
        """
        if self.is_stopped:
            raise Stopped

    def header(self, text: str) -> None:
        """Write how the log begins."""
        self.write(LogLine("header", LineKind.HEADER, text))

    def note(self, key: str, text: str) -> None:
        """Write what is being done."""
        self.write(LogLine(key, LineKind.NOTE, text))

    def finding(self, key: str, text: str) -> None:
        """Write what was found out."""
        self.write(LogLine(key, LineKind.FINDING, text))

    def write(self, *lines: LogLine) -> None:
        """Add lines to the log in one transaction; a line whose key is there already is left as it is.

        Raises:
            Fenced: the incident is not ours any more.
            Stopped: the work was cancelled.
        """
        self.commit(*lines)

    def commit(
        self,
        *lines: LogLine,
        also: Callable[[sa.Connection], None] | None = None,
        tokens_used: int = 0,
    ) -> None:
        """Add lines, and do something else, in one transaction that only whoever has the incident can commit.

        Args:
            lines: what the log gets; a line whose key is there already is left as it is.
            also: writes more as part of the transaction.
            tokens_used: how many tokens more the incident has cost.

        Raises:
            Fenced: the incident is not ours any more.
            Stopped: the work was cancelled.
        """
        self.check()
        columns = {"tokens_used": incidents.c.tokens_used + tokens_used} if tokens_used else {}
        self._transaction(lines, columns, also)

    def close(self, status: Status, response: str, *, tokens_used: int = 0) -> None:
        """Close the incident: status, answer and the log's last part, in one transaction.

        Raises:
            Fenced: the incident is not ours any more.
            Stopped: the work was cancelled.
        """
        self.check()
        answer = storable_text(response)
        self._transaction(
            [LogLine(FINAL_KEY, LineKind.FINAL, answer)],
            {
                "status": status.value,
                "response": answer,
                "tokens_used": incidents.c.tokens_used + tokens_used,
                "completed_at": self._now(),
            },
        )

    def _transaction(
        self,
        lines: Sequence[LogLine],
        columns: dict[str, Any],
        also: Callable[[sa.Connection], None] | None = None,
    ) -> None:
        moment = self._now()
        guard = (
            sa.update(incidents)
            .where(
                incidents.c.id == self.incident_id,
                incidents.c.fence == self.fence,
                incidents.c.status == Status.RUNNING.value,
            )
            .values(execution_time_ms=self.elapsed_ms, updated_at=moment, **columns)
            .returning(*_SHOWN)
        )
        keyed = [(self.incident_id, LogLine(self.key(line.key), line.kind, line.text)) for line in lines]
        with self._database.write() as connection:
            row = connection.execute(guard).one_or_none()
            if row is None:
                raise Fenced
            store.add_log_lines(connection, keyed, moment)
            if also is not None:
                also(connection)
            kind = EventKind.INCIDENT_COMPLETED if "status" in columns else EventKind.INCIDENT_UPDATED
            self._events.record(connection, [_event(kind, row, moment)])
        self._events.wake()


def _event(kind: EventKind, row: Any, moment: datetime) -> NewEvent:
    data = incident_data(
        status=row.status, title=row.title, alert_count=row.alert_count, firing_count=row.firing_count
    )
    return NewEvent(kind=kind, incident_uuid=row.uuid, data=data, at=moment)

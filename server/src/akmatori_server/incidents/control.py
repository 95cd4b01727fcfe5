"""Calling investigations off, and asking for them once more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from akmatori_server.database import Database
from akmatori_server.errors import Conflict, NotFound
from akmatori_server.events import EventKind, EventLog, NewEvent, incident_data
from akmatori_server.incidents import store
from akmatori_server.incidents.groups import group_of
from akmatori_server.incidents.log import (
    FINAL_KEY,
    LineKind,
    LogLine,
    beginning_of_run,
    key_of_run,
    read_log,
)
from akmatori_server.incidents.models import FINISHED, OPEN, Incident, Status
from akmatori_server.incidents.ports import RevocableQueue

CANCELLED = "The investigation was cancelled before it came to a result."

Record = Callable[[sa.Connection, Incident, Incident], None]
"""Writes down who did it, in the transaction that does it: (connection, before, after)."""

_log = structlog.get_logger(__name__)


class InvestigationControl:
    """Ends investigations, and begins them anew."""

    def __init__(
        self, database: Database, *, queue: RevocableQueue, events: EventLog, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._queue = queue
        self._events = events
        self._now = now

    def cancel(self, identifier: str, record: Record) -> tuple[Incident, str]:
        """Close an incident as failed, whether its investigation waits or runs; return it with its log.

        The close is what counts: the fence number is another then, and whoever is at work can write nothing
        more. That the engine is told to end the work as well only spares the time.

        Raises:
            NotFound: there is none with this uuid.
            Conflict: its investigation is over.
        """
        now = self._now()
        with self._database.write() as connection:
            before = _to_change(connection, identifier)
            if before.status not in OPEN:
                raise Conflict(f"The investigation is over already: the incident is {before.status}.")
            after = store.close(connection, before.id, Status.FAILED, CANCELLED, now)
            final = LogLine(key_of_run(before.run, FINAL_KEY), LineKind.FINAL, CANCELLED)
            store.add_log_lines(connection, [(before.id, final)], now)
            full_log = read_log(connection, before.id)
            record(connection, before, after)
            self._events.record(connection, [_event(EventKind.INCIDENT_COMPLETED, after, now)])
        self._events.wake()
        try:
            self._queue.cancel(before.id, before.run)
        except SQLAlchemyError:
            _log.warning("engine_cancel_failed", incident_id=before.id, run=before.run, exc_info=True)
        return after, full_log

    def retry(self, identifier: str, record: Record) -> tuple[Incident, str]:
        """Queue an incident whose investigation is over once more; return it with its log.

        Raises:
            NotFound: there is none with this uuid.
            Conflict: its investigation is not over.
        """
        now = self._now()
        with self._database.write() as connection:
            before = _to_change(connection, identifier)
            if before.status not in FINISHED:
                raise Conflict(
                    f"Only an incident whose investigation is over can be investigated again; this one is"
                    f" {before.status}."
                )
            after = store.begin_run(connection, before.id, now)
            store.add_log_lines(connection, [(before.id, beginning_of_run(after.run))], now)
            full_log = read_log(connection, before.id)
            group = group_of(before.source, store.alert_source_of(connection, before.id))
            self._queue.enqueue(connection, before.id, after.run, group=group)
            record(connection, before, after)
            self._events.record(connection, [_event(EventKind.INCIDENT_UPDATED, after, now)])
        self._events.wake()
        return after, full_log


def _to_change(connection: sa.Connection, identifier: str) -> Incident:
    incident = store.get(connection, identifier, to_change=True)
    if incident is None:
        raise NotFound("No incident has this uuid.")
    return incident


def _event(kind: EventKind, incident: Incident, now: datetime) -> NewEvent:
    data = incident_data(
        status=incident.status,
        title=incident.title,
        alert_count=incident.alert_count,
        firing_count=incident.firing_count,
    )
    return NewEvent(kind=kind, incident_uuid=incident.uuid, data=data, at=now)

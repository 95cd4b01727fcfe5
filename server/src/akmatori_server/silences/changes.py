"""A transaction that changes silences and tells so."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime

import attrs
import sqlalchemy as sa

from akmatori_server.database import Database
from akmatori_server.events import EventKind, EventLog, NewEvent
from akmatori_server.silences.models import Silence


@attrs.frozen
class Change:
    """One write transaction, and the events that are to be recorded at its end."""

    connection: sa.Connection
    events: list[NewEvent] = attrs.field(factory=list[NewEvent])

    def tell(self, kind: EventKind, silence: Silence, *, now: datetime) -> None:
        """Have those who watch be told about the silence."""
        data = {
            "silence_uuid": silence.uuid,
            "state": silence.state_at(now).value,
            "starts_at": _rfc3339(silence.starts_at),
            "ends_at": _rfc3339(silence.ends_at),
            "created_by": silence.created_by,
        }
        self.events.append(NewEvent(kind=kind, data=data, at=now))


@contextmanager
def change(database: Database, log: EventLog) -> Generator[Change]:
    """Yield a write transaction; its events are recorded last, as the log wants it, and told after the commit."""
    with database.write() as connection:
        begun = Change(connection)
        yield begun
        log.record(connection, begun.events)
    if begun.events:
        log.wake()


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")

"""Finding investigations that nobody works on, nor will, and queueing them again.

It should find none: an incident and its entry in the queue are stored together. But a person may have tidied up
the queue, or a database come back from a backup, and an incident must not say `running` for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import attrs
import sqlalchemy as sa
import structlog

from akmatori_server.database import Database
from akmatori_server.engine.port import Entry, Schedule
from akmatori_server.incidents.groups import group_of
from akmatori_server.incidents.models import OPEN
from akmatori_server.incidents.tables import incidents

NAME = "lost-investigations"
EVERY_MINUTE = "* * * * *"
# Somebody may just be on the way: with its last write behind it, or with its first ahead.
GRACE = timedelta(minutes=2)
AT_ONCE = 500

_log = structlog.stdlib.get_logger("akmatori_server.investigation")


class Queue(Protocol):
    """The part of the engine that knows what it lost."""

    def lost(self, entries: Sequence[Entry]) -> list[Entry]:
        """Return those of these runs that nobody works on, nor will."""
        ...

    def enqueue_again(self, incident_id: int, run: int, *, group: str = "") -> None:
        """Queue a run that was lost."""
        ...


@attrs.frozen
class _Open:
    """A run that is not over."""

    incident_id: int
    run: int
    group: str


class LostInvestigations:
    """Looks every minute.

    Whoever takes a lost one raises its fence: should somebody be at work on it after all, that one can write no
    more, and nothing is done twice.
    """

    def __init__(self, database: Database, queue: Queue, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._queue = queue
        self._now = now

    def declare(self, engine: Schedule) -> None:
        """Have the engine look every minute."""
        engine.schedule(NAME, EVERY_MINUTE, self.run)

    def run(self) -> None:
        """Queue every lost investigation again."""
        for some in self._open():
            lost = set(self._queue.lost([(one.incident_id, one.run) for one in some]))
            for one in some:
                if (one.incident_id, one.run) in lost:
                    _log.warning("investigation_lost", incident_id=one.incident_id, run=one.run)
                    self._queue.enqueue_again(one.incident_id, one.run, group=one.group)

    def _open(self) -> Iterator[list[_Open]]:
        """Return the runs that are open and quiet for a while, some at a time."""
        after, before = 0, self._now() - GRACE
        while True:
            query = (
                sa.select(incidents.c.id, incidents.c.run, incidents.c.source, incidents.c.alert_source_id)
                .where(
                    incidents.c.status.in_([status.value for status in OPEN]),
                    incidents.c.updated_at <= before,
                    incidents.c.id > after,
                )
                .order_by(incidents.c.id)
                .limit(AT_ONCE)
            )
            with self._database.read() as connection:
                rows = list(connection.execute(query))
            if not rows:
                return
            yield [_Open(row.id, row.run, group_of(row.source, row.alert_source_id)) for row in rows]
            after = rows[-1].id

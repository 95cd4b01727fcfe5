"""The end of a silence: what still fires becomes an incident after all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from akmatori_server.database import Database
from akmatori_server.engine.port import Schedule
from akmatori_server.events import EventKind, EventLog
from akmatori_server.silences import store
from akmatori_server.silences.changes import change

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

NAME = "silence-release"
EVERY_MINUTE = "* * * * *"
# A delivery that was judged by a silence may be committed a little after the silence ended.
LATE = timedelta(minutes=5)

Release = Callable[[int], int]
"""Decides anew about the firing alerts that the silence with this id holds, and returns how many it let go.

It asks the silences that are active then, this one included: an alert that one of them is about stays held.
Doing it again changes nothing.
"""


class ReleaseJob:
    """Gives back what silences that ended, or are about other alerts now, still hold."""

    def __init__(
        self, database: Database, release: Release, now: Callable[[], datetime], *, events: EventLog
    ) -> None:
        self._database = database
        self._release = release
        self._now = now
        self._events = events

    def declare(self, engine: Schedule) -> None:
        """Have the engine look every minute."""
        engine.schedule(NAME, EVERY_MINUTE, self.run)

    def run(self) -> None:
        """Look at every silence with alerts to be let go; one that fails is tried again at the next run."""
        now = self._now()
        with self._database.read() as connection:
            due = store.due(connection, now, late=LATE)
        for one in due:
            try:
                self._settle(one, now)
            except Exception:  # noqa: BLE001  whatever it is, the others must not wait for it
                _log.exception("silence_release_failed", silence=one.silence.uuid)

    def _settle(self, due: store.Due, now: datetime) -> None:
        silence = due.silence
        released = self._release(silence.id)
        with change(self._database, self._events) as write:
            store.forget_change(write.connection, silence.id, before=now - LATE)
            is_first = due.is_first_time and store.set_released(write.connection, silence.id, now=now)
            if is_first and not silence.was_ended_early:
                write.tell(EventKind.SILENCE_ENDED, silence, now=now)
        if released:
            _log.info("silence_released", silence=silence.uuid, alerts=released)

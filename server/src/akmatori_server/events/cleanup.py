"""Forgetting old events, so that the table stays as large as a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from akmatori_server.database import Database
from akmatori_server.events import store

NAME = "events-cleanup"
EVERY_QUARTER = "*/15 * * * *"
# As long as a reader may be away without missing anything.
KEPT = timedelta(hours=24)
BATCH = 1000

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class Schedule(Protocol):
    """What runs jobs at their times."""

    def schedule(self, name: str, cron: str, fn: Callable[[], None]) -> None:
        """Run `fn` at the times of `cron`."""
        ...


class EventCleanup:
    """Deletes events that nobody can resume from any more."""

    def __init__(self, database: Database, *, now: Callable[[], datetime], batch: int = BATCH) -> None:
        self._database = database
        self._now = now
        self._batch = batch

    def declare(self, engine: Schedule) -> None:
        """Have the engine clean up every quarter of an hour."""
        engine.schedule(NAME, EVERY_QUARTER, self.run)

    def run(self) -> None:
        """Clean up now, in short transactions: others write meanwhile."""
        limit, deleted = self._now() - KEPT, 0
        while True:
            with self._database.write() as connection:
                count = store.delete_before(connection, limit, limit=self._batch)
            deleted += count
            if count < self._batch:
                break
        if deleted:
            _log.info("events_forgotten", events=deleted)

"""What the clock does for notifications: forgetting old ones, and finding forgotten ones."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from akmatori_server.database import Database
from akmatori_server.notifications import store

_log = structlog.stdlib.get_logger("akmatori_server.notifications")

NAME = "notifications"
EVERY_HOUR = "47 * * * *"
KEPT = timedelta(days=30)
BATCH = 500


class Schedule(Protocol):
    """What runs jobs at their times."""

    def schedule(self, name: str, cron: str, fn: Callable[[], None]) -> None:
        """Run `fn` at the times of `cron`."""
        ...


class NotificationCleanup:
    """Deletes the notifications of more than a month ago, with their attempts."""

    def __init__(self, database: Database, *, now: Callable[[], datetime], batch: int = BATCH) -> None:
        self._database = database
        self._now = now
        self._batch = batch

    def declare(self, engine: Schedule) -> None:
        """Have the engine do it every hour."""
        engine.schedule(NAME, EVERY_HOUR, self.run)

    def run(self) -> None:
        """Delete in batches, each its own transaction: no writer waits for long."""
        cutoff, total = self._now() - KEPT, 0
        while True:
            with self._database.write() as connection:
                deleted = store.delete_before(connection, cutoff, limit=self._batch)
            total += deleted
            if deleted < self._batch:
                break
        if total:
            _log.info("notifications_forgotten", notifications=total)

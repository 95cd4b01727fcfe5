"""Forgetting deliveries that are too old to be of use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from akmatori_server.database import Database
from akmatori_server.deliveries import store

_log = structlog.stdlib.get_logger("akmatori_server.deliveries")

NAME = "deliveries"
EVERY_HOUR = "41 * * * *"
KEPT = timedelta(days=14)
BATCH = 200


class Schedule(Protocol):
    """What runs jobs at their times."""

    def schedule(self, name: str, cron: str, fn: Callable[[], None]) -> None:
        """Run `fn` at the times of `cron`."""
        ...


class DeliveryCleanup:
    """Deletes the deliveries of more than two weeks ago."""

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
            _log.info("deliveries_forgotten", deliveries=total)

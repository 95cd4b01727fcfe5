"""Forgetting rows that are too old to be of use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

import attrs
import sqlalchemy as sa
import structlog

from akmatori_server.database import Database
from akmatori_server.engine.port import Schedule


class DeleteBefore(Protocol):
    """Deletes up to `limit` rows from before a moment."""

    def __call__(self, connection: sa.Connection, moment: datetime, /, *, limit: int) -> int:
        """Return how many were deleted."""
        ...


@attrs.frozen(kw_only=True)
class Expiry:
    """Which rows are deleted, how long after they were made, and at what times of the clock."""

    # Of the scheduled job.
    name: str
    # What the rows are called in the log.
    rows: str
    kept: timedelta
    cron: str
    batch: int
    delete_before: DeleteBefore


@attrs.frozen
class Cleanup:
    """The job that deletes rows that have expired."""

    expiry: Expiry
    database: Database
    now: Callable[[], datetime]

    def declare(self, engine: Schedule) -> None:
        """Have the engine do it at its times."""
        engine.schedule(self.expiry.name, self.expiry.cron, self.run)

    def run(self) -> None:
        """Delete in batches, each its own transaction: no writer waits for long."""
        rows, batch = self.expiry.rows, self.expiry.batch
        moment, total, deleted = self.now() - self.expiry.kept, 0, batch
        while deleted == batch:
            with self.database.write() as connection:
                deleted = self.expiry.delete_before(connection, moment, limit=batch)
            total += deleted
        if total:
            event, log = f"{rows}_forgotten", structlog.stdlib.get_logger(f"akmatori_server.{rows}")
            log.info(event, **{rows: total})

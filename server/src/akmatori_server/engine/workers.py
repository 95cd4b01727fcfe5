"""The heartbeats of workers: writing one's own, and reading who is still alive."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import Database
from akmatori_server.engine.tables import engine_workers

FORGET_AFTER_SECONDS = 24 * 60 * 60


class Workers:
    """The table of heartbeats."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def beat(self, worker_id: str) -> None:
        """Record that a worker is alive now."""
        now = _now_ms(self._database)
        with self._database.write() as connection:
            updated = connection.execute(
                sa.update(engine_workers).where(engine_workers.c.id == worker_id).values(seen_ms=now)
            )
            if updated.rowcount == 0:
                connection.execute(sa.insert(engine_workers).values(id=worker_id, seen_ms=now))
            # Rows of workers long gone; whoever was slow to this point just writes a new one.
            old = now - sa.literal(FORGET_AFTER_SECONDS * 1000)
            connection.execute(sa.delete(engine_workers).where(engine_workers.c.seen_ms < old))

    def leave(self, worker_id: str) -> None:
        """Forget a worker that stops in good order: others need not wait before they adopt its work."""
        with self._database.write() as connection:
            connection.execute(sa.delete(engine_workers).where(engine_workers.c.id == worker_id))

    def alive(self, ttl: float) -> frozenset[str]:
        """Return the workers seen within the last `ttl` seconds."""
        since = _now_ms(self._database) - sa.literal(int(ttl * 1000))
        with self._database.read() as connection:
            rows = connection.execute(sa.select(engine_workers.c.id).where(engine_workers.c.seen_ms >= since))
            return frozenset(rows.scalars())


def _now_ms(database: Database) -> sa.ColumnElement[int]:
    if database.is_sqlite:
        # julianday counts days since noon of 4714 BC; 2440587.5 of them passed before 1970.
        return sa.literal_column(
            "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)", sa.BigInteger()
        )
    return sa.literal_column("CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)", sa.BigInteger())

"""Doing something in one process at a time, of all that use the database."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager

import sqlalchemy as sa

from akmatori_server.database.connection import Database

LOOK_EVERY_SECONDS = 0.05


@contextmanager
def in_turn(database: Database, number: int) -> Generator[None]:
    """Wait until no other process is inside with this number, and be inside for the length of the block.

    A process that dies inside lets the next one in. With SQLite there is no other process.
    """
    if database.is_sqlite:
        yield
        return
    # What is done inside has connections of its own; this one only holds the lock, and has no transaction. Whoever
    # waits must have none either, so it looks again and again: a statement that waits has a snapshot, and what
    # happens inside may be an index built concurrently, which waits for every snapshot to end.
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.execute(sa.select(sa.func.pg_try_advisory_lock(number))).scalar_one():
            time.sleep(LOOK_EVERY_SECONDS)
        try:
            yield
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(number)))

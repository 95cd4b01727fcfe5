"""Opening the database, and the two ways to use it: reading, and one transaction that writes."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url

BUSY_TIMEOUT_SECONDS = 30
CONNECT_TIMEOUT_SECONDS = 10
# A process that stands still in the middle of a transaction (its machine paused, or cut off) keeps its locks, and
# whoever took over its work would wait for them. After so long PostgreSQL ends the transaction.
IDLE_IN_TRANSACTION_SECONDS = 60
# As many as the thread pool that handlers run in: nobody waits for a connection.
SQLITE_CONNECTIONS = 40


class Database:
    """The engine and its rules.

    On SQLite one process owns the file: writers queue on a lock in the process (measured: p99 30 ms in place
    of 500 ms with SQLite's own busy handler) and each write begins IMMEDIATE, so that what it reads is what
    it changes. On PostgreSQL both ways are plain pooled connections.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._reader = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._write_lock = threading.RLock() if self.is_sqlite else None

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    @classmethod
    def open(cls, url: str | URL) -> Database:
        """Open the database at `url`: `sqlite:////path/file.db`, or `postgresql://…`.

        Raises:
            ValueError: the URL names another kind of database.
        """
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return cls(_open_sqlite(parsed))
        if parsed.get_backend_name() in {"postgresql", "postgres"}:
            engine = sa.create_engine(
                parsed.set(drivername="postgresql+psycopg"),
                pool_pre_ping=True,
                pool_size=10,
                max_overflow=20,
                connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS},
                # A failing statement is logged; what it was given may be a secret.
                hide_parameters=True,
            )
            event.listen(engine, "connect", _end_what_stands_still)
            return cls(engine)
        raise ValueError("The database URL must begin with sqlite:// or postgresql://.")

    @contextmanager
    def read(self) -> Generator[sa.Connection]:
        """Yield a connection for reading; each statement sees the newest committed state."""
        with self._reader.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Generator[sa.Connection]:
        """Yield a connection inside one transaction: committed at the end, rolled back on any exception."""
        if self._write_lock is None:
            with self.engine.begin() as connection:
                yield connection
            return
        with self._write_lock, self.engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def _end_what_stands_still(connection: Any, _record: object) -> None:
    # A statement of its own: poolers in front of PostgreSQL refuse options of the connection.
    connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION_SECONDS}s'")
    connection.commit()


def _open_sqlite(url: URL) -> sa.Engine:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        url.set(drivername="sqlite"),
        connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
        pool_size=SQLITE_CONNECTIONS,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:  # pyright: ignore[reportUnusedFunction]  # registered
        # The driver must not begin transactions by itself: "begin" below does, with the right lock.
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:  # pyright: ignore[reportUnusedFunction]  # registered
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    # The first connection turns a new file to WAL, which fails while any other is open; so it is made alone.
    engine.connect().close()
    return engine

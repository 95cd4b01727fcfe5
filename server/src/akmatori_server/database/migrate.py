"""Bringing the database's tables to the version this server needs, when it starts."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from akmatori_server.database.connection import Database

MIGRATIONS = Path(__file__).parent / "migrations"
# Any constant will do, as long as every server of an installation uses the same: servers that start together
# queue here, and all but the first find nothing left to do.
LOCK_NUMBER = 0x616B6D61


class NewerDatabaseError(RuntimeError):
    """The database was made by a newer server than this one."""


def migrate(database: Database, revision: str = "head") -> None:
    """Upgrade the tables to `revision`, in one transaction: all of it, or nothing.

    Raises:
        NewerDatabaseError: the tables are of a version this server does not know.
    """
    with database.write() as connection:
        _lock(connection)
        _refuse_unknown(connection)
        command.upgrade(migration_config(connection), revision)


def downgrade(database: Database, revision: str) -> None:
    """Take the tables back to `revision` (`base`: nothing left), in one transaction."""
    with database.write() as connection:
        _lock(connection)
        command.downgrade(migration_config(connection), revision)


def is_current(database: Database) -> bool:
    """Whether the tables are of the version this server needs."""
    with database.read() as connection:
        return _revision(connection) == head_revision()


def head_revision() -> str:
    """The version this server needs."""
    head = _scripts().get_current_head()
    if head is None:
        raise LookupError("The server was packaged without its migrations.")
    return head


def migration_config(connection: sa.Connection | None) -> Config:
    """Alembic's configuration, without a file; migrations run on the connection and in its transaction."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _refuse_unknown(connection: sa.Connection) -> None:
    current = _revision(connection)
    known = {script.revision for script in _scripts().walk_revisions()}
    if current is not None and current not in known:
        raise NewerDatabaseError(
            f"The database has version {current}, which this server does not know: a newer one used it."
            " Install that version, or restore a backup."
        )


def _revision(connection: sa.Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _lock(connection: sa.Connection) -> None:
    # SQLite needs none: one process owns the file, and the transaction holds its write lock.
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK_NUMBER)))


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(migration_config(None))

"""Write a new migration from the difference between the migrations and the tables: for developers.

`python -m akmatori_server.database.revise "what changes"`; read the result before it is committed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from akmatori_server.database.connection import Database
from akmatori_server.database.migrate import migrate, migration_config


def revise(message: str) -> None:
    """Make the next migration, numbered after the newest one."""
    with tempfile.TemporaryDirectory() as directory:
        database = Database.open(f"sqlite:///{Path(directory) / 'scratch.db'}")
        if ScriptDirectory.from_config(migration_config(None)).get_current_head() is not None:
            migrate(database)
        with database.write() as connection:
            config = migration_config(connection)
            newest = ScriptDirectory.from_config(config).get_current_head() or "0000"
            command.revision(config, message, autogenerate=True, rev_id=f"{int(newest) + 1:04d}")
        database.close()


if __name__ == "__main__":
    revise(" ".join(sys.argv[1:]) or "change")

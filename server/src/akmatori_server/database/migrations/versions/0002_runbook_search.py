"""The full-text index of runbooks.

The index can be made again from the runbooks at any time, so its definition stands in one place only: a later
change of it is a migration that drops the old index and runs the definition again.
"""

from __future__ import annotations

from alembic import op

from akmatori_server.runbooks.index import POSTGRESQL_DDL, POSTGRESQL_DROP, SQLITE_DDL, SQLITE_DROP

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in SQLITE_DDL if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_DDL:
        # FTS5 reads its options by itself, and refuses a line break in them.
        op.get_bind().exec_driver_sql(" ".join(statement.split()))


def downgrade() -> None:
    for statement in SQLITE_DROP if op.get_bind().dialect.name == "sqlite" else POSTGRESQL_DROP:
        op.get_bind().exec_driver_sql(statement)

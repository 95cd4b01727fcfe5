"""What Alembic runs around each migration; the connection and its transaction come from the caller."""

from __future__ import annotations

from alembic import context

from akmatori_server.database.all_tables import metadata
from akmatori_server.database.migrations.comparison import is_compared, rendered

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_object=is_compared,
    render_item=rendered,
    # SQLite can undo changes of tables too, which Alembic assumes it cannot; and it changes columns by
    # copying.
    transactional_ddl=True,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()

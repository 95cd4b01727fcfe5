"""Table of runbooks. The full-text index beside it is in `index`: each database has its own kind."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import Timestamp, metadata

runbooks = sa.Table(
    "runbooks",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("title", sa.String(255), nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sa.Index("ix_runbooks_title_id", "title", "id"),
    sqlite_autoincrement=True,
)

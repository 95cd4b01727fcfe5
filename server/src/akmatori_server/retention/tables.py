"""Table of the cleanups, which says when the next is due, and the index that finds what is to be deleted."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import Timestamp, metadata
from akmatori_server.incidents.tables import incidents

retention_runs = sa.Table(
    "retention_runs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("started_at", Timestamp, nullable=False),
    # NULL while it runs, and for ever when the server died meanwhile.
    sa.Column("finished_at", Timestamp),
    sa.Index("ix_retention_runs_started_at", "started_at"),
    sqlite_autoincrement=True,
)

completed_at_index = sa.Index("ix_incidents_completed_at", incidents.c.completed_at)

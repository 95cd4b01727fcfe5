"""Table of events: what changed, in the order in which it was committed."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import JSONText, Timestamp, metadata

events = sa.Table(
    "events",
    metadata,
    # Also the id that a reader resumes from.
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("kind", sa.String(64), nullable=False),
    # Not foreign keys: an event outlives what it tells about.
    sa.Column("incident_uuid", sa.String(36)),
    sa.Column("alert_uuid", sa.String(36)),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("data", JSONText, nullable=False),
    sa.Index("ix_events_created_at", "created_at"),
    sqlite_autoincrement=True,
)

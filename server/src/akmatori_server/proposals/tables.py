"""Table of proposals."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import JSONText, Timestamp, metadata

proposals = sa.Table(
    "proposals",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("uuid", sa.String(36), nullable=False, unique=True),
    sa.Column("incident_id", sa.Integer, sa.ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
    sa.Column("run", sa.Integer, nullable=False),
    # The key of the call, with its run in it: the same step of the same run is proposed once.
    sa.Column("key", sa.String(200), nullable=False),
    # No foreign key: what was proposed stays known when the tool is gone.
    sa.Column("tool_id", sa.Integer, nullable=False),
    sa.Column("tool_name", sa.String(128), nullable=False),
    sa.Column("tool_type", sa.String(128), nullable=False),
    sa.Column("function", sa.String(255), nullable=False),
    # Masked, as summary, purpose and output.
    sa.Column("arguments", JSONText, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    # The arguments as they are, encrypted: NULL once nothing can come of the proposal any more.
    sa.Column("sealed", sa.Text),
    sa.Column("digest", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("expires_at", Timestamp, nullable=False),
    sa.Column("decided_at", Timestamp),
    sa.Column("decided_by", sa.String(255)),
    sa.Column("decided_from", sa.String(255)),
    sa.Column("note", sa.Text, nullable=False, server_default=""),
    sa.Column("started_at", Timestamp),
    sa.Column("ended_at", Timestamp),
    sa.Column("output", sa.Text, nullable=False, server_default=""),
    sa.UniqueConstraint("incident_id", "key"),
    sa.Index("ix_proposals_state", "state"),
    sqlite_autoincrement=True,
)

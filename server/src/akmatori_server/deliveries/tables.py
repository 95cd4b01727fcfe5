"""Table of deliveries that an operator must know about."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import JSONText, Timestamp, metadata

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column(
        "alert_source_id", sa.Integer, sa.ForeignKey("alert_sources.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("received_at", Timestamp, nullable=False),
    sa.Column("remote", sa.String(64), nullable=False),
    # rejected, or warned: taken, but something about it wants attention.
    sa.Column("outcome", sa.String(16), nullable=False),
    # The status that was answered, and the word of its error.
    sa.Column("status", sa.Integer, nullable=False),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    # Without credentials and signatures.
    sa.Column("headers", JSONText, nullable=False),
    # What was sent in bytes, and how much of it is kept.
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("kept", sa.Integer, nullable=False),
    # Encrypted; NULL when none of it is kept.
    sa.Column("body", sa.LargeBinary),
    sa.Column("replayed_at", Timestamp),
    sa.Column("replay_result", sa.Text),
    sa.Index("ix_deliveries_alert_source_id_id", "alert_source_id", "id"),
    sa.Index("ix_deliveries_received_at", "received_at"),
    sqlite_autoincrement=True,
)

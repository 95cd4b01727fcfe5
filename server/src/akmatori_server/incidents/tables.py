"""Tables of incidents: the row, its append-only log, and the facts that make a write happen once."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import JSONText, Timestamp, metadata

incidents = sa.Table(
    "incidents",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("uuid", sa.String(36), nullable=False, unique=True),
    sa.Column("source", sa.String(64), nullable=False),
    sa.Column("source_id", sa.String(255), nullable=False),
    sa.Column("title", sa.String(255), nullable=False),
    sa.Column("status", sa.String(32), nullable=False),
    sa.Column("context", JSONText),
    sa.Column("session_id", sa.String(64), nullable=False, server_default=""),
    sa.Column("working_dir", sa.Text, nullable=False),
    sa.Column("response", sa.Text, nullable=False, server_default=""),
    sa.Column("tokens_used", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("execution_time_ms", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("started_at", Timestamp, nullable=False),
    sa.Column("completed_at", Timestamp),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sa.Column("slack_channel_id", sa.String(64), nullable=False, server_default=""),
    sa.Column("slack_message_ts", sa.String(64), nullable=False, server_default=""),
    # What it was opened for: a task, alerts, or a storm of them.
    sa.Column("kind", sa.String(16), nullable=False, server_default="task"),
    # The source of its first alert; no foreign key, since numbers of sources are never used again.
    sa.Column("alert_source_id", sa.Integer),
    # What alerts must have in common to join it, while they may: no two incidents have the same at a time.
    sa.Column("open_key", sa.String(255)),
    # Its alerts, counted as they come and go.
    sa.Column("alert_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("firing_count", sa.Integer, nullable=False, server_default="0"),
    sa.Column("last_alert_at", Timestamp),
    # When the last of its alerts was resolved; NULL while one fires, and for incidents without alerts.
    sa.Column("resolved_at", Timestamp),
    # Raised by whoever takes the incident; every later write is refused unless it carries the current number.
    sa.Column("fence", sa.Integer, nullable=False, server_default="0"),
    # How often its investigation was asked for, and the fence number before anybody took the last of these.
    sa.Column("run", sa.Integer, nullable=False, server_default="1"),
    sa.Column("run_fence", sa.Integer, nullable=False, server_default="0"),
    sa.Index("ix_incidents_created_at_id", "created_at", "id"),
    sa.Index("ix_incidents_status_created_at_id", "status", "created_at", "id"),
    sa.Index("uq_incidents_open_key", "open_key", unique=True),
    # Tells a storm: how many incidents a source opened in the last minute.
    sa.Index("ix_incidents_alert_source_id_created_at", "alert_source_id", "created_at"),
    sqlite_autoincrement=True,
)

incident_log = sa.Table(
    "incident_log",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("incident_id", sa.Integer, sa.ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
    # Deterministic, so that a step repeated after a crash writes its line only once.
    sa.Column("key", sa.String(200), nullable=False),
    # A LineKind, which decides how full_log shows the line.
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.UniqueConstraint("incident_id", "key"),
    sqlite_autoincrement=True,
)

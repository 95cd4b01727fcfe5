"""The table of calls: which tool was asked what, by which investigation, and what came of it."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import JSONText, Timestamp, metadata

tool_calls = sa.Table(
    "tool_calls",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("incident_id", sa.Integer, sa.ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
    # Deterministic and with the run in it, so that a call repeated after a crash finds what it gave.
    sa.Column("key", sa.String(200), nullable=False),
    # No foreign key: what was done stays known when the tool is gone.
    sa.Column("tool_id", sa.Integer, nullable=False),
    sa.Column("tool_name", sa.String(128), nullable=False),
    sa.Column("tool_type", sa.String(128), nullable=False),
    sa.Column("function", sa.String(255), nullable=False),
    # Masked, as everything here.
    sa.Column("arguments", JSONText, nullable=False),
    sa.Column("access", sa.String(16), nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    # NULL: begun, and not known to be over.
    sa.Column("outcome", sa.String(16)),
    sa.Column("output", sa.Text, nullable=False, server_default=""),
    # The output as a value, where it is one.
    sa.Column("value", JSONText),
    sa.Column("is_truncated", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("is_cached", sa.Boolean, nullable=False, server_default=sa.false()),
    # How often it was begun: more than once after a crash.
    sa.Column("attempts", sa.Integer, nullable=False, server_default="1"),
    sa.Column("duration_ms", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("started_at", Timestamp, nullable=False),
    sa.Column("ended_at", Timestamp),
    sa.UniqueConstraint("incident_id", "key"),
    sqlite_autoincrement=True,
)

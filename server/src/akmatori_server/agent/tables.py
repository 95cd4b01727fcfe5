"""Tables of investigations by a model: the messages exchanged with it, and what that cost."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import Timestamp, metadata

agent_messages = sa.Table(
    "agent_messages",
    metadata,
    sa.Column("incident_id", sa.Integer, sa.ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("run", sa.Integer, primary_key=True),
    # From 0, without gaps. Rows are only ever added: saving a step costs the same at the end as at the start.
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
)

llm_usage = sa.Table(
    "llm_usage",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    # No foreign key: what was spent stays known when retention has deleted the incident.
    sa.Column("incident_id", sa.Integer, nullable=False),
    sa.Column("run", sa.Integer, nullable=False),
    sa.Column("provider", sa.String(32), nullable=False),
    sa.Column("model", sa.String(255), nullable=False),
    sa.Column("requests", sa.Integer, nullable=False),
    sa.Column("input_tokens", sa.BigInteger, nullable=False),
    sa.Column("output_tokens", sa.BigInteger, nullable=False),
    sa.Column("cached_tokens", sa.BigInteger, nullable=False),
    sa.Column("tool_calls", sa.Integer, nullable=False),
    # NULL: the price of the model is not known.
    sa.Column("cost_usd", sa.Float(53)),
    # How long the incident had been worked on when this run began: its time limit outlives a restart.
    sa.Column("began_ms", sa.BigInteger, nullable=False),
    sa.Column("at", Timestamp, nullable=False),
    sa.UniqueConstraint("incident_id", "run"),
    sa.Index("ix_llm_usage_at", "at"),
    sqlite_autoincrement=True,
)

llm_circuit = sa.Table(
    "llm_circuit",
    metadata,
    # One row at most.
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    # Of which configuration, and of which version of it, this is the circuit.
    sa.Column("configuration", sa.String(64), nullable=False),
    # That followed each other, up to now.
    sa.Column("failures", sa.Integer, nullable=False),
    # When the model is asked again; NULL while it is asked anyway.
    sa.Column("retry_at", Timestamp),
)

"""Calls of tools, proposals, messages with models, notifications: what investigations leave behind."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from akmatori_server.database.schema import JSONText, Timestamp

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tool_calls",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("incident_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("tool_id", sa.Integer(), nullable=False),
        sa.Column("tool_name", sa.String(length=128), nullable=False),
        sa.Column("tool_type", sa.String(length=128), nullable=False),
        sa.Column("function", sa.String(length=255), nullable=False),
        sa.Column("arguments", JSONText(), nullable=False),
        sa.Column("access", sa.String(length=16), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("output", sa.Text(), server_default="", nullable=False),
        sa.Column("value", JSONText(), nullable=True),
        sa.Column("is_truncated", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("is_cached", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="1", nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("started_at", Timestamp(), nullable=False),
        sa.Column("ended_at", Timestamp(), nullable=True),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incidents.id"],
            name=op.f("fk_tool_calls_incident_id_incidents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tool_calls")),
        sa.UniqueConstraint("incident_id", "key", name=op.f("uq_tool_calls_incident_id_key")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("tool_calls")

"""What Aotanami found and measured."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from akmatori_server.database.schema import JSONText, Timestamp

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "k8s_drift_checks",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("target", sa.String(length=63), nullable=False),
        sa.Column("checked_at", Timestamp(), nullable=False),
        sa.Column("source", JSONText(), nullable=False),
        sa.Column("managed", JSONText(), nullable=False),
        sa.Column("unmanaged", JSONText(), nullable=False),
        sa.Column("namespaces", JSONText(), nullable=False),
        sa.Column("problems", JSONText(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_k8s_drift_checks")),
        sa.UniqueConstraint("target", name=op.f("uq_k8s_drift_checks_target")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "k8s_drifts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("target", sa.String(length=63), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("namespace", sa.String(length=253), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("api_version", sa.String(length=330), nullable=False),
        sa.Column("kind", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=253), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("operation", sa.String(length=16), nullable=True),
        sa.Column("desired_value", sa.Text(), nullable=True),
        sa.Column("live_value", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("manager", sa.Text(), nullable=False),
        sa.Column("source_file", sa.Text(), nullable=False),
        sa.Column("source_line", sa.Integer(), nullable=True),
        sa.Column("is_redacted", sa.Boolean(), nullable=False),
        sa.Column("detected_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_k8s_drifts")),
        sa.UniqueConstraint("target", "fingerprint", name=op.f("uq_k8s_drifts_target_fingerprint")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("k8s_drifts", schema=None) as batch_op:
        batch_op.create_index(
            "ix_k8s_drifts_target_namespace_rank", ["target", "namespace", "rank"], unique=False
        )
    op.create_table(
        "k8s_usage_days",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("target", sa.String(length=63), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("namespace", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=253), nullable=False),
        sa.Column("container", sa.String(length=63), nullable=False),
        sa.Column("cpu", JSONText(), nullable=False),
        sa.Column("memory", JSONText(), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("first_at", Timestamp(), nullable=False),
        sa.Column("last_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_k8s_usage_days")),
        sa.UniqueConstraint(
            "target",
            "day",
            "namespace",
            "kind",
            "name",
            "container",
            name=op.f("uq_k8s_usage_days_target_day_namespace_kind_name_container"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "k8s_cost_days",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("monthly_cost", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_k8s_cost_days")),
        sa.UniqueConstraint("day", name=op.f("uq_k8s_cost_days_day")),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    op.drop_table("k8s_cost_days")
    op.drop_table("k8s_usage_days")
    op.drop_table("k8s_drifts")
    op.drop_table("k8s_drift_checks")

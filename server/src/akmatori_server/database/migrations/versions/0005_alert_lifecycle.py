"""Alerts with a life of their own; silences, deliveries, correlation rules, events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from akmatori_server.database.schema import JSONText, Timestamp

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "correlation_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document", JSONText(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correlation_rules")),
    )
    op.create_table(
        "events",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("incident_uuid", sa.String(length=36), nullable=True),
        sa.Column("alert_uuid", sa.String(length=36), nullable=True),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("data", JSONText(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("events", schema=None) as batch_op:
        batch_op.create_index("ix_events_created_at", ["created_at"], unique=False)

    op.create_table(
        "silences",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("matchers", JSONText(), nullable=False),
        sa.Column("starts_at", Timestamp(), nullable=False),
        sa.Column("ends_at", Timestamp(), nullable=False),
        sa.Column("created_by", sa.String(length=255), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("released_at", Timestamp(), nullable=True),
        sa.Column("matchers_changed_at", Timestamp(), nullable=True),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_silences")),
        sa.UniqueConstraint("uuid", name=op.f("uq_silences_uuid")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("silences", schema=None) as batch_op:
        batch_op.create_index("ix_silences_ends_at", ["ends_at"], unique=False)

    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("alert_source_id", sa.Integer(), nullable=False),
        sa.Column("received_at", Timestamp(), nullable=False),
        sa.Column("remote", sa.String(length=64), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("headers", JSONText(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("replayed_at", Timestamp(), nullable=True),
        sa.Column("replay_result", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["alert_source_id"],
            ["alert_sources.id"],
            name=op.f("fk_deliveries_alert_source_id_alert_sources"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index("ix_deliveries_alert_source_id_id", ["alert_source_id", "id"], unique=False)
        batch_op.create_index("ix_deliveries_received_at", ["received_at"], unique=False)

    op.add_column("alerts", sa.Column("silence_id", sa.Integer(), nullable=True))
    op.add_column("alerts", sa.Column("episodes", sa.Integer(), server_default="1", nullable=False))
    op.add_column("alerts", sa.Column("decision", JSONText(), nullable=True))
    # SQLite copies the table for this one; nothing refers to alerts, so nothing cascades.
    with op.batch_alter_table("alerts", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.alter_column("incident_id", existing_type=sa.Integer(), nullable=True)
    op.drop_index("ix_alerts_incident_id", table_name="alerts")
    op.create_index("ix_alerts_alert_source_id_id", "alerts", ["alert_source_id", "id"])
    op.create_index("ix_alerts_incident_id_id", "alerts", ["incident_id", "id"])
    op.create_index("ix_alerts_status_id", "alerts", ["status", "id"])
    held = sa.text("silence_id IS NOT NULL")
    op.create_index(
        "ix_alerts_silence_id", "alerts", ["silence_id"], sqlite_where=held, postgresql_where=held
    )

    # Column by column: copying this table would cascade to all that refers to it.
    for column in (
        sa.Column("kind", sa.String(length=16), server_default="task", nullable=False),
        sa.Column("alert_source_id", sa.Integer(), nullable=True),
        sa.Column("open_key", sa.String(length=255), nullable=True),
        sa.Column("alert_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("firing_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_alert_at", Timestamp(), nullable=True),
        sa.Column("resolved_at", Timestamp(), nullable=True),
        sa.Column("run", sa.Integer(), server_default="1", nullable=False),
        sa.Column("run_fence", sa.Integer(), server_default="0", nullable=False),
    ):
        op.add_column("incidents", column)
    op.create_index("ix_incidents_alert_source_id_created_at", "incidents", ["alert_source_id", "created_at"])
    op.create_index("uq_incidents_open_key", "incidents", ["open_key"], unique=True)
    _count_known_alerts()


def downgrade() -> None:
    op.drop_index("uq_incidents_open_key", table_name="incidents")
    op.drop_index("ix_incidents_alert_source_id_created_at", table_name="incidents")
    for name in (
        "run_fence",
        "run",
        "resolved_at",
        "last_alert_at",
        "firing_count",
        "alert_count",
        "open_key",
        "alert_source_id",
        "kind",
    ):
        op.drop_column("incidents", name)

    op.drop_index("ix_alerts_silence_id", table_name="alerts")
    op.drop_index("ix_alerts_status_id", table_name="alerts")
    op.drop_index("ix_alerts_incident_id_id", table_name="alerts")
    op.drop_index("ix_alerts_alert_source_id_id", table_name="alerts")
    # The older server has no place for an alert without an incident.
    op.execute(sa.text("DELETE FROM alerts WHERE incident_id IS NULL"))
    with op.batch_alter_table("alerts", table_kwargs={"sqlite_autoincrement": True}) as batch_op:
        batch_op.alter_column("incident_id", existing_type=sa.Integer(), nullable=False)
    op.create_index("ix_alerts_incident_id", "alerts", ["incident_id"])
    for name in ("decision", "episodes", "silence_id"):
        op.drop_column("alerts", name)

    op.drop_table("deliveries")
    op.drop_table("silences")
    op.drop_table("events")
    op.drop_table("correlation_rules")


def _count_known_alerts() -> None:
    """Give the incidents that are there their counts."""
    op.execute(
        sa.text(
            "UPDATE incidents SET kind = 'alert', alert_count = ofit.total, firing_count = ofit.firing,"
            " last_alert_at = ofit.last_seen,"
            " resolved_at = CASE WHEN ofit.firing = 0 THEN ofit.resolved END"
            " FROM (SELECT incident_id, count(*) AS total,"
            " sum(CASE WHEN status = 'firing' THEN 1 ELSE 0 END) AS firing,"
            " max(last_seen_at) AS last_seen, max(resolved_at) AS resolved"
            " FROM alerts GROUP BY incident_id) AS ofit"
            " WHERE incidents.id = ofit.incident_id"
        )
    )

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
    op.add_column(
        "notification_settings",
        sa.Column("slack_min_severity", sa.String(length=16), server_default="info", nullable=False),
    )
    op.add_column(
        "notification_targets",
        sa.Column("min_severity", sa.String(length=16), server_default="info", nullable=False),
    )
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

    op.create_table(
        "k8s_clusters",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("region", sa.String(length=100), nullable=False),
        sa.Column("provider", sa.String(length=100), nullable=False),
        sa.Column("nodes", sa.Integer(), nullable=True),
        sa.Column("nodes_ready", sa.Integer(), nullable=True),
        sa.Column("nodes_pressed", sa.Integer(), nullable=True),
        sa.Column("pods", sa.Integer(), nullable=True),
        sa.Column("conditions", JSONText(), nullable=False),
        sa.Column("components", JSONText(), nullable=True),
        sa.Column("heartbeat_at", Timestamp(), nullable=True),
        sa.Column("asked_at", Timestamp(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_k8s_clusters")),
    )
    op.create_table(
        "k8s_incident_clusters",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("target", sa.String(length=63), nullable=False),
        sa.Column("read_at", Timestamp(), nullable=False),
        sa.Column("pods_since", Timestamp(), nullable=True),
        sa.Column("generations", JSONText(), nullable=False),
        sa.Column("hours", JSONText(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_k8s_incident_clusters")),
        sa.UniqueConstraint("target", name=op.f("uq_k8s_incident_clusters_target")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "k8s_incidents",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("target", sa.String(length=63), nullable=False),
        sa.Column("namespace", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=253), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("root_cause", sa.Text(), nullable=False),
        sa.Column("event_count", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("updated_at", Timestamp(), nullable=False),
        sa.Column("resolved_at", Timestamp(), nullable=True),
        sa.Column("acknowledged_at", Timestamp(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=300), nullable=True),
        sa.Column("acknowledgement_note", sa.Text(), nullable=True),
        sa.Column("acknowledgement_expires_at", Timestamp(), nullable=True),
        sa.Column("slack_channel_id", sa.String(length=64), server_default="", nullable=False),
        sa.Column("slack_message_ts", sa.String(length=64), server_default="", nullable=False),
        sa.Column("slack_is_shared", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_k8s_incidents")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_k8s_incidents_status_rank_updated_at",
        "k8s_incidents",
        ["status", "rank", "updated_at"],
        unique=False,
    )
    op.create_index(
        "uq_k8s_incidents_active",
        "k8s_incidents",
        ["target", "namespace", "kind", "name"],
        unique=True,
        sqlite_where=sa.text("status <> 'resolved'"),
        postgresql_where=sa.text("status <> 'resolved'"),
    )
    op.create_table(
        "k8s_incident_events",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("incident_id", sa.BigInteger(), nullable=True),
        sa.Column("target", sa.String(length=63), nullable=False),
        sa.Column("namespace", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=253), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.String(length=128), nullable=False),
        sa.Column("container", sa.String(length=63), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("stands", sa.Boolean(), nullable=False),
        sa.Column("resource_kind", sa.String(length=63), nullable=False),
        sa.Column("resource_name", sa.String(length=253), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("facts", JSONText(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("first_at", Timestamp(), nullable=False),
        sa.Column("last_at", Timestamp(), nullable=False),
        sa.Column("previous_at", Timestamp(), nullable=True),
        sa.Column("seen_at", Timestamp(), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["k8s_incidents.id"],
            name=op.f("fk_k8s_incident_events_incident_id_k8s_incidents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_k8s_incident_events")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_k8s_incident_events_incident_id", "k8s_incident_events", ["incident_id"], unique=False
    )
    op.create_table(
        "k8s_incident_changes",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("at", Timestamp(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=300), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["k8s_incidents.id"],
            name=op.f("fk_k8s_incident_changes_incident_id_k8s_incidents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_k8s_incident_changes")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_k8s_incident_changes_incident_id", "k8s_incident_changes", ["incident_id"], unique=False
    )
    op.create_table(
        "k8s_incident_marks",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("target", sa.String(length=63), nullable=False),
        sa.Column("identity", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_k8s_incident_marks")),
        sa.UniqueConstraint("target", "identity", name=op.f("uq_k8s_incident_marks_target_identity")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "k8s_incident_baselines",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("target", sa.String(length=63), nullable=False),
        sa.Column("namespace", sa.String(length=63), nullable=False),
        sa.Column("kind", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=253), nullable=False),
        sa.Column("container", sa.String(length=63), nullable=False),
        sa.Column("rate", sa.String(length=16), nullable=False),
        sa.Column("hours", JSONText(), nullable=False),
        sa.Column("first_at", Timestamp(), nullable=False),
        sa.Column("seen_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_k8s_incident_baselines")),
        sa.UniqueConstraint(
            "target",
            "namespace",
            "kind",
            "name",
            "container",
            "rate",
            name=op.f("uq_k8s_incident_baselines_rate"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "k8s_scan_scopes",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("plan", JSONText(), nullable=False),
        sa.Column("newest_seq", sa.Integer(), nullable=False),
        sa.Column("newest_phase", sa.String(length=16), nullable=True),
        sa.Column("newest_at", Timestamp(), nullable=True),
        sa.Column("used_at", Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_k8s_scan_scopes")),
        sa.UniqueConstraint("key", name=op.f("uq_k8s_scan_scopes_key")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "k8s_scans",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("scan_id", sa.String(length=64), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("active_scope", sa.Integer(), nullable=True),
        sa.Column("phase", sa.String(length=16), nullable=False),
        sa.Column("trigger", sa.String(length=16), nullable=False),
        sa.Column("triggered_by", sa.String(length=300), nullable=False),
        sa.Column("name", sa.String(length=253), nullable=False),
        sa.Column("schedule", sa.String(length=100), nullable=False),
        sa.Column("scanners", sa.String(length=300), nullable=False),
        sa.Column("frameworks", JSONText(), nullable=False),
        sa.Column("plan", JSONText(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("created_at", Timestamp(), nullable=False),
        sa.Column("started_at", Timestamp(), nullable=True),
        sa.Column("heartbeat_at", Timestamp(), nullable=True),
        sa.Column("completed_at", Timestamp(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("errors", JSONText(), nullable=False),
        sa.Column("warnings", JSONText(), nullable=False),
        sa.Column("summary", JSONText(), nullable=True),
        sa.Column("compliance", JSONText(), nullable=True),
        sa.ForeignKeyConstraint(
            ["scope_id"], ["k8s_scan_scopes.id"], name=op.f("fk_k8s_scans_scope_id_k8s_scan_scopes")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_k8s_scans")),
        sa.UniqueConstraint("active_scope", name=op.f("uq_k8s_scans_active_scope")),
        sa.UniqueConstraint("scan_id", name=op.f("uq_k8s_scans_scan_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("k8s_scans", schema=None) as batch_op:
        batch_op.create_index("ix_k8s_scans_scope_id_seq", ["scope_id", "seq"], unique=False)
    op.create_table(
        "k8s_finding_texts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("recommendation", sa.Text(), nullable=False),
        sa.Column("controls", JSONText(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_k8s_finding_texts")),
        sa.UniqueConstraint("digest", name=op.f("uq_k8s_finding_texts_digest")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "k8s_findings",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("first_seq", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("held_seq", sa.Integer(), nullable=False),
        sa.Column("replaced_seq", sa.Integer(), nullable=True),
        sa.Column("first_seen_at", Timestamp(), nullable=False),
        sa.Column("last_seen_at", Timestamp(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("check_id", sa.String(length=100), nullable=False),
        sa.Column("text_id", sa.Integer(), nullable=False),
        sa.Column("cluster", sa.String(length=63), nullable=False),
        sa.Column("namespace", sa.String(length=253), nullable=False),
        sa.Column("kind", sa.String(length=63), nullable=False),
        sa.Column("name", sa.String(length=253), nullable=False),
        sa.Column("is_suppressed", sa.Boolean(), nullable=False),
        sa.Column("body", JSONText(), nullable=False),
        sa.ForeignKeyConstraint(
            ["scope_id"], ["k8s_scan_scopes.id"], name=op.f("fk_k8s_findings_scope_id_k8s_scan_scopes")
        ),
        sa.ForeignKeyConstraint(
            ["text_id"], ["k8s_finding_texts.id"], name=op.f("fk_k8s_findings_text_id_k8s_finding_texts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_k8s_findings")),
        sa.UniqueConstraint(
            "scope_id",
            "fingerprint",
            "first_seq",
            name=op.f("uq_k8s_findings_scope_id_fingerprint_first_seq"),
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("k8s_findings", schema=None) as batch_op:
        batch_op.create_index("ix_k8s_findings_scope_id_rank_id", ["scope_id", "rank", "id"], unique=False)
        batch_op.create_index(
            "ix_k8s_findings_scope_id_held_seq_first_seq", ["scope_id", "held_seq", "first_seq"], unique=False
        )


def downgrade() -> None:
    op.drop_table("k8s_findings")
    op.drop_table("k8s_finding_texts")
    op.drop_table("k8s_scans")
    op.drop_table("k8s_scan_scopes")
    op.drop_table("k8s_incident_baselines")
    op.drop_table("k8s_incident_marks")
    op.drop_table("k8s_incident_changes")
    op.drop_table("k8s_incident_events")
    op.drop_table("k8s_incidents")
    op.drop_table("k8s_incident_clusters")
    op.drop_table("k8s_clusters")
    op.drop_table("k8s_cost_days")
    op.drop_table("k8s_usage_days")
    op.drop_table("k8s_drifts")
    op.drop_table("k8s_drift_checks")
    op.drop_column("notification_targets", "min_severity")
    op.drop_column("notification_settings", "slack_min_severity")

"""Tables of incidents, of their events and history, and of what has to be remembered to tell what is new."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import JSONText, Timestamp, metadata

_ACTIVE = sa.text("status <> 'resolved'")
_WIDE = sa.BigInteger().with_variant(sa.Integer, "sqlite")

k8s_incident_clusters = sa.Table(
    "k8s_incident_clusters",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("target", sa.String(63), nullable=False, unique=True),
    # When the newest reading that is stored was begun.
    sa.Column("read_at", Timestamp, nullable=False),
    # Since when restarts are counted.
    sa.Column("pods_since", Timestamp),
    # Origin to the scan or comparison that was taken in last.
    sa.Column("generations", JSONText, nullable=False),
    # Hours in which it was read, since 1970.
    sa.Column("hours", JSONText, nullable=False),
    sqlite_autoincrement=True,
)

k8s_incidents = sa.Table(
    "k8s_incidents",
    metadata,
    # The number in INC-000042.
    sa.Column("id", _WIDE, primary_key=True, autoincrement=True),
    sa.Column("target", sa.String(63), nullable=False),
    sa.Column("namespace", sa.String(63), nullable=False),
    sa.Column("kind", sa.String(63), nullable=False),
    sa.Column("name", sa.String(253), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("severity", sa.String(16), nullable=False),
    # The place of the severity, the worst first.
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("title", sa.String(500), nullable=False),
    sa.Column("root_cause", sa.Text, nullable=False),
    sa.Column("event_count", sa.BigInteger, nullable=False),
    # One more with every change that is shown.
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sa.Column("resolved_at", Timestamp),
    sa.Column("acknowledged_at", Timestamp),
    sa.Column("acknowledged_by", sa.String(300)),
    sa.Column("acknowledgement_note", sa.Text),
    sa.Column("acknowledgement_expires_at", Timestamp),
    # Where Slack was told of it first, "" while it was not; its message may be about others, too.
    sa.Column("slack_channel_id", sa.String(64), nullable=False, server_default=""),
    sa.Column("slack_message_ts", sa.String(64), nullable=False, server_default=""),
    sa.Column("slack_is_shared", sa.Boolean, nullable=False, server_default=sa.false()),
    # Of one workload there is one incident at a time.
    sa.Index(
        "uq_k8s_incidents_active",
        "target",
        "namespace",
        "kind",
        "name",
        unique=True,
        sqlite_where=_ACTIVE,
        postgresql_where=_ACTIVE,
    ),
    sa.Index("ix_k8s_incidents_status_rank_updated_at", "status", "rank", "updated_at"),
    sqlite_autoincrement=True,
)

k8s_incident_events = sa.Table(
    "k8s_incident_events",
    metadata,
    sa.Column("id", _WIDE, primary_key=True, autoincrement=True),
    # NULL while it is part of none.
    sa.Column("incident_id", sa.BigInteger, sa.ForeignKey("k8s_incidents.id", ondelete="CASCADE")),
    sa.Column("target", sa.String(63), nullable=False),
    sa.Column("namespace", sa.String(63), nullable=False),
    sa.Column("kind", sa.String(63), nullable=False),
    sa.Column("name", sa.String(253), nullable=False),
    sa.Column("origin", sa.String(16), nullable=False),
    sa.Column("type", sa.String(32), nullable=False),
    sa.Column("reason", sa.String(128), nullable=False),
    sa.Column("container", sa.String(63), nullable=False),
    sa.Column("severity", sa.String(16), nullable=False),
    sa.Column("stands", sa.Boolean, nullable=False),
    sa.Column("resource_kind", sa.String(63), nullable=False),
    sa.Column("resource_name", sa.String(253), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("source", sa.String(300), nullable=False),
    sa.Column("facts", JSONText, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("first_at", Timestamp, nullable=False),
    sa.Column("last_at", Timestamp, nullable=False),
    sa.Column("previous_at", Timestamp),
    sa.Column("seen_at", Timestamp, nullable=False),
    sa.Column("missed", sa.Integer, nullable=False),
    sa.Index("ix_k8s_incident_events_incident_id", "incident_id"),
    sqlite_autoincrement=True,
)

k8s_incident_changes = sa.Table(
    "k8s_incident_changes",
    metadata,
    sa.Column("id", _WIDE, primary_key=True, autoincrement=True),
    sa.Column(
        "incident_id", sa.BigInteger, sa.ForeignKey("k8s_incidents.id", ondelete="CASCADE"), nullable=False
    ),
    sa.Column("at", Timestamp, nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    # Empty for the server itself.
    sa.Column("by", sa.String(300), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Index("ix_k8s_incident_changes_incident_id", "incident_id"),
    sqlite_autoincrement=True,
)

k8s_incident_marks = sa.Table(
    "k8s_incident_marks",
    metadata,
    sa.Column("id", _WIDE, primary_key=True, autoincrement=True),
    sa.Column("target", sa.String(63), nullable=False),
    sa.Column("identity", sa.String(64), nullable=False),
    # How often it had happened when it was read last.
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("seen_at", Timestamp, nullable=False),
    sa.UniqueConstraint("target", "identity"),
    sqlite_autoincrement=True,
)

k8s_incident_baselines = sa.Table(
    "k8s_incident_baselines",
    metadata,
    sa.Column("id", _WIDE, primary_key=True, autoincrement=True),
    sa.Column("target", sa.String(63), nullable=False),
    sa.Column("namespace", sa.String(63), nullable=False),
    sa.Column("kind", sa.String(63), nullable=False),
    sa.Column("name", sa.String(253), nullable=False),
    sa.Column("container", sa.String(63), nullable=False),
    sa.Column("rate", sa.String(16), nullable=False),
    # Hour since 1970 to how often it happened then; hours without any are left out.
    sa.Column("hours", JSONText, nullable=False),
    sa.Column("first_at", Timestamp, nullable=False),
    sa.Column("seen_at", Timestamp, nullable=False),
    # The usual name is longer than PostgreSQL's names may be.
    sa.UniqueConstraint(
        "target", "namespace", "kind", "name", "container", "rate", name="uq_k8s_incident_baselines_rate"
    ),
    sqlite_autoincrement=True,
)

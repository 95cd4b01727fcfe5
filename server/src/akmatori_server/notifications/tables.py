"""Tables of notifications, of the attempts to send them, and of where they go."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import JSONText, Timestamp, metadata

notifications = sa.Table(
    # Not `notifications`: on SQLite the engine's own tables are beside ours, and it has one of that name.
    "outgoing_notifications",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("uuid", sa.String(36), nullable=False),
    # Not a foreign key: what was told is known for as long as it is kept, whatever became of the incident.
    sa.Column("incident_id", sa.Integer),
    sa.Column("incident_uuid", sa.String(36)),
    # Those of one lane are sent in their order, one after the other.
    sa.Column("lane", sa.String(320), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    # "slack", or the name of a target.
    sa.Column("channel", sa.String(100), nullable=False),
    sa.Column("channel_type", sa.String(32), nullable=False),
    sa.Column("dedup_key", sa.String(300), nullable=False),
    # pending, sent, failed, given_up, skipped
    sa.Column("state", sa.String(16), nullable=False),
    # Filled in when it is first tried, as is what it is about.
    sa.Column("severity", sa.String(16), nullable=False, server_default=""),
    sa.Column("title", sa.String(500), nullable=False),
    # The text as it was last sent, "" before.
    sa.Column("message", sa.Text, nullable=False, server_default=""),
    # What it was made for: `incident`, `proposal`, `kubernetes_incident`, `token_usage`.
    sa.Column("source", sa.String(100), nullable=False),
    sa.Column("resource_kind", sa.String(63), nullable=False, server_default=""),
    sa.Column("resource_name", sa.String(253), nullable=False, server_default=""),
    sa.Column("namespace", sa.String(63), nullable=False, server_default=""),
    sa.Column("metadata", JSONText, nullable=False),
    # What the channel calls the message: noted as soon as it is known, so that it is posted once.
    sa.Column("external_id", sa.String(128), nullable=False, server_default=""),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    # How many notifications this one stands for.
    sa.Column("aggregated_count", sa.Integer, nullable=False, server_default="1"),
    # The last attempt, in a sentence.
    sa.Column("error", sa.Text, nullable=False, server_default=""),
    sa.Column("http_status", sa.Integer),
    sa.Column("next_try_at", Timestamp, nullable=False),
    # Who is sending it, and until when nobody else may.
    sa.Column("claimed_by", sa.String(64)),
    sa.Column("claimed_until", Timestamp),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("sent_at", Timestamp),
    sa.UniqueConstraint("uuid"),
    sa.UniqueConstraint("dedup_key"),
    sa.Index("ix_notifications_state_next_try_at", "state", "next_try_at"),
    sa.Index("ix_notifications_lane_id", "lane", "id"),
    sa.Index("ix_notifications_created_at", "created_at"),
    sa.Index("ix_notifications_incident_uuid", "incident_uuid"),
    sqlite_autoincrement=True,
)

notification_attempts = sa.Table(
    "notification_attempts",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column(
        "notification_id",
        sa.BigInteger().with_variant(sa.Integer, "sqlite"),
        sa.ForeignKey("outgoing_notifications.id", ondelete="CASCADE"),
        nullable=False,
    ),
    sa.Column("at", Timestamp, nullable=False),
    # started, sent, skipped, failed, refused, rate_limited, unknown
    sa.Column("outcome", sa.String(16), nullable=False),
    sa.Column("sentence", sa.Text, nullable=False),
    sa.Column("duration_ms", sa.Integer),
    sa.Column("http_status", sa.Integer),
    sa.Index("ix_notification_attempts_notification_id_id", "notification_id", "id"),
    sqlite_autoincrement=True,
)

notification_settings = sa.Table(
    "notification_settings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    # The kinds that Slack is told.
    sa.Column("slack_kinds", JSONText, nullable=False),
    # critical, high, warning, info
    sa.Column("slack_min_severity", sa.String(16), nullable=False, server_default="info"),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
)

notification_targets = sa.Table(
    "notification_targets",
    metadata,
    sa.Column("uuid", sa.String(36), primary_key=True),
    sa.Column("name", sa.String(100), nullable=False),
    # Encrypted; NULL once it was forgotten with a lost key.
    sa.Column("url", sa.Text),
    # What of it may be shown.
    sa.Column("shown_url", sa.Text, nullable=False),
    sa.Column("scheme", sa.String(32), nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("kinds", JSONText, nullable=False),
    sa.Column("min_severity", sa.String(16), nullable=False, server_default="info"),
    # Their order, as they were given.
    sa.Column("position", sa.Integer, nullable=False),
    sa.UniqueConstraint("name"),
)

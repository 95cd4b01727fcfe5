"""Table of alerts: what a source told us, and the incident it belongs to."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import JSONText, Timestamp, metadata

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("uuid", sa.String(36), nullable=False, unique=True),
    sa.Column("alert_source_id", sa.Integer, sa.ForeignKey("alert_sources.id", ondelete="SET NULL")),
    # NULL for an alert that a silence keeps from having one.
    sa.Column("incident_id", sa.Integer, sa.ForeignKey("incidents.id", ondelete="CASCADE")),
    # The silence that does; no foreign key, since silences are removed long before their alerts are read again.
    sa.Column("silence_id", sa.Integer),
    sa.Column("fingerprint", sa.String(255), nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("alert_name", sa.String(255), nullable=False),
    sa.Column("severity", sa.String(16), nullable=False),
    # The whole normalised alert, labels and raw payload included.
    sa.Column("payload", JSONText, nullable=False),
    # As the source says.
    sa.Column("started_at", Timestamp),
    # When it last stopped firing; kept when the same alert comes back, to tell what came before from what
    # came after.
    sa.Column("resolved_at", Timestamp),
    # By our own clock.
    sa.Column("first_seen_at", Timestamp, nullable=False),
    sa.Column("last_seen_at", Timestamp, nullable=False),
    sa.Column("deliveries", sa.Integer, nullable=False, server_default="1"),
    # How often it fired: 1, and one more each time it came back and was the same problem.
    sa.Column("episodes", sa.Integer, nullable=False, server_default="1"),
    # What put it where it is: the rule, the compared values, the outcome.
    sa.Column("decision", JSONText),
    # At most one firing alert per source and fingerprint: a repeat attaches, it never doubles.
    sa.Index(
        "uq_alerts_firing",
        "alert_source_id",
        "fingerprint",
        unique=True,
        sqlite_where=sa.text("status = 'firing'"),
        postgresql_where=sa.text("status = 'firing'"),
    ),
    # Finds the newest row of each fingerprint of a delivery without reading the older ones.
    sa.Index("ix_alerts_alert_source_id_fingerprint_id", "alert_source_id", "fingerprint", "id"),
    sa.Index("ix_alerts_alert_source_id_id", "alert_source_id", "id"),
    sa.Index("ix_alerts_incident_id_id", "incident_id", "id"),
    sa.Index("ix_alerts_status_id", "status", "id"),
    # What a silence that ends has to give back.
    sa.Index(
        "ix_alerts_silence_id",
        "silence_id",
        sqlite_where=sa.text("silence_id IS NOT NULL"),
        postgresql_where=sa.text("silence_id IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
)

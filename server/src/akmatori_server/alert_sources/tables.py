"""Tables of alert sources and their types."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import JSONText, Timestamp, metadata

alert_source_types = sa.Table(
    "alert_source_types",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("display_name", sa.String(128), nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("default_field_mappings", JSONText, nullable=False),
    sa.Column("webhook_secret_header", sa.String(128), nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sqlite_autoincrement=True,
)

alert_sources = sa.Table(
    "alert_sources",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("uuid", sa.String(36), nullable=False, unique=True),
    sa.Column("alert_source_type_id", sa.Integer, sa.ForeignKey("alert_source_types.id"), nullable=False),
    sa.Column("name", sa.String(128), nullable=False, unique=True),
    sa.Column("description", sa.Text, nullable=False),
    # Encrypted; NULL when the source has none.
    sa.Column("webhook_secret", sa.Text),
    sa.Column("field_mappings", JSONText),
    sa.Column("settings", JSONText),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sqlite_autoincrement=True,
)

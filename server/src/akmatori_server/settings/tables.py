"""Tables of the settings: one row each, but for the configurations of language models.

`version` rises with every write; it is what an entity tag stands for.
"""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import JSONText, Timestamp, metadata

ONLY_ROW = 1


def _stored() -> tuple[sa.Column[object], ...]:
    """Columns that every settings table has."""
    return (
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("created_at", Timestamp, nullable=False),
        sa.Column("updated_at", Timestamp, nullable=False),
    )


general_settings = sa.Table(
    "general_settings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("base_url", sa.Text, nullable=False),
    *_stored(),
)

slack_settings = sa.Table(
    "slack_settings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    # Encrypted; NULL when not set.
    sa.Column("bot_token", sa.Text),
    sa.Column("signing_secret", sa.Text),
    sa.Column("app_token", sa.Text),
    sa.Column("alerts_channel", sa.String(255), nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    *_stored(),
)

proxy_settings = sa.Table(
    "proxy_settings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    # Without its password, which stands encrypted in its own column.
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("password", sa.Text),
    sa.Column("no_proxy", sa.Text, nullable=False),
    # Names of the services that use the proxy.
    sa.Column("services", JSONText, nullable=False),
    *_stored(),
)

retention_settings = sa.Table(
    "retention_settings",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("retention_days", sa.Integer, nullable=False),
    sa.Column("cleanup_interval_hours", sa.Integer, nullable=False),
    *_stored(),
)

llm_configs = sa.Table(
    "llm_configs",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String(100), nullable=False, unique=True),
    sa.Column("provider", sa.String(32), nullable=False),
    # Encrypted; NULL when not set.
    sa.Column("api_key", sa.Text),
    sa.Column("model", sa.String(100), nullable=False),
    sa.Column("thinking_level", sa.String(16), nullable=False),
    sa.Column("base_url", sa.Text, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    *_stored(),
    # At most one is active.
    sa.Index(
        "uq_llm_configs_active",
        "active",
        unique=True,
        sqlite_where=sa.text("active = 1"),
        postgresql_where=sa.text("active"),
    ),
    sqlite_autoincrement=True,
)

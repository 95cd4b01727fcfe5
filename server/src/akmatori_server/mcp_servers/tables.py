"""Table of MCP servers."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import JSONText, Timestamp, metadata

mcp_servers = sa.Table(
    "mcp_servers",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String(128), nullable=False, unique=True),
    sa.Column("transport", sa.String(16), nullable=False),
    sa.Column("url", sa.String(512), nullable=False),
    sa.Column("command", sa.String(512), nullable=False),
    # {"args": [...]}, as it was written.
    sa.Column("args", JSONText),
    # Every value is encrypted.
    sa.Column("env_vars", JSONText),
    sa.Column("namespace_prefix", sa.String(128), nullable=False, unique=True),
    # Its secrets are encrypted.
    sa.Column("auth_config", JSONText),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sqlite_autoincrement=True,
)

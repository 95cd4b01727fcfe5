"""Table of HTTP connectors."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import JSONText, Timestamp, metadata

http_connectors = sa.Table(
    "http_connectors",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    # Also the name of its tool type.
    sa.Column("tool_type_name", sa.String(128), nullable=False, unique=True),
    sa.Column("description", sa.String(1024), nullable=False),
    sa.Column("base_url_field", sa.String(128), nullable=False),
    sa.Column("auth_config", JSONText),
    # {"tools": [...]}, as it was written.
    sa.Column("tools", JSONText, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sqlite_autoincrement=True,
)

"""Tables of tool types, tools and SSH keys."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import JSONText, Timestamp, metadata

tool_types = sa.Table(
    "tool_types",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String(128), nullable=False, unique=True),
    sa.Column("description", sa.Text, nullable=False),
    # JSON Schema of an instance's settings.
    sa.Column("schema", JSONText),
    # {"version", "functions"}: what the catalogue of functions publishes.
    sa.Column("offer", JSONText, nullable=False),
    # Made by an HTTP connector or MCP server, and gone with it; the others are built in.
    sa.Column("is_connector", sa.Boolean, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sqlite_autoincrement=True,
)

tools = sa.Table(
    "tools",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("tool_type_id", sa.Integer, sa.ForeignKey("tool_types.id"), nullable=False),
    sa.Column("name", sa.String(255), nullable=False, unique=True),
    sa.Column("logical_name", sa.String(128), nullable=False, unique=True),
    # Secrets in it are encrypted one by one; NULL while nothing was set.
    sa.Column("settings", JSONText),
    sa.Column("enabled", sa.Boolean, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sa.Index("ix_tools_tool_type_id", "tool_type_id"),
    sqlite_autoincrement=True,
)

ssh_keys = sa.Table(
    "ssh_keys",
    metadata,
    # The order of adding; the wire knows the uuid.
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("uuid", sa.String(36), nullable=False, unique=True),
    sa.Column("tool_id", sa.Integer, sa.ForeignKey("tools.id", ondelete="CASCADE"), nullable=False),
    sa.Column("name", sa.String(255), nullable=False),
    # Encrypted.
    sa.Column("private_key", sa.Text, nullable=False),
    sa.Column("algorithm", sa.String(32), nullable=False),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("is_default", sa.Boolean, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.UniqueConstraint("tool_id", "name"),
    # Whatever two writers do at once, a tool never has two defaults.
    sa.Index(
        "uq_ssh_keys_default",
        "tool_id",
        unique=True,
        sqlite_where=sa.text("is_default"),
        postgresql_where=sa.text("is_default"),
    ),
    sqlite_autoincrement=True,
)

# The first part of every function's name belongs to one type, connector or MCP server; whoever comes second is
# refused by the primary key, also when two come at once.
tool_namespaces = sa.Table(
    "tool_namespaces",
    metadata,
    # In lower case.
    sa.Column("name", sa.String(128), primary_key=True),
    sa.Column("owner", sa.String(32), nullable=False),
)

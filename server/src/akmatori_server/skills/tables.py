"""Tables of skills and of the tools assigned to them. Prompts and scripts are files."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import JSONText, Timestamp, metadata

skills = sa.Table(
    "skills",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String(64), nullable=False, unique=True),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("category", sa.String(64), nullable=False),
    sa.Column("is_system", sa.Boolean, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False),
    # Path below the skill's directory to the SHA-256 of the file there, as the last commit left it.
    sa.Column("manifest", JSONText, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sqlite_autoincrement=True,
)

skill_tools = sa.Table(
    "skill_tools",
    metadata,
    sa.Column("skill_id", sa.Integer, sa.ForeignKey("skills.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("tool_id", sa.Integer, sa.ForeignKey("tools.id", ondelete="CASCADE"), primary_key=True),
    sa.Index("ix_skill_tools_tool_id", "tool_id"),
)

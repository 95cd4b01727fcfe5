"""Table of context files. Their bytes are files."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import Timestamp, metadata

context_files = sa.Table(
    "context_files",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("filename", sa.String(255), nullable=False),
    # In small letters: some file systems take `A.md` and `a.md` for one name.
    sa.Column("name_key", sa.String(255), nullable=False, unique=True),
    sa.Column("original_name", sa.String(255), nullable=False),
    sa.Column("mime_type", sa.String(100), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sa.Index("ix_context_files_filename", "filename"),
    sqlite_autoincrement=True,
)

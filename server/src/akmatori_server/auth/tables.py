"""Tables of credentials: facts of the installation, and API keys."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database.schema import Timestamp, metadata

# Facts there is one of: the administrator's password hash, the secret that signs tokens.
installation = sa.Table(
    "installation",
    metadata,
    sa.Column("name", sa.String(64), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("scope", sa.String(16), nullable=False),
    # SHA-256 of the key. The key is 32 random bytes, so nothing slower is needed: there is no list to try.
    sa.Column("hash", sa.String(64), nullable=False, unique=True),
    # What is shown to tell keys apart: the mask and the last four characters.
    sa.Column("hint", sa.String(32), nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("last_used_at", Timestamp),
    sa.Column("revoked_at", Timestamp),
    # A revoked key gives its name free.
    sa.Index(
        "uq_api_keys_name",
        "name",
        unique=True,
        sqlite_where=sa.text("revoked_at IS NULL"),
        postgresql_where=sa.text("revoked_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)

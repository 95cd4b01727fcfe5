"""Table of the audit trail. Rows are added and read, never changed."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import JSONText, Timestamp, metadata

ACTOR_LENGTH = 255
TARGET_LENGTH = 255
REMOTE_LENGTH = 64
REQUEST_ID_LENGTH = 200

audit_entries = sa.Table(
    "audit_entries",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("created_at", Timestamp, nullable=False),
    # user, api_key, anonymous or system.
    sa.Column("actor_kind", sa.String(16), nullable=False),
    sa.Column("actor", sa.String(ACTOR_LENGTH), nullable=False),
    sa.Column("action", sa.String(64), nullable=False),
    sa.Column("target", sa.String(TARGET_LENGTH), nullable=False),
    sa.Column("remote", sa.String(REMOTE_LENGTH), nullable=False),
    sa.Column("request_id", sa.String(REQUEST_ID_LENGTH), nullable=False),
    # As the API shows the thing, secrets masked; NULL where there was, or is, nothing.
    sa.Column("before", JSONText),
    sa.Column("after", JSONText),
    # One for each filter, in the order of the list.
    sa.Index("ix_audit_entries_created_at", "created_at"),
    sa.Index("ix_audit_entries_actor_id", "actor", "id"),
    sa.Index("ix_audit_entries_action_id", "action", "id"),
    sa.Index("ix_audit_entries_target_id", "target", "id"),
    sqlite_autoincrement=True,
)

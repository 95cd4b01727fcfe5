"""Table of silences; a maintenance window is a silence that begins later."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import JSONText, Timestamp, metadata

silences = sa.Table(
    "silences",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("uuid", sa.String(36), nullable=False, unique=True),
    # A list of {name, operator, value}; all of them must match.
    sa.Column("matchers", JSONText, nullable=False),
    sa.Column("starts_at", Timestamp, nullable=False),
    sa.Column("ends_at", Timestamp, nullable=False),
    sa.Column("created_by", sa.String(255), nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    # When the alerts that were still firing at its end were given to incidents; NULL while that is to be done.
    sa.Column("released_at", Timestamp),
    # When its matchers were changed while it held alerts, some of which it may no longer be about; NULL when there is
    # nothing to look at again.
    sa.Column("matchers_changed_at", Timestamp),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
    sa.Index("ix_silences_ends_at", "ends_at"),
    sqlite_autoincrement=True,
)

"""Table of the correlation rules that were set by the API: one row, the whole document."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import JSONText, Timestamp, metadata

correlation_rules = sa.Table(
    "correlation_rules",
    metadata,
    # Always 1.
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("document", JSONText, nullable=False),
    # Raised by every write: tells whether what was read is still what is stored.
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("updated_at", Timestamp, nullable=False),
)

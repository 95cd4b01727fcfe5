"""The table of clusters: what each said when it was last asked."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import JSONText, Timestamp, metadata

k8s_clusters = sa.Table(
    "k8s_clusters",
    metadata,
    sa.Column("name", sa.String(63), primary_key=True),
    sa.Column("endpoint", sa.Text, nullable=False),
    sa.Column("version", sa.String(64), nullable=False),
    sa.Column("region", sa.String(100), nullable=False),
    sa.Column("provider", sa.String(100), nullable=False),
    # NULL: could not be read.
    sa.Column("nodes", sa.Integer),
    sa.Column("nodes_ready", sa.Integer),
    sa.Column("nodes_pressed", sa.Integer),
    sa.Column("pods", sa.Integer),
    sa.Column("conditions", JSONText, nullable=False),
    sa.Column("components", JSONText),
    # When it last answered; NULL: never.
    sa.Column("heartbeat_at", Timestamp),
    # When it was last asked, and what was wrong then; "" for an answer.
    sa.Column("asked_at", Timestamp, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
)

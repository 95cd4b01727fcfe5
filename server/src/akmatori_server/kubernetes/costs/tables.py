"""Tables of what was used, a row for each container and day, and of what everything cost, a row for each day."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import JSONText, Timestamp, metadata

k8s_usage_days = sa.Table(
    "k8s_usage_days",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("target", sa.String(63), nullable=False),
    # In UTC, as 2026-05-15.
    sa.Column("day", sa.String(10), nullable=False),
    sa.Column("namespace", sa.String(63), nullable=False),
    sa.Column("kind", sa.String(63), nullable=False),
    sa.Column("name", sa.String(253), nullable=False),
    sa.Column("container", sa.String(63), nullable=False),
    # Histograms of all its pods: cores, and bytes.
    sa.Column("cpu", JSONText, nullable=False),
    sa.Column("memory", JSONText, nullable=False),
    # How often the cluster was asked while it was there.
    sa.Column("rounds", sa.Integer, nullable=False),
    sa.Column("first_at", Timestamp, nullable=False),
    sa.Column("last_at", Timestamp, nullable=False),
    sa.UniqueConstraint("target", "day", "namespace", "kind", "name", "container"),
    sqlite_autoincrement=True,
)

k8s_cost_days = sa.Table(
    "k8s_cost_days",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("day", sa.String(10), nullable=False, unique=True),
    # US dollars a month, as it was reckoned last on that day.
    sa.Column("monthly_cost", sa.Float, nullable=False),
    sqlite_autoincrement=True,
)

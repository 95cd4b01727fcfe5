"""Tables of the newest comparison: when it was made of what, and the differences it found."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import JSONText, Timestamp, metadata

k8s_drift_checks = sa.Table(
    "k8s_drift_checks",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("target", sa.String(63), nullable=False, unique=True),
    sa.Column("checked_at", Timestamp, nullable=False),
    # Where the desired state was read: type, url, revision, path.
    sa.Column("source", JSONText, nullable=False),
    # Namespace to its number of objects: desired ones, and live ones that are not.
    sa.Column("managed", JSONText, nullable=False),
    sa.Column("unmanaged", JSONText, nullable=False),
    # Every namespace that is live or desired.
    sa.Column("namespaces", JSONText, nullable=False),
    # Sentences about what was not compared.
    sa.Column("problems", JSONText, nullable=False),
    sqlite_autoincrement=True,
)

k8s_drifts = sa.Table(
    "k8s_drifts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("target", sa.String(63), nullable=False),
    # Stays the same while the difference is there.
    sa.Column("fingerprint", sa.String(32), nullable=False),
    sa.Column("namespace", sa.String(253), nullable=False),
    sa.Column("type", sa.String(16), nullable=False),
    sa.Column("severity", sa.String(16), nullable=False),
    # The place of the severity, the worst first.
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("api_version", sa.String(330), nullable=False),
    sa.Column("kind", sa.String(63), nullable=False),
    sa.Column("name", sa.String(253), nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    sa.Column("operation", sa.String(16)),
    # JSON texts, masked where they may be secrets.
    sa.Column("desired_value", sa.Text),
    sa.Column("live_value", sa.Text),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("manager", sa.Text, nullable=False),
    sa.Column("source_file", sa.Text, nullable=False),
    sa.Column("source_line", sa.Integer),
    sa.Column("is_redacted", sa.Boolean, nullable=False),
    # When it was first seen.
    sa.Column("detected_at", Timestamp, nullable=False),
    sa.UniqueConstraint("target", "fingerprint"),
    sa.Index("ix_k8s_drifts_target_namespace_rank", "target", "namespace", "rank"),
    sqlite_autoincrement=True,
)

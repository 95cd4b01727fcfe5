"""Tables of scans: what is scanned again and again, each scan of it, and what they found.

A finding is one row for as long as scans of its scope see it unchanged: scans of a scope are numbered, and the row
says from which to which number it was seen. A report is the rows whose numbers enclose its own.
"""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import JSONText, Timestamp, metadata

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

k8s_scan_scopes = sa.Table(
    "k8s_scan_scopes",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    # Hash of what is scanned.
    sa.Column("key", sa.String(64), nullable=False, unique=True),
    sa.Column("plan", JSONText, nullable=False),
    # The newest scan that came to an end with findings: its number, 0 before the first, and its end.
    sa.Column("newest_seq", sa.Integer, nullable=False),
    sa.Column("newest_phase", sa.String(16)),
    sa.Column("newest_at", Timestamp),
    # When a scan of it was asked for last.
    sa.Column("used_at", Timestamp, nullable=False),
    sqlite_autoincrement=True,
)

k8s_scans = sa.Table(
    "k8s_scans",
    metadata,
    sa.Column("id", _BIG, primary_key=True, autoincrement=True),
    sa.Column("scan_id", sa.String(64), nullable=False, unique=True),
    sa.Column("scope_id", sa.Integer, sa.ForeignKey("k8s_scan_scopes.id"), nullable=False),
    # The scope while the scan waits or runs: no other scan of it can begin. NULL afterwards.
    sa.Column("active_scope", sa.Integer, unique=True),
    sa.Column("phase", sa.String(16), nullable=False),
    sa.Column("trigger", sa.String(16), nullable=False),
    sa.Column("triggered_by", sa.String(300), nullable=False),
    sa.Column("name", sa.String(253), nullable=False),
    sa.Column("schedule", sa.String(100), nullable=False),
    # Names with commas around each.
    sa.Column("scanners", sa.String(300), nullable=False),
    sa.Column("frameworks", JSONText, nullable=False),
    sa.Column("plan", JSONText, nullable=False),
    # How often it was begun; only the newest beginning may write.
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("created_at", Timestamp, nullable=False),
    sa.Column("started_at", Timestamp),
    sa.Column("heartbeat_at", Timestamp),
    sa.Column("completed_at", Timestamp),
    # Its number among the scans of its scope; NULL when it brought no findings.
    sa.Column("seq", sa.Integer),
    sa.Column("errors", JSONText, nullable=False),
    sa.Column("warnings", JSONText, nullable=False),
    sa.Column("summary", JSONText),
    sa.Column("compliance", JSONText),
    sa.Index("ix_k8s_scans_scope_id_seq", "scope_id", "seq"),
    sqlite_autoincrement=True,
)

k8s_finding_texts = sa.Table(
    "k8s_finding_texts",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    # Hash of all the rest: what a check says is the same for thousands of findings.
    sa.Column("digest", sa.String(32), nullable=False, unique=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("recommendation", sa.Text, nullable=False),
    sa.Column("controls", JSONText, nullable=False),
    sqlite_autoincrement=True,
)

k8s_findings = sa.Table(
    "k8s_findings",
    metadata,
    sa.Column("id", _BIG, primary_key=True, autoincrement=True),
    sa.Column("scope_id", sa.Integer, sa.ForeignKey("k8s_scan_scopes.id"), nullable=False),
    sa.Column("fingerprint", sa.String(32), nullable=False),
    # Hash of what can change of a finding: when it does, another row goes on.
    sa.Column("digest", sa.String(32), nullable=False),
    # The first and the last scan that saw it so.
    sa.Column("first_seq", sa.Integer, nullable=False),
    sa.Column("last_seq", sa.Integer, nullable=False),
    # The last scan that did not find it gone: a scan that could not look says nothing.
    sa.Column("held_seq", sa.Integer, nullable=False),
    # The scan that saw it otherwise, or again after it was gone; NULL for the newest row of a fingerprint.
    sa.Column("replaced_seq", sa.Integer),
    sa.Column("first_seen_at", Timestamp, nullable=False),
    sa.Column("last_seen_at", Timestamp, nullable=False),
    # The place of its severity, the worst first.
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("category", sa.String(32), nullable=False),
    sa.Column("check_id", sa.String(100), nullable=False),
    sa.Column("text_id", sa.Integer, sa.ForeignKey("k8s_finding_texts.id"), nullable=False),
    sa.Column("cluster", sa.String(63), nullable=False),
    sa.Column("namespace", sa.String(253), nullable=False),
    sa.Column("kind", sa.String(63), nullable=False),
    sa.Column("name", sa.String(253), nullable=False),
    sa.Column("is_suppressed", sa.Boolean, nullable=False),
    # What nobody filters by, as the API has it.
    sa.Column("body", JSONText, nullable=False),
    sa.UniqueConstraint("scope_id", "fingerprint", "first_seq"),
    sa.Index("ix_k8s_findings_scope_id_rank_id", "scope_id", "rank", "id"),
    sa.Index("ix_k8s_findings_scope_id_held_seq_first_seq", "scope_id", "held_seq", "first_seq"),
    sqlite_autoincrement=True,
)

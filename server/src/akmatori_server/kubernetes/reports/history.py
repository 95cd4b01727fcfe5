"""What is kept: the newest reports of a scope, the findings they tell, and the scopes that are in use."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.database import Database
from akmatori_server.kubernetes.reports.tables import k8s_findings, k8s_scan_scopes, k8s_scans

REPORTS = 10
SCOPES = 50
# Rows deleted in one transaction.
_CHUNK = 2_000


def shorten(database: Database, scope_id: int, *, reports: int = REPORTS) -> None:
    """Delete the reports of a scope beyond the newest, and what only they tell."""
    with database.write() as connection:
        newest = connection.execute(
            sa.select(k8s_scan_scopes.c.newest_seq).where(k8s_scan_scopes.c.id == scope_id)
        ).scalar_one_or_none()
        if newest is None:
            return
        ended = sa.and_(k8s_scans.c.scope_id == scope_id, k8s_scans.c.active_scope.is_(None))
        kept = sa.select(k8s_scans.c.id).where(ended).order_by(k8s_scans.c.id.desc()).limit(reports)
        # What is known now is told by the newest report, however many failed after it.
        is_newest = sa.and_(k8s_scans.c.seq.is_not(None), k8s_scans.c.seq == newest)
        connection.execute(sa.delete(k8s_scans).where(ended, k8s_scans.c.id.not_in(kept), sa.not_(is_newest)))
        oldest = connection.execute(
            sa.select(sa.func.min(k8s_scans.c.seq)).where(k8s_scans.c.scope_id == scope_id)
        ).scalar_one()
    if oldest is not None:
        _delete(database, (k8s_findings.c.scope_id == scope_id) & (k8s_findings.c.held_seq < oldest))


def drop_unused(database: Database, *, scopes: int = SCOPES) -> None:
    """Delete the scopes that were not scanned for longest, with all their reports."""
    with database.read() as connection:
        busy = sa.select(k8s_scans.c.active_scope).where(k8s_scans.c.active_scope.is_not(None))
        query = (
            sa.select(k8s_scan_scopes.c.id)
            .where(k8s_scan_scopes.c.id.not_in(busy))
            .order_by(k8s_scan_scopes.c.used_at.desc(), k8s_scan_scopes.c.id.desc())
            .offset(scopes)
        )
        unused = list(connection.execute(query).scalars())
    for scope_id in unused:
        _drop(database, scope_id)


def _drop(database: Database, scope_id: int) -> None:
    # Without a number nobody reads the findings any more, while they are deleted piece by piece.
    with database.write() as connection:
        connection.execute(
            sa.update(k8s_scan_scopes).where(k8s_scan_scopes.c.id == scope_id).values(newest_seq=0)
        )
        connection.execute(
            sa.delete(k8s_scans).where(k8s_scans.c.scope_id == scope_id, k8s_scans.c.active_scope.is_(None))
        )
        # A scan of it that begins meanwhile has rows of its own.
        last = connection.execute(sa.select(sa.func.coalesce(sa.func.max(k8s_findings.c.id), 0))).scalar_one()
    _delete(database, (k8s_findings.c.scope_id == scope_id) & (k8s_findings.c.id <= last))
    with database.write() as connection:
        in_use = sa.exists().where(k8s_scans.c.scope_id == k8s_scan_scopes.c.id)
        connection.execute(sa.delete(k8s_scan_scopes).where(k8s_scan_scopes.c.id == scope_id, ~in_use))


def _delete(database: Database, condition: sa.ColumnElement[bool]) -> None:
    while True:
        some = sa.select(k8s_findings.c.id).where(condition).limit(_CHUNK)
        with database.write() as connection:
            deleted = connection.execute(sa.delete(k8s_findings).where(k8s_findings.c.id.in_(some))).rowcount
        if deleted < _CHUNK:
            return

"""Reading what scans found: the report of one, and the findings of the newest of every scope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa

from akmatori_sdk._generated.aotanami import models
from akmatori_server.errors import NotFound
from akmatori_server.kubernetes.reports import finding_queries, scan_store
from akmatori_server.kubernetes.reports.answers import Seen, finding_of, severity_counts, summary_of
from akmatori_server.kubernetes.reports.finding_queries import Condition, FindingFilter
from akmatori_server.kubernetes.reports.outcome import security_score
from akmatori_server.kubernetes.reports.scan_store import Scope
from akmatori_server.kubernetes.reports.tables import k8s_findings


@attrs.frozen(kw_only=True)
class ClusterPosture:
    """How one cluster, or one folder, stands after its newest scans."""

    findings_by_severity: models.SeverityCounts
    security_score: float
    last_scan_at: datetime


def newest_summary(connection: sa.Connection, target: str) -> ClusterPosture | None:
    """Return how a target stands; None before its first scan has ended."""
    view = _newest_view(connection, frozenset({target}))
    if not view.scopes:
        return None
    counts: dict[models.Severity, int] = {}
    for one in finding_queries.counts(connection, [view.condition(is_gone=False)]):
        counts[one.severity] = counts.get(one.severity, 0) + one.number
    return ClusterPosture(
        findings_by_severity=severity_counts(counts),
        security_score=security_score(counts),
        last_scan_at=max(scope.newest_at for scope in view.scopes if scope.newest_at is not None),
    )


def open_findings(
    connection: sa.Connection, target: str, min_severity: models.Severity
) -> Iterator[models.Finding]:
    """Yield what is wrong in a target after its newest scans, the worst first; what an exception covers is not."""
    view = _newest_view(connection, frozenset({target}))
    wanted = FindingFilter(min_severity=min_severity).conditions(connection)
    counts = sa.not_(k8s_findings.c.is_suppressed)
    for row in finding_queries.each(connection, [view.condition(is_gone=False), counts, *wanted]):
        yield finding_of(row, view.seen(row))


@attrs.frozen
class _NewestView:
    """The newest scans, of which each tells what no newer one does."""

    scopes: Sequence[Scope]
    targets: frozenset[str]
    scans: dict[tuple[int, int], sa.Row[Any]]

    def condition(self, *, is_gone: bool) -> Condition:
        kind = finding_queries.is_gone if is_gone else finding_queries.is_open
        return finding_queries.across(self.scopes, self.targets, kind)

    def seen(self, row: sa.Row[Any]) -> Seen:
        newest_seq = next(scope.newest_seq for scope in self.scopes if scope.id == row.scope_id)
        scan = self.scans.get((row.scope_id, min(row.last_seq, newest_seq)))
        return Seen(
            scan_id=None if scan is None else scan.scan_id,
            last_seen=row.last_seen_at,
            remediated=row.held_seq < newest_seq,
        )


def _newest_view(connection: sa.Connection, targets: frozenset[str]) -> _NewestView:
    scopes = finding_queries.newest(scan_store.scopes(connection), targets)
    return _NewestView(scopes, targets, scan_store.numbers(connection, [scope.id for scope in scopes]))


@attrs.frozen
class _ScanView:
    """One scan, and what became of its findings."""

    scan: sa.Row[Any]
    newest_seq: int

    def conditions(self, remediated: bool | None) -> list[Condition]:
        if self.scan.seq is None:
            return [sa.false()]
        found = [finding_queries.found_by(self.scan.scope_id, self.scan.seq)]
        if remediated is not None:
            columns = k8s_findings.c
            other = k8s_findings.alias("newest")
            is_there = (
                sa.exists()
                .where(
                    other.c.scope_id == columns.scope_id,
                    other.c.fingerprint == columns.fingerprint,
                    other.c.first_seq <= self.newest_seq,
                    other.c.held_seq >= self.newest_seq,
                )
                .correlate(k8s_findings)
            )
            found.append(sa.not_(is_there) if remediated else is_there)
        return found

    def findings(self, connection: sa.Connection, rows: Sequence[sa.Row[Any]]) -> list[models.Finding]:
        there = finding_queries.still_open(
            connection, self.scan.scope_id, self.newest_seq, [row.fingerprint for row in rows]
        )
        return [
            finding_of(
                row,
                Seen(
                    scan_id=self.scan.scan_id,
                    last_seen=self.scan.completed_at,
                    remediated=row.fingerprint not in there,
                ),
            )
            for row in rows
        ]


@attrs.frozen(kw_only=True)
class ReportPage:
    """A part of the findings of a scan, and what the answer's version depends on."""

    scan: sa.Row[Any]
    newest_seq: int
    findings: list[models.Finding]
    total: int
    compliance: list[Any]


def scan_row(connection: sa.Connection, scan_id: str) -> sa.Row[Any]:
    """Return one scan.

    Raises:
        NotFound: there is none of this id.
    """
    row = scan_store.get(connection, scan_id)
    if row is None:
        raise NotFound(f"No scan has the id {scan_id}.")
    return row


def version_of(connection: sa.Connection, scan: sa.Row[Any]) -> tuple[object, ...]:
    """Return what a report of a scan changes with."""
    newest_seq = scan_store.scope(connection, scan.scope_id).newest_seq
    return (scan.scan_id, scan.phase, scan.attempt, scan.completed_at, newest_seq)


def report_page(
    connection: sa.Connection, scan: sa.Row[Any], wanted: FindingFilter, *, offset: int, limit: int
) -> ReportPage:
    """Return a part of what a scan found."""
    view = _ScanView(scan, scan_store.scope(connection, scan.scope_id).newest_seq)
    conditions = [*view.conditions(None), *wanted.conditions(connection)]
    rows, total = finding_queries.page(connection, conditions, offset=offset, limit=limit)
    return ReportPage(
        scan=scan,
        newest_seq=view.newest_seq,
        findings=view.findings(connection, rows),
        total=total,
        compliance=scan_store.compliance(connection, scan.scan_id),
    )


def findings_page(
    connection: sa.Connection,
    targets: frozenset[str],
    wanted: FindingFilter,
    scan_id: str | None,
    *,
    offset: int,
    limit: int,
) -> tuple[list[models.Finding], int]:
    """Return a part of the findings, the worst first, and how many there are.

    Raises:
        NotFound: there is no scan of the id asked for.
    """
    conditions = wanted.conditions(connection)
    if scan_id is not None:
        scan = scan_row(connection, scan_id)
        of_scan = _ScanView(scan, scan_store.scope(connection, scan.scope_id).newest_seq)
        conditions += of_scan.conditions(wanted.remediated)
        rows, total = finding_queries.page(connection, conditions, offset=offset, limit=limit)
        return of_scan.findings(connection, rows), total
    view = _newest_view(connection, targets)
    conditions.append(view.condition(is_gone=wanted.remediated is True))
    rows, total = finding_queries.page(connection, conditions, offset=offset, limit=limit)
    return [finding_of(row, view.seen(row)) for row in rows], total


def findings_summary(
    connection: sa.Connection, targets: frozenset[str], wanted: FindingFilter, scan_id: str | None
) -> models.FindingsSummary:
    """Return the findings in numbers.

    Raises:
        NotFound: there is no scan of the id asked for.
    """
    conditions = wanted.conditions(connection)
    if scan_id is not None:
        scan = scan_row(connection, scan_id)
        of_scan = _ScanView(scan, scan_store.scope(connection, scan.scope_id).newest_seq)
        counted = finding_queries.counts(connection, [*conditions, *of_scan.conditions(wanted.remediated)])
        return summary_of(counted, resources=_resources(scan), last_scan_at=scan.completed_at)
    view = _newest_view(connection, targets)
    conditions.append(view.condition(is_gone=wanted.remediated is True))
    ends = [scope.newest_at for scope in view.scopes if scope.newest_at is not None]
    scans = [view.scans.get((scope.id, scope.newest_seq)) for scope in view.scopes]
    return summary_of(
        finding_queries.counts(connection, conditions),
        # Scopes may overlap: the sum would count resources twice.
        resources=max((_resources(scan) for scan in scans if scan is not None), default=0),
        last_scan_at=max(ends, default=None),
    )


def _resources(scan: sa.Row[Any]) -> int:
    return 0 if scan.summary is None else int(scan.summary["resourcesScanned"])

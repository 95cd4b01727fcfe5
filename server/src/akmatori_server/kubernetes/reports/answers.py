"""Scans and findings in the form of the API. What is not known is left out, never null."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.aotanami import models
from akmatori_sdk._generated.aotanami.codec import (
    decode_control_ref,
    decode_manifest_position,
    decode_resource_ref,
    decode_scan_summary,
    decode_scanner_error,
)
from akmatori_server.http.optional import or_left_out
from akmatori_server.kubernetes.reports.finding_queries import Counted
from akmatori_server.kubernetes.reports.outcome import category_counts, security_score
from akmatori_server.kubernetes.reports.plan import StoredPlan
from akmatori_server.kubernetes.scans.model import SEVERITIES, rank

MOST_NAMESPACES = 10_000
MOST_CHECKS = 20


@attrs.frozen(kw_only=True)
class Seen:
    """What the scans say about a finding."""

    scan_id: str | None
    last_seen: datetime
    remediated: bool


def report_id(scan_id: str) -> str:
    """Return the identifier of the report of a scan."""
    return "report-" + scan_id.removeprefix("scan-")


def scan_of(row: sa.Row[Any]) -> models.Scan:
    """Return a scan."""
    plan: StoredPlan = row.plan
    has_ended = row.completed_at is not None
    summary: models.ScanSummary | Unset = UNSET if row.summary is None else decode_scan_summary(row.summary)
    return models.Scan(
        id=row.scan_id,
        phase=models.ScanPhase(row.phase),
        name=row.name or UNSET,
        scanners=[models.Category(name) for name in plan["scanners"]],
        scope=models.ScanScope(
            namespaces=plan["namespaces"],
            exclude_namespaces=plan["excluded"],
            label_selector=plan["labels"] or UNSET,
        ),
        compliance_frameworks=[models.Framework(name) for name in row.frameworks],
        clusters=plan["targets"],
        schedule=row.schedule or UNSET,
        trigger=models.ScanTrigger(row.trigger),
        triggered_by=row.triggered_by or UNSET,
        started_at=or_left_out(row.started_at),
        completed_at=or_left_out(row.completed_at),
        duration_seconds=(
            max(0, int((row.completed_at - row.started_at).total_seconds()))
            if has_ended and row.started_at is not None
            else UNSET
        ),
        findings_count=UNSET if summary is UNSET else summary.total_findings,
        summary=summary,
        report_id=report_id(row.scan_id) if has_ended else UNSET,
        errors=[decode_scanner_error(error) for error in row.errors] if has_ended else UNSET,
    )


def finding_of(row: sa.Row[Any], seen: Seen) -> models.Finding:
    """Return a finding."""
    body: dict[str, Any] = row.body
    category = models.Category(row.category)
    severity: models.Severity = SEVERITIES[int(row.rank)]
    return models.Finding(
        id=row.fingerprint,
        severity=severity,
        category=category,
        title=row.title,
        description=row.description,
        resource=models.ResourceRef(
            kind=row.kind,
            name=row.name,
            namespace=row.namespace or UNSET,
            api_version=body.get("apiVersion") or UNSET,
        ),
        recommendation=row.recommendation or UNSET,
        remediated=seen.remediated,
        check_id=row.check_id,
        scanner=category,
        container=body.get("container", UNSET),
        field_path=body.get("fieldPath", UNSET),
        evidence=body.get("evidence", UNSET),
        workload=decode_resource_ref(body["workload"]) if "workload" in body else UNSET,
        controls=[decode_control_ref(control) for control in row.controls],
        scan_id=seen.scan_id or UNSET,
        cluster=row.cluster or UNSET,
        source=decode_manifest_position(body["source"]) if "source" in body else UNSET,
        first_seen=row.first_seen_at,
        last_seen=seen.last_seen,
        occurrences=body.get("occurrences", UNSET),
        suppressed=row.is_suppressed,
        suppression_reason=body.get("suppressionReason", UNSET),
    )


def severity_counts(counts: Mapping[models.Severity, int]) -> models.SeverityCounts:
    """Return the counts in the form of the API."""
    return models.SeverityCounts(
        critical=counts.get(models.Severity.CRITICAL, 0),
        high=counts.get(models.Severity.HIGH, 0),
        medium=counts.get(models.Severity.MEDIUM, 0),
        low=counts.get(models.Severity.LOW, 0),
        info=counts.get(models.Severity.INFO, 0),
    )


def summary_of(
    counted: Sequence[Counted], *, resources: int, last_scan_at: datetime | None
) -> models.FindingsSummary:
    """Return findings in numbers."""
    severities = Counter[models.Severity]()
    categories = Counter[models.Category]()
    checks = Counter[tuple[str, models.Severity]]()
    namespaces = defaultdict[str, Counter[models.Severity]](Counter[models.Severity])
    for one in counted:
        severities[one.severity] += one.number
        categories[one.category] += one.number
        checks[one.check, one.severity] += one.number
        namespaces[one.namespace][one.severity] += one.number
    most = sorted(namespaces.items(), key=lambda item: (-item[1].total(), item[0]))
    often = sorted(checks.items(), key=lambda item: (-item[1], rank(item[0][1]), item[0][0]))
    return models.FindingsSummary(
        total=severities.total(),
        by_severity=severity_counts(severities),
        by_category=category_counts(categories),
        by_namespace=[
            models.NamespaceFindings(namespace=name, total=of.total(), by_severity=severity_counts(of))
            for name, of in most[:MOST_NAMESPACES]
        ],
        top_checks=[
            models.CheckCount(check_id=check, count=number, severity=severity)
            for (check, severity), number in often[:MOST_CHECKS]
        ],
        resources_scanned=resources,
        # Nothing was looked at before the first scan, which is no reason for a good mark.
        security_score=UNSET if last_scan_at is None else security_score(severities),
        last_scan_at=or_left_out(last_scan_at),
    )

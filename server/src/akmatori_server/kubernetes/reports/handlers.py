"""The operations on scans and findings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.aotanami import models
from akmatori_sdk._generated.aotanami.codec import decode_compliance_result, decode_scan_summary
from akmatori_server.errors import BadRequest
from akmatori_server.etag import etag_of, has_already
from akmatori_server.http.call import Answer, Call
from akmatori_server.http.optional import given
from akmatori_server.kubernetes.paging import Page, single
from akmatori_server.kubernetes.reports.answers import report_id, scan_of
from akmatori_server.kubernetes.reports.finding_queries import FindingFilter
from akmatori_server.kubernetes.reports.label_selector import parse_selector
from akmatori_server.kubernetes.reports.plan import Plan
from akmatori_server.kubernetes.reports.reader import ReportPage
from akmatori_server.kubernetes.reports.scan_store import Wanted
from akmatori_server.kubernetes.reports.service import FRAMEWORKS, ScanService
from akmatori_server.kubernetes.scans.model import SYSTEM_NAMESPACES

T = TypeVar("T")
V = TypeVar("V", str, bool, models.Severity)

_NO_NUMBERS = models.ScanSummary(
    total_findings=0, critical=0, high=0, medium=0, low=0, info=0, resources_scanned=0
)


class ScanHandlers:
    """Handlers of the tag `scans`."""

    def __init__(self, scans: ScanService) -> None:
        self._scans = scans

    def list_scans(
        self,
        _call: Call,
        /,
        *,
        page: int | Unset,
        page_size: int | Unset,
        phase: list[models.ScanPhase] | Unset,
        scanner: list[models.Category] | Unset,
        since: datetime | Unset,
        until: datetime | Unset,
    ) -> models.ScanPage:
        """List scans, newest first."""
        wanted = Wanted(
            phases=_all(phase),
            scanners=_all(scanner),
            since=given(since),
            until=given(until),
        )
        asked = Page.asked(page, page_size)
        found, total = self._scans.page(wanted, offset=asked.offset, limit=asked.size)
        return models.ScanPage(data=found, metadata=asked.metadata(total))

    def trigger_scan(self, call: Call, /, *, body: models.ScanRequest | Unset) -> Answer[models.ScanEnvelope]:
        """Start a scan."""
        request = models.ScanRequest() if body is UNSET else body
        plan = _plan(self._scans, request)
        scan = self._scans.trigger(
            call,
            plan,
            frameworks=tuple(dict.fromkeys(request.compliance_frameworks or FRAMEWORKS)),
            name=request.name or "",
        )
        return Answer(
            models.ScanEnvelope(data=scan, metadata=single()),
            headers={"Location": f"/api/v1/scans/{scan.id}"},
        )

    def get_scan(self, _call: Call, /, *, id: str) -> models.ScanEnvelope:  # noqa: A002  the contract's name
        """Read the state of a scan."""
        return models.ScanEnvelope(data=self._scans.get(id), metadata=single())

    def get_scan_report(
        self,
        call: Call,
        /,
        *,
        id: str,  # noqa: A002  the name of the parameter in the contract
        page: int | Unset,
        page_size: int | Unset,
        severity: list[models.Severity] | Unset,
        category: list[models.Category] | Unset,
        namespace: list[str] | Unset,
    ) -> Answer[models.ScanReportEnvelope]:
        """Read the report of a scan."""
        asked = Page.asked(page, page_size)
        wanted = FindingFilter(
            severities=_all(severity), categories=_all(category), namespaces=_all(namespace)
        )
        chosen = [sorted(part) for part in (wanted.severities, wanted.categories, wanted.namespaces)]
        etag = etag_of(*self._scans.report_version(id), asked.number, asked.size, chosen)
        headers = {"ETag": etag}
        if has_already(call.headers.get("if-none-match", ""), etag):
            return Answer(_empty(id), headers=headers, status=304)
        report = self._scans.report(id, wanted, offset=asked.offset, limit=asked.size)
        return Answer(
            models.ScanReportEnvelope(data=_report(report), metadata=asked.metadata(report.total)),
            headers=headers,
        )


class FindingHandlers:
    """Handlers of the tag `findings`."""

    def __init__(self, scans: ScanService) -> None:
        self._scans = scans

    def list_findings(
        self,
        _call: Call,
        /,
        *,
        page: int | Unset,
        page_size: int | Unset,
        severity: list[models.Severity] | Unset,
        category: list[models.Category] | Unset,
        min_severity: models.Severity | Unset,
        namespace: list[str] | Unset,
        resource_kind: list[str] | Unset,
        resource_name: str | Unset,
        check_id: list[str] | Unset,
        scan_id: str | Unset,
        cluster: list[str] | Unset,
        remediated: bool | Unset,
        q: str | Unset,
    ) -> models.FindingPage:
        """List findings, worst first."""
        wanted = FindingFilter(
            severities=_all(severity),
            categories=_all(category),
            min_severity=given(min_severity),
            namespaces=_all(namespace),
            kinds=_all(resource_kind),
            name=given(resource_name),
            checks=_all(check_id),
            clusters=_all(cluster),
            text=given(q),
            remediated=given(remediated),
        )
        asked = Page.asked(page, page_size)
        found, total = self._scans.findings(wanted, given(scan_id), offset=asked.offset, limit=asked.size)
        return models.FindingPage(data=found, metadata=asked.metadata(total))

    def get_findings_summary(
        self,
        _call: Call,
        /,
        *,
        severity: list[models.Severity] | Unset,
        category: list[models.Category] | Unset,
        min_severity: models.Severity | Unset,
        namespace: list[str] | Unset,
        resource_kind: list[str] | Unset,
        resource_name: str | Unset,
        check_id: list[str] | Unset,
        scan_id: str | Unset,
        cluster: list[str] | Unset,
        remediated: bool | Unset,
        q: str | Unset,
    ) -> models.FindingsSummaryEnvelope:
        """Read the findings in numbers."""
        wanted = FindingFilter(
            severities=_all(severity),
            categories=_all(category),
            min_severity=given(min_severity),
            namespaces=_all(namespace),
            kinds=_all(resource_kind),
            name=given(resource_name),
            checks=_all(check_id),
            clusters=_all(cluster),
            text=given(q),
            remediated=given(remediated),
        )
        return models.FindingsSummaryEnvelope(
            data=self._scans.summary(wanted, given(scan_id)), metadata=single()
        )


def _plan(scans: ScanService, request: models.ScanRequest) -> Plan:
    scope = request.scope or models.ScanScopeRequest()
    labels = (scope.label_selector or "").strip()
    parse_selector(labels)
    namespaces = frozenset(scope.namespaces or ())
    excluded = frozenset(scope.exclude_namespaces or ())
    for name, values in (("namespaces", namespaces), ("excludeNamespaces", excluded)):
        if "" in values:
            sentence = "A namespace has a name."
            raise BadRequest(f"scope.{name}: {sentence}", details={f"scope.{name}": sentence})
    # Who says nothing of namespaces does not ask for what belongs to Kubernetes itself.
    is_open = not namespaces and not isinstance(scope.exclude_namespaces, list)
    return scans.plan(
        scanners=frozenset(request.scanners or models.Category),
        namespaces=namespaces,
        excluded=SYSTEM_NAMESPACES if is_open else excluded,
        labels=labels,
        min_severity=request.min_severity or models.Severity.INFO,
    )


def _report(report: ReportPage) -> models.ScanReport:
    scan = scan_of(report.scan)
    has_ended = report.scan.completed_at is not None
    return models.ScanReport(
        id=report_id(scan.id),
        scan_ref=scan.id,
        phase=models.ReportPhase.COMPLETE if has_ended else models.ReportPhase.PENDING,
        scan_phase=scan.phase,
        findings=report.findings,
        summary=_NO_NUMBERS if report.scan.summary is None else decode_scan_summary(report.scan.summary),
        compliance=[decode_compliance_result(result) for result in report.compliance],
        errors=scan.errors,
        warnings=report.scan.warnings if has_ended else UNSET,
        created_at=scan.completed_at,
    )


def _empty(scan_id: str) -> models.ScanReportEnvelope:
    """Return what stands in the place of the body of an answer that has none."""
    return models.ScanReportEnvelope(
        data=models.ScanReport(
            id=report_id(scan_id),
            scan_ref=scan_id,
            phase=models.ReportPhase.COMPLETE,
            findings=[],
            summary=_NO_NUMBERS,
            compliance=[],
        ),
        metadata=single(),
    )


def _all(values: Sequence[T] | Unset) -> frozenset[T]:
    return frozenset() if values is UNSET else frozenset(values)

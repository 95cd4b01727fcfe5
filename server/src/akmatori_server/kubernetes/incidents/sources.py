"""What the last scan found and how the last comparison differed, as symptoms of the workloads they are about."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import attrs
import sqlalchemy as sa

from akmatori_sdk._core.model import UNSET
from akmatori_sdk._generated.aotanami.models import EventType, Finding, Severity
from akmatori_server.incidents.storable import storable_text
from akmatori_server.kubernetes.drift.tables import k8s_drift_checks, k8s_drifts
from akmatori_server.kubernetes.incidents.identity import identity_of
from akmatori_server.kubernetes.incidents.model import Key, Origin, Symptom
from akmatori_server.kubernetes.reports import scan_store
from akmatori_server.kubernetes.reports.finding_queries import newest
from akmatori_server.kubernetes.reports.reader import open_findings

# Less than that is for a report, and no incident.
LEAST_SEVERITY = Severity.HIGH
MOST_DRIFTS = 2000


@attrs.frozen(kw_only=True)
class Results:
    """What came of one scan or one comparison."""

    generation: str
    """Another for each."""
    symptoms: tuple[Symptom, ...]


class Source(Protocol):
    """Work that is done less often than clusters are read, and whose results stand until it is done again."""

    @property
    def origin(self) -> Origin:
        """What its results are."""
        ...

    def newer(
        self, connection: sa.Connection, target: str, known: str | None, now: datetime
    ) -> Results | None:
        """Return the newest results of a cluster, None when they are those that are known, or there are none."""
        ...


@attrs.frozen
class FindingSource:
    """Findings of high severity and worse that nobody has accepted, of the newest scans."""

    origin: Origin = attrs.field(default=Origin.FINDINGS, init=False)

    def newer(
        self, connection: sa.Connection, target: str, known: str | None, now: datetime
    ) -> Results | None:
        """Return what the newest scans found; what they could not look for is still there."""
        scopes = newest(scan_store.scopes(connection), frozenset({target}))
        generation = identity_of(*(f"{scope.id}/{scope.newest_seq}" for scope in scopes))
        if not scopes or generation == known:
            return None
        findings = open_findings(connection, target, LEAST_SEVERITY)
        return Results(
            generation=generation, symptoms=tuple(_of_finding(finding, now) for finding in findings)
        )


@attrs.frozen
class DriftSource:
    """Differences of high severity and worse."""

    origin: Origin = attrs.field(default=Origin.DRIFT, init=False)

    def newer(
        self, connection: sa.Connection, target: str, known: str | None, now: datetime
    ) -> Results | None:
        """Return how the newest comparison differs."""
        del now
        checked: datetime | None = connection.execute(
            sa.select(k8s_drift_checks.c.checked_at).where(k8s_drift_checks.c.target == target)
        ).scalar_one_or_none()
        if checked is None or checked.isoformat() == known:
            return None
        query = (
            sa.select(k8s_drifts)
            .where(k8s_drifts.c.target == target)
            .where(k8s_drifts.c.severity.in_([Severity.CRITICAL.value, Severity.HIGH.value]))
            .order_by(k8s_drifts.c.rank, k8s_drifts.c.id)
            .limit(MOST_DRIFTS)
        )
        symptoms = tuple(
            Symptom(
                key=Key(row.namespace[:63], row.kind, row.name),
                type=EventType.DRIFT,
                reason=f"Drift{row.type.capitalize()}",
                severity=Severity(row.severity),
                origin=Origin.DRIFT,
                at=row.detected_at,
                identity=identity_of("drift", row.fingerprint),
                stands=True,
                resource_kind=row.kind,
                resource_name=row.name,
                message=storable_text(row.message, 2000),
                source="drift",
                facts={
                    name: value
                    for name, value in (("fieldPath", row.field), ("manager", row.manager))
                    if value
                },
            )
            for row in connection.execute(query)
        )
        return Results(generation=checked.isoformat(), symptoms=symptoms)


def _of_finding(finding: Finding, now: datetime) -> Symptom:
    about = finding.resource if finding.workload is UNSET else finding.workload
    container = "" if finding.container is UNSET else finding.container
    return Symptom(
        key=Key((about.namespace or "")[:63], about.kind[:63], about.name[:253]),
        type=EventType.SECURITY_VIOLATION,
        reason=str(finding.check_id),
        severity=finding.severity,
        origin=Origin.FINDINGS,
        at=now if finding.first_seen is UNSET else finding.first_seen,
        identity=identity_of("finding", finding.id),
        stands=True,
        container=container[:63],
        resource_kind=finding.resource.kind[:63],
        resource_name=finding.resource.name[:253],
        message=storable_text(finding.title, 2000),
        source=f"scan/{finding.category.value}",
        facts={"findingId": finding.id},
    )

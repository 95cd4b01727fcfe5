"""Incidents and events as rows of their tables."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from akmatori_sdk._generated.aotanami.models import IncidentStatus, Severity
from akmatori_server.kubernetes.incidents.model import Acknowledgement, Case, Event, Fold, Key
from akmatori_server.kubernetes.scans.model import rank


def case_values(case: Case) -> dict[str, Any]:
    """Return what can change of an incident."""
    taken = case.acknowledgement
    return {
        "status": case.status.value,
        "severity": case.severity.value,
        "rank": rank(case.severity),
        "title": case.title,
        "root_cause": case.root_cause,
        "event_count": case.event_count,
        "updated_at": case.updated_at,
        "resolved_at": case.resolved_at,
        "acknowledged_at": None if taken is None else taken.at,
        "acknowledged_by": None if taken is None else taken.by,
        "acknowledgement_note": None if taken is None else taken.note,
        "acknowledgement_expires_at": None if taken is None else taken.expires_at,
    }


def event_values(number: int | None, event: Event) -> dict[str, Any]:
    """Return what can change of an event; `number` is that of its incident."""
    return {
        "incident_id": number,
        "severity": event.severity.value,
        "stands": event.stands,
        "resource_kind": event.resource_kind,
        "resource_name": event.resource_name,
        "message": event.message,
        "source": event.source,
        "facts": dict(event.facts),
        "number": event.count,
        "first_at": event.first_at,
        "last_at": event.last_at,
        "previous_at": event.previous_at,
        "seen_at": event.seen_at,
        "missed": event.missed,
    }


def case_of(row: sa.Row[Any]) -> Case:
    """Return the incident of a row, without its events."""
    taken = None
    if row.acknowledged_at is not None:
        taken = Acknowledgement(
            at=row.acknowledged_at,
            by=row.acknowledged_by,
            note=row.acknowledgement_note or "",
            expires_at=row.acknowledgement_expires_at,
        )
    return Case(
        number=row.id,
        version=row.version,
        key=Key(row.namespace, row.kind, row.name),
        status=IncidentStatus(row.status),
        severity=Severity(row.severity),
        title=row.title,
        root_cause=row.root_cause,
        created_at=row.created_at,
        updated_at=row.updated_at,
        resolved_at=row.resolved_at,
        acknowledgement=taken,
        event_count=row.event_count,
    )


def event_of(row: sa.Row[Any]) -> Event:
    """Return the event of a row."""
    return Event(
        fold=Fold(row.origin, row.type, row.reason, row.container),
        severity=Severity(row.severity),
        stands=row.stands,
        resource_kind=row.resource_kind,
        resource_name=row.resource_name,
        message=row.message,
        source=row.source,
        facts=row.facts,
        count=row.number,
        first_at=row.first_at,
        last_at=row.last_at,
        previous_at=row.previous_at,
        seen_at=row.seen_at,
        missed=row.missed,
    )

"""The operations on Aotanami's incidents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

import sqlalchemy as sa

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.aotanami import codec, models
from akmatori_server.audit import Action, AuditTrail
from akmatori_server.etag import etag_of, require_match
from akmatori_server.http.call import Answer, Call
from akmatori_server.incidents.storable import storable_text
from akmatori_server.kubernetes.incidents.model import Case, Change, Event
from akmatori_server.kubernetes.incidents.service import IncidentService, Told, incident_id
from akmatori_server.kubernetes.incidents.tables import k8s_incidents
from akmatori_server.kubernetes.paging import Page, single
from akmatori_server.kubernetes.scans.model import rank

T = TypeVar("T")

ACTIVE = (models.IncidentStatus.OPEN, models.IncidentStatus.ACKNOWLEDGED)
LONGEST_NAME = 300


class KubernetesIncidentHandlers:
    """Handlers of the tag `incidents`."""

    def __init__(self, incidents: IncidentService, trail: AuditTrail) -> None:
        self._incidents = incidents
        self._trail = trail

    def list_incidents(
        self,
        _call: Call,
        /,
        *,
        page: int | Unset,
        page_size: int | Unset,
        status: list[models.IncidentStatus] | Unset,
        severity: list[models.Severity] | Unset,
        min_severity: models.Severity | Unset,
        namespace: list[str] | Unset,
        resource_kind: list[str] | Unset,
        since: datetime | Unset,
    ) -> models.IncidentPage:
        """List incidents, the worst first, then the newest change."""
        table, conditions = k8s_incidents.c, list[sa.ColumnElement[bool]]()
        wanted = _given(status) or ACTIVE
        conditions.append(table.status.in_([one.value for one in wanted]))
        if severities := _given(severity):
            conditions.append(table.severity.in_([one.value for one in severities]))
        if min_severity is not UNSET:
            conditions.append(table.rank <= rank(min_severity))
        if namespaces := _given(namespace):
            conditions.append(table.namespace.in_([storable_text(one) for one in namespaces]))
        if kinds := _given(resource_kind):
            conditions.append(table.kind.in_([storable_text(one) for one in kinds]))
        if since is not UNSET:
            conditions.append(table.updated_at >= since)
        asked = Page.asked(page, page_size)
        found, total = self._incidents.page(conditions, offset=asked.offset, limit=asked.size)
        return models.IncidentPage(
            data=[_incident(target, case) for target, case in found], metadata=asked.metadata(total)
        )

    def get_incident(self, _call: Call, /, *, id: str) -> Answer[models.IncidentEnvelope]:  # noqa: A002  the name of the parameter in the contract
        """Read one incident with its events."""
        return _answer(self._incidents.get(id))

    def acknowledge_incident(
        self,
        call: Call,
        /,
        *,
        id: str,  # noqa: A002  the name of the parameter in the contract
        if_match: str | Unset,
        body: models.AcknowledgeRequest | Unset,
    ) -> Answer[models.IncidentEnvelope]:
        """Acknowledge an incident."""
        note = "" if body is UNSET or body.note is UNSET else body.note or ""
        given = None if body is UNSET or body.expires_at is UNSET else body.expires_at
        expires_at = None if given is None else _in_utc(given)

        def record(connection: sa.Connection, before: Told, after: Told) -> None:
            self._trail.record(
                connection,
                call,
                Action.KUBERNETES_INCIDENT_ACKNOWLEDGED,
                f"kubernetes_incident:{incident_id(after.case)}",
                codec.encode_incident(_incident(before.target, before.case)),
                codec.encode_incident(_incident(after.target, after.case)),
            )

        done = self._incidents.acknowledge(
            id,
            by=storable_text(call.caller.name, LONGEST_NAME),
            note=storable_text(note.strip()),
            expires_at=expires_at,
            check=lambda told: require_match(if_match, _etag(told)),
            record=record,
        )
        return _answer(done)


def _answer(told: Told) -> Answer[models.IncidentEnvelope]:
    shown = _incident(told.target, told.case)
    shown.events = [_event(told.case, event) for event in told.events]
    shown.history = [_change(change) for change in told.history]
    return Answer(models.IncidentEnvelope(data=shown, metadata=single()), headers={"ETag": _etag(told)})


def _etag(told: Told) -> str:
    # When the events of a resolved incident have been forgotten, it is told without them.
    return etag_of(told.case.number, told.case.version, len(told.events))


def _incident(target: str, case: Case) -> models.Incident:
    taken = case.acknowledgement
    return models.Incident(
        id=incident_id(case),
        severity=case.severity,
        title=case.title,
        status=case.status,
        namespace=case.key.namespace,
        resource=case.key.name,
        resource_kind=case.key.kind,
        event_count=case.event_count,
        created_at=case.created_at,
        updated_at=case.updated_at,
        resolved=case.status is models.IncidentStatus.RESOLVED,
        acknowledged=taken is not None,
        acknowledged_at=UNSET if taken is None else taken.at,
        acknowledged_by=UNSET if taken is None else taken.by,
        acknowledgement_note=UNSET if taken is None else taken.note or UNSET,
        acknowledgement_expires_at=UNSET if taken is None or taken.expires_at is None else taken.expires_at,
        resolved_at=UNSET if case.resolved_at is None else case.resolved_at,
        root_cause=case.root_cause or UNSET,
        cluster=target,
    )


def _event(case: Case, event: Event) -> models.IncidentEvent:
    return models.IncidentEvent(
        type=event.type,
        severity=event.severity,
        timestamp=event.last_at,
        first_timestamp=event.first_at,
        count=event.count,
        source=event.source or UNSET,
        namespace=case.key.namespace or UNSET,
        resource=event.resource_name or UNSET,
        resource_kind=event.resource_kind or UNSET,
        message=event.message or UNSET,
        metadata={"reason": event.fold.reason, **event.facts},
    )


def _change(change: Change) -> models.IncidentChange:
    return models.IncidentChange(
        at=change.at, kind=change.kind, by=change.by or UNSET, note=change.note or UNSET
    )


def _in_utc(moment: datetime) -> datetime:
    """Return the moment in UTC; one at the end of time, which in UTC is beyond it, as it is written."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return moment.replace(tzinfo=UTC)


def _given(value: Sequence[T] | Unset) -> Sequence[T]:
    return () if value is UNSET else value

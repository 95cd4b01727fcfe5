"""Answers the operations of the tag `incidents`."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.audit import Action, AuditTrail
from akmatori_server.etag import etag_of
from akmatori_server.events import EventKind, EventLog, NewEvent, incident_data
from akmatori_server.http.call import Answer, Call
from akmatori_server.http.once import KeyedCreate
from akmatori_server.http.optional import given, or_left_out
from akmatori_server.incidents.control import InvestigationControl, Record
from akmatori_server.incidents.cursor import EPOCH
from akmatori_server.incidents.models import CreatedBetween, Incident, NewIncident, OpenedIncident
from akmatori_server.incidents.service import IncidentService, Opening, requested_by_task
from akmatori_server.pagination import PageRequest, pagination_of, requested_page

NOTICE = "The incident is stored; its investigation starts now."
CREATE = KeyedCreate(
    "createIncident", codec.encode_create_incident_result, codec.decode_create_incident_result
)


class IncidentHandlers:
    """Incidents over HTTP."""

    def __init__(
        self, incidents: IncidentService, control: InvestigationControl, trail: AuditTrail, events: EventLog
    ) -> None:
        self._incidents = incidents
        self._control = control
        self._trail = trail
        self._events = events

    def list_incidents(
        self,
        _call: Call,
        /,
        *,
        page: int | Unset,
        per_page: int | Unset,
        cursor: str | Unset,
        from_: int | Unset,
        to: int | Unset,
        include: models.IncidentInclude | Unset,
    ) -> models.IncidentPage:
        """List incidents, newest first."""
        request = requested_page(page, per_page) or PageRequest()
        found = self._incidents.page(
            request,
            cursor=given(cursor),
            bounds=CreatedBetween(earliest=_moment(from_), latest=_moment(to)),
            with_log=include == models.IncidentInclude.LOG,
        )
        return models.IncidentPage(
            data=[incident_model(incident, log) for incident, log in found.items],
            pagination=pagination_of(request, found.total, next_cursor=found.next_cursor),
        )

    def create_incident(
        self, call: Call, /, *, idempotency_key: str | Unset, body: models.CreateIncidentRequest
    ) -> models.CreateIncidentResult:
        """Open an incident and queue its investigation."""
        new = requested_by_task(body.task, body.context or None)
        with self._incidents.opening() as opening:
            created = CREATE.answer(
                opening.connection,
                call,
                key=idempotency_key,
                request=codec.encode_create_incident_request(body),
                create=lambda: self._created(call, opening, new),
                now=opening.now,
            )
        self._events.wake()
        return created

    def _created(self, call: Call, opening: Opening, new: NewIncident) -> models.CreateIncidentResult:
        shown = _opened_model(opening.open(new))
        after = codec.encode_create_incident_result(shown)
        target = f"incident:{shown.uuid}"
        self._trail.record(opening.connection, call, Action.INCIDENT_CREATED, target, None, after)
        told = incident_data(status=shown.status.value, title=new.title)
        event = NewEvent(kind=EventKind.INCIDENT_OPENED, incident_uuid=shown.uuid, data=told, at=opening.now)
        self._events.record(opening.connection, [event])
        return shown

    def get_incident(self, _call: Call, /, *, uuid: str) -> Answer[models.Incident]:
        """Read one incident with its whole log."""
        return _answer(*self._incidents.get(uuid))

    def cancel_incident(self, call: Call, /, *, uuid: str) -> Answer[models.Incident]:
        """Call an investigation off."""
        return _answer(*self._control.cancel(uuid, self._recording(call, Action.INCIDENT_CANCELLED)))

    def retry_incident(self, call: Call, /, *, uuid: str) -> Answer[models.Incident]:
        """Investigate an incident once more."""
        return _answer(*self._control.retry(uuid, self._recording(call, Action.INCIDENT_RETRIED)))

    def _recording(self, call: Call, action: Action) -> Record:
        def record(connection: sa.Connection, before: Incident, after: Incident) -> None:
            target = f"incident:{after.uuid}"
            self._trail.record(connection, call, action, target, _recorded(before), _recorded(after))

        return record


def _answer(incident: Incident, log: str) -> Answer[models.Incident]:
    tag = etag_of(incident.uuid, incident.updated_at, incident.status, incident.title, len(log))
    return Answer(incident_model(incident, log), headers={"ETag": tag})


def _recorded(incident: Incident) -> dict[str, object]:
    """Return the incident for the audit trail: as the API shows it, but for the log, which has no end."""
    shown = codec.encode_incident(incident_model(incident, ""))
    return {name: value for name, value in shown.items() if name != "full_log"}


def incident_model(incident: Incident, full_log: str) -> models.Incident:
    """Return the incident as the API shows it."""
    return models.Incident(
        id=incident.id,
        uuid=incident.uuid,
        source=incident.source,
        source_id=incident.source_id,
        title=incident.title,
        status=models.IncidentStatus(incident.status),
        context=incident.context,
        session_id=incident.session_id,
        working_dir=incident.working_dir,
        full_log=full_log,
        response=incident.response,
        tokens_used=incident.tokens_used,
        execution_time_ms=incident.execution_time_ms,
        started_at=incident.started_at,
        completed_at=or_left_out(incident.completed_at),
        created_at=incident.created_at,
        updated_at=incident.updated_at,
        slack_channel_id=incident.slack_channel_id,
        slack_message_ts=incident.slack_message_ts,
        kind=models.IncidentKind(incident.kind),
        alert_count=incident.alert_count,
        firing_count=incident.firing_count,
        last_alert_at=or_left_out(incident.last_alert_at),
        resolved_at=or_left_out(incident.resolved_at),
    )


def _opened_model(opened: OpenedIncident) -> models.CreateIncidentResult:
    return models.CreateIncidentResult(
        uuid=opened.uuid,
        status=models.IncidentStatus.PENDING,
        working_dir=str(opened.working_dir),
        message=NOTICE,
    )


def _moment(unix_seconds: int | Unset) -> datetime | None:
    return None if unix_seconds is UNSET else EPOCH + timedelta(seconds=unix_seconds)

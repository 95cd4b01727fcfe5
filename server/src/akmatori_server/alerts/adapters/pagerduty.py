"""PagerDuty's webhook payload, version 3 (and the messages of version 2, which old extensions still send).

Only what starts and ends an incident makes an alert. Who is called, what is noted and which priority is set
are about the same problem; PagerDuty does not deliver in order, so that such an event, taken for a repeat,
could bring back an incident that is over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from akmatori_server.alerts.adapters.batches import one_or_many
from akmatori_server.alerts.adapters.fields import first_text, first_value
from akmatori_server.alerts.adapters.mapper import Draft, Mapper, Vendor
from akmatori_server.alerts.models import NormalisedAlert, Reading, Severity
from akmatori_server.alerts.severity import severity_of
from akmatori_server.errors import BadRequest

# An acknowledged incident has somebody who looks at it; the problem is still there.
FIRES = frozenset(
    {"incident.triggered", "incident.acknowledged", "incident.unacknowledged", "incident.reopened"}
)
REOPENED = "incident.reopened"
RESOLVED = "incident.resolved"
_OF_VERSION_2 = {
    "incident.trigger": "incident.triggered",
    "incident.acknowledge": "incident.acknowledged",
    "incident.unacknowledge": "incident.unacknowledged",
    "incident.resolve": RESOLVED,
}
_BATCHES = ("events", "messages")
_PRIORITIES = (
    (re.compile(r"\bp1\b|critical", re.IGNORECASE), Severity.CRITICAL),
    (re.compile(r"\bp2\b|high", re.IGNORECASE), Severity.HIGH),
)
_URGENCIES = {"high": Severity.HIGH, "low": Severity.INFO}
_LABELS: Mapping[str, tuple[str, ...]] = {
    "service_id": ("service.id",),
    "service_name": ("service.summary", "service.name"),
    "urgency": ("urgency",),
    "priority_id": ("priority.id",),
    "priority": ("priority.summary", "priority.name"),
    "incident_number": ("number", "incident_number"),
    "html_url": ("html_url",),
}


def _severity(word: str) -> Severity:
    return _of_priority(word) or severity_of(word)


def _of_priority(text: str) -> Severity | None:
    return next((severity for pattern, severity in _PRIORITIES if pattern.search(text)), None)


def _is_resolved(word: str) -> bool:
    return re.search(r"\bresolved?\b", word, re.IGNORECASE) is not None


VENDOR = Vendor(nameless="PagerDuty Incident", severity=_severity, is_resolved=_is_resolved)


def read(_headers: Mapping[str, str], document: object, mappings: Mapping[str, str]) -> Reading:
    """Read the event of a delivery, or every event of a batch.

    Raises:
        BadRequest: the body has another shape; the sentence says where.
    """
    mapper = Mapper(VENDOR, mappings)
    alerts = [
        alert
        for place, item in one_or_many(document, *_BATCHES)
        if (alert := _alert(mapper, item, place)) is not None
    ]
    return mapper.reading(alerts)


def _alert(mapper: Mapper, item: dict[str, object], place: str) -> NormalisedAlert | None:
    event = _event(item, place)
    kind = first_text(event, "event_type")
    if not kind:
        raise BadRequest(f"{place}: there is no event_type; this is no event of a PagerDuty webhook.")
    if kind != RESOLVED and kind not in FIRES:
        return None
    data = event.get("data")
    if not isinstance(data, dict):
        raise BadRequest(f"{place}.event.data must be an object.")
    incident = cast("dict[str, object]", data)
    # The operator's paths begin with `event.`, however the event was wrapped.
    return mapper.alert(_draft(mapper, kind, event, incident), item, {"event": event}, item)


def _event(item: dict[str, object], place: str) -> Mapping[str, object]:
    """Return the event of version 3 that an item of the body is, or has, or would be."""
    wrapped = item.get("event", item)
    if isinstance(wrapped, dict):
        return cast("dict[str, object]", wrapped)
    if not isinstance(wrapped, str):
        raise BadRequest(f"{place}.event must be an object.")
    kind = _OF_VERSION_2.get(wrapped, wrapped)
    return {"event_type": kind, "data": item.get("incident"), "occurred_at": item.get("created_on")}


def _draft(mapper: Mapper, kind: str, event: Mapping[str, object], incident: Mapping[str, object]) -> Draft:
    occurred_at = mapper.moment(event.get("occurred_at"), "event.occurred_at")
    created_at = mapper.moment(incident.get("created_at"), "event.data.created_at")
    priority = first_text(incident, "priority.summary", "priority.name")
    urgency = first_text(incident, "urgency").lower()
    labels = {name: text for name, paths in _LABELS.items() if (text := first_text(incident, *paths))}
    return Draft(
        texts={
            "alert_name": first_text(incident, "title", "summary"),
            "summary": first_text(incident, "description"),
            "description": _description(incident),
            "target_host": first_text(incident, "source"),
            "target_service": labels.get("service_name", ""),
            "runbook_url": first_text(incident, "body.details.runbook", "body.details.runbook_url"),
            "source_alert_id": first_text(incident, "id"),
            "source_fingerprint": first_text(incident, "id", "incident_key"),
        },
        severity=_of_priority(priority) or _URGENCIES.get(urgency, Severity.WARNING),
        is_resolved=kind == RESOLVED,
        labels=labels,
        # A reopened incident begins again: its creation lies before the end that was told.
        started_at=occurred_at if kind == REOPENED and occurred_at is not None else created_at,
        ended_at=occurred_at,
        told_at=occurred_at,
    )


def _description(incident: Mapping[str, object]) -> str:
    details = first_value(incident, "body.details")
    text = first_text(incident, "description") or (details if isinstance(details, str) else "")
    url = first_text(incident, "html_url")
    return "\n".join(line for line in (first_text({"text": text}, "text"), url) if line)

"""Zabbix: the flat object that a media type's script posts, and the events of its export (version 5.0 to 7.4).

Scripts call the same things by different names, and send macros that Zabbix could not fill in as they are;
every member may be missing, and numbers may be texts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

from akmatori_server.alerts.adapters.fields import first_text, first_value
from akmatori_server.alerts.adapters.mapper import Draft, Mapper, Vendor
from akmatori_server.alerts.adapters.moments import NotAMomentError, zone_named
from akmatori_server.alerts.adapters.templates import Template, read_templated
from akmatori_server.alerts.models import Reading, Severity
from akmatori_server.alerts.severity import severity_of

PATHS: Mapping[str, tuple[str, ...]] = {
    "alert_name": ("alert_name", "event_name", "trigger_name", "name", "alert_subject", "subject"),
    "summary": ("trigger_expression", "event_opdata", "opdata", "alert_message", "message"),
    "target_host": ("hardware", "host_name", "host", "hostname", "hosts.0.name", "hosts.0.host", "hosts.0"),
    "target_service": ("service", "service_name"),
    "metric_name": ("metric_name", "item_name", "item_key"),
    "metric_value": ("metric_value", "item_value"),
    "runbook_url": ("runbook_url", "trigger_url"),
    "source_alert_id": ("event_id", "eventid"),
}
# In the message of a recovery `event_id` may be the recovery's own; these are always the problem's.
_PROBLEM_IDS = ("problem_event_id", "problem_id", "problem_eventid", "p_eventid")
_RECOVERY_IDS = ("recovery_event_id", "event_recovery_id", "recovery_id", "recovery_eventid", "r_eventid")
_NUMBERS = ("priority", "nseverity", "event_nseverity", "trigger_nseverity")
_NAMES = ("severity", "event_severity", "trigger_severity")
_STATES = ("event_status", "status", "trigger_status")
_ZONES = ("timezone", "event_timezone", "time_zone")
_LABELS = ("hardware", "trigger_expression", "pending_duration")
_BEGUN = (
    ("event_time", "event_date"),
    ("event_timestamp", ""),
    ("problem_time", "problem_date"),
    ("started_at", ""),
)
_ENDED = (
    ("event_recovery_time", "event_recovery_date"),
    ("recovery_time", "recovery_date"),
    ("event_recovery_timestamp", ""),
    ("recovery_timestamp", ""),
)
_KNOWN = frozenset(
    {path.split(".")[0] for paths in PATHS.values() for path in paths}
    | {*_PROBLEM_IDS, *_RECOVERY_IDS, *_STATES, "event_value", "trigger_id", "triggerid"}
)
_RESOLVED_WORDS = frozenset({"resolved", "ok"})
_OVER = "0"
_TIME_OF_DAY = re.compile(r"\d\d?:\d\d(:\d\d)?")
# {EVENT.RECOVERY.ID}, {ITEM.VALUE1}, {$THRESHOLD}, and what Zabbix writes for a macro without a value.
_UNFILLED = re.compile(r"\{\$?[A-Z][A-Z0-9_.:\"]*\}|\*UNKNOWN\*")
_SEVERITIES = {"information": Severity.INFO, "not classified": Severity.WARNING}
_BATCHES = ("events", "problems")


def _severity(word: str) -> Severity:
    return _SEVERITIES.get(word.strip().lower()) or severity_of(word)


def _is_resolved(word: str) -> bool:
    return word.strip().lower() in _RESOLVED_WORDS or word.strip() == _OVER


VENDOR = Vendor(nameless="Zabbix Problem", severity=_severity, is_resolved=_is_resolved)


TEMPLATE = Template(
    batches=_BATCHES,
    known=_KNOWN,
    unfilled=_UNFILLED,
    expected="a Zabbix problem, such as alert_name, event_id or event_status",
)


def read(_headers: Mapping[str, str], document: object, mappings: Mapping[str, str]) -> Reading:
    """Read the problem of a delivery, or every problem of a batch.

    Raises:
        BadRequest: the body has another shape; the sentence says where.
    """
    return read_templated(document, mappings, vendor=VENDOR, template=TEMPLATE, draft=_draft)


def _draft(mapper: Mapper, event: Mapping[str, object], tags: Mapping[str, str]) -> Draft:
    texts = {name: first_text(event, *paths) for name, paths in PATHS.items()}
    texts["description"] = _description(texts, first_text(event, "trigger_expression"))
    texts["source_fingerprint"] = first_text(event, *_PROBLEM_IDS) or texts["source_alert_id"]
    zone = _zone(mapper, event)
    resolved = _has_ended(event)
    began, ended = _begun(mapper, event, zone), _ended(mapper, event, zone)
    return Draft(
        texts=texts,
        severity=_usual_severity(event),
        is_resolved=resolved,
        labels={**tags, **{name: text for name in _LABELS if (text := first_text(event, name))}},
        started_at=began,
        ended_at=ended,
        # A problem fires once: what is told of it was so from its beginning, and until its recovery.
        told_at=ended if resolved else began,
        identity=_identity(event, texts),
        zone=zone,
    )


def _description(texts: Mapping[str, str], expression: str) -> str:
    name, value = texts["metric_name"], texts["metric_value"]
    metric = f"{name} = {value}" if name and value else name or value
    return "\n".join(line for line in (metric, f"Trigger: {expression}" if expression else "") if line)


def _usual_severity(event: Mapping[str, object]) -> Severity:
    number = first_text(event, *_NUMBERS).strip()
    if number in {"1", "2", "3", "4", "5"}:
        return severity_of(number)
    # The export writes the number under the name of the word.
    return _severity(first_text(event, *_NAMES) or number)


def _has_ended(event: Mapping[str, object]) -> bool:
    state = first_text(event, *_STATES)
    if state:
        return _is_resolved(state)
    value = first_text(event, "event_value").strip()
    if not value and "clock" in event:
        # The export has the event's value under a name that scripts use for an item's.
        value = first_text(event, "value").strip()
    if value:
        return value == _OVER
    return first_text(event, *_RECOVERY_IDS).strip() not in {"", _OVER}


def _identity(event: Mapping[str, object], texts: Mapping[str, str]) -> str:
    trigger = first_text(event, "trigger_id", "triggerid")
    return "\n".join(("trigger", trigger, texts["target_host"])) if trigger else ""


def _zone(mapper: Mapper, event: Mapping[str, object]) -> tzinfo:
    name = first_text(event, *_ZONES)
    if not name:
        return UTC
    try:
        return zone_named(name)
    except NotAMomentError:
        # Named in the warnings like a time that cannot be read; the times are taken for UTC.
        mapper.unreadable("timezone")
        return UTC


def _begun(mapper: Mapper, event: Mapping[str, object], zone: tzinfo) -> datetime | None:
    found = _moment(mapper, event, _BEGUN, zone)
    # In the export `clock` is when this event happened, which for a recovery is the end.
    if found is None and not first_text(event, "p_eventid"):
        found = mapper.moment(first_value(event, "clock"), "clock", zone=zone)
    return found


def _ended(mapper: Mapper, event: Mapping[str, object], zone: tzinfo) -> datetime | None:
    found = _moment(mapper, event, _ENDED, zone)
    if found is None and first_text(event, "p_eventid"):
        found = mapper.moment(first_value(event, "clock"), "clock", zone=zone)
    return found


def _moment(
    mapper: Mapper, event: Mapping[str, object], names: tuple[tuple[str, str], ...], zone: tzinfo
) -> datetime | None:
    for time_name, date_name in names:
        value, date = first_value(event, time_name), first_text(event, date_name) if date_name else ""
        if isinstance(value, str) and _TIME_OF_DAY.fullmatch(value.strip()):
            if not date:
                continue
            value = f"{date} {value.strip()}"
        found = mapper.moment(value, time_name, zone=zone)
        if found is not None:
            return found
    return None

"""Datadog's webhook payload: whatever the template of the webhook says, with Datadog's variables filled in.

No member has a type that can be relied on: a template quotes numbers or does not, and tags come as an array or
as one comma separated text. What the template leaves out is worked out from what it has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import cast

from akmatori_server.alerts.adapters.fields import first_text, first_value
from akmatori_server.alerts.adapters.mapper import Draft, Mapper, Vendor
from akmatori_server.alerts.adapters.templates import Template, read_templated
from akmatori_server.alerts.models import Reading, Severity
from akmatori_server.alerts.severity import severity_of

_BATCHES = ("events", "alerts")
PATHS: Mapping[str, tuple[str, ...]] = {
    "alert_name": ("alert_title", "title", "event_title"),
    "target_host": ("hostname", "host"),
    "target_service": ("service",),
    "metric_name": ("alert_metric", "metric"),
    "metric_value": ("alert_value", "value"),
    "source_alert_id": ("alert_id", "id", "event_id"),
}
_BODIES = ("body", "text_only_msg", "event_msg", "text")
_TIMES = ("date", "date_posix", "last_updated", "last_updated_posix")
# Every template has at least one of them.
_KNOWN = frozenset(
    {*(path for paths in PATHS.values() for path in paths), *_BODIES, "alert_type", "event_type", "tags"}
    | {"alert_status", "alert_transition", "alert_cycle_key"}
)
_ALERT_TYPES = {
    "error": Severity.CRITICAL,
    "warning": Severity.WARNING,
    "info": Severity.INFO,
    "success": Severity.INFO,
}
_PRIORITIES = {"normal": Severity.WARNING, "low": Severity.INFO, "p5": Severity.INFO}
# The words of $ALERT_TRANSITION.
_ENDS = frozenset({"recovered", "resolved", "ok", "no data recovered", "recovery"})
_STARTS = frozenset({"triggered", "warn", "no data", "alert", "renotify"})
_AGAIN = ("re-", "re ")
# A word of its own: not in `broker`, `probe.ok`, `host:ok-1` or `not ok`.
_ENDED = re.compile(r"(?<![\w.:/-])(?<!not )(recovered|resolved|ok)(?![\w:/-]|\.\w)", re.IGNORECASE)
# [P2] [Re-Triggered on {host:api-3}] p95 latency high
_TITLE = re.compile(
    r"\s*(?:\[p[1-5]\]\s*)?\[(?P<state>[a-z -]{1,40}?)(?:\s+on\s+(?P<group>[^\]]*))?\](?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_VARIABLE = re.compile(r"\$[A-Z][A-Z_]*")
_FENCE = "%%%"


def _severity(word: str) -> Severity:
    lowered = word.strip().lower()
    return _ALERT_TYPES.get(lowered) or _PRIORITIES.get(lowered) or severity_of(lowered)


def _is_resolved(word: str) -> bool:
    return _transition(word) is True or _ENDED.search(word) is not None or word.strip().lower() == "success"


VENDOR = Vendor(nameless="Datadog Alert", severity=_severity, is_resolved=_is_resolved)


TEMPLATE = Template(
    batches=_BATCHES,
    known=_KNOWN,
    unfilled=_VARIABLE,
    expected="a Datadog alert, such as alert_title, title or alert_transition",
)


def read(_headers: Mapping[str, str], document: object, mappings: Mapping[str, str]) -> Reading:
    """Read the alert of a delivery, or every alert of a batch.

    Raises:
        BadRequest: the body has another shape; the sentence says where.
    """
    return read_templated(document, mappings, vendor=VENDOR, template=TEMPLATE, draft=_draft)


def _draft(mapper: Mapper, event: Mapping[str, object], labels: Mapping[str, str]) -> Draft:
    texts = {name: first_text(event, *paths) for name, paths in PATHS.items()}
    title = _stated(first_text(event, "title", "event_title", "alert_title"))
    body = _unfenced(first_text(event, *_BODIES))
    resolved = _has_ended(event, title)
    at = mapper.moment(first_value(event, *_TIMES), "date")
    texts |= {
        "summary": body,
        "description": body,
        "target_host": texts["target_host"] or labels.get("host", ""),
        "target_service": texts["target_service"] or labels.get("service", ""),
        "runbook_url": _runbook(event),
        "source_fingerprint": _fingerprint(event),
    }
    return Draft(
        texts=texts,
        severity=_usual_severity(event),
        is_resolved=resolved,
        labels=labels,
        # When it began is not told: reminders and changes between warning and alert are dated by themselves.
        ended_at=at,
        told_at=at,
        identity=_identity(event, title, texts["target_host"]),
    )


def _usual_severity(event: Mapping[str, object]) -> Severity:
    of_type = _ALERT_TYPES.get(first_text(event, "alert_type").strip().lower())
    if of_type is not None:
        return of_type
    word = first_text(event, "alert_priority", "priority").strip().lower()
    return _PRIORITIES.get(word) or severity_of(word)


def _has_ended(event: Mapping[str, object], title: re.Match[str] | None) -> bool:
    """Read the state from what says it most plainly: transition, status, title, type."""
    told = _transition(first_text(event, "alert_transition"))
    if told is not None:
        return told
    status = first_text(event, "alert_status")
    told = _transition(status)
    if told is not None:
        return told
    if _ENDED.search(status):
        return True
    told = _transition(title["state"]) if title else None
    if told is not None:
        return told
    return not status and first_text(event, "alert_type").strip().lower() == "success"


def _transition(word: str) -> bool | None:
    """Whether a word of $ALERT_TRANSITION tells an end; None for any other text."""
    plain = word.strip().lower()
    if plain in _ENDS:
        return True
    return False if plain.removeprefix(_AGAIN[0]).removeprefix(_AGAIN[1]) in _STARTS else None


def _stated(title: str) -> re.Match[str] | None:
    """Take a title apart that begins with a state, as those of events do."""
    matched = _TITLE.match(title)
    return matched if matched and _transition(matched["state"]) is not None else None


def _fingerprint(event: Mapping[str, object]) -> str:
    """Return what lasts from trigger to recovery: the cycle, else the monitor and its group."""
    cycle = first_text(event, "alert_cycle_key")
    if cycle:
        return cycle
    monitor, group = first_text(event, "alert_id"), first_text(event, "alert_scope")
    if monitor:
        return f"{monitor}/{group}" if group else monitor
    return first_text(event, "aggreg_key", "aggregation_key")


def _identity(event: Mapping[str, object], title: re.Match[str] | None, host: str) -> str:
    """Return what the title says beside the state; `id` numbers events, and the recovery is another one."""
    if title is not None:
        return "\n".join((title["group"] or "", title["rest"].strip(), host))
    return "\n".join((first_text(event, *PATHS["alert_name"]), host))


def _runbook(event: Mapping[str, object]) -> str:
    given = first_text(event, "runbook_url", "runbook")
    links = event.get("event_links")
    if given or not isinstance(links, list):
        return given
    urls = [
        (first_text(cast("dict[str, object]", link), "name").lower(), url)
        for link in cast("list[object]", links)
        if isinstance(link, dict) and (url := first_text(cast("dict[str, object]", link), "url"))
    ]
    named = (url for name, url in urls if "runbook" in name)
    return next(named, urls[0][1] if urls else "")


def _unfenced(text: str) -> str:
    """Take the marks off that tell Datadog's own pages to show Markdown."""
    stripped = text.strip()
    if not stripped.startswith(_FENCE):
        return text
    return stripped.removeprefix(_FENCE).removesuffix(_FENCE).strip()

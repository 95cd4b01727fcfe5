"""What an alert or a request says, as typed facts. All of it came from outside: data, nothing more."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit, urlunsplit

import attrs

from akmatori_server.incidents.storable import JSON
from akmatori_server.investigation.case import Case

LONGEST_TEXT = 4000
MOST_LABELS = 60

# Members of the vendors' payloads that lead a person somewhere, with the words to show for them.
LINKS = (
    ("runbook_url", "Runbook"),
    ("runbookURL", "Runbook"),
    ("generatorURL", "Query that raised the alert"),
    ("dashboardURL", "Dashboard"),
    ("dashboard_url", "Dashboard"),
    ("panelURL", "Panel"),
    ("silenceURL", "Silence"),
    ("html_url", "Incident at the source"),
    ("externalURL", "Alert manager"),
)
STARTS = ("started_at", "startsAt", "occurred_at", "event_time", "created_at")
# Keys of a context that are read as facts of their own, or that repeat the payload.
KNOWN = frozenset(
    (
        "alert_name", "severity", "status", "summary", "description", "target_host", "target_service",
        "target_labels", "metric_name", "metric_value", "threshold_value", "runbook_url", "source_alert_id",
        "source_fingerprint", "source_type", "source_instance", "raw_payload", "started_at", "ended_at",
        "task", "created_by", "related_alerts", "group_key", "slack_channel_id", "slack_message_ts",
    )
)  # fmt: skip


# What would end a link in Markdown.
_UNFIT = re.compile(r"[\s<>]")


@attrs.frozen
class Link:
    """A place to look, for a person."""

    title: str
    url: str


@attrs.frozen(kw_only=True)
class Facts:
    """What is known before anything is looked up; "" and empty where nothing was said."""

    name: str = ""
    severity: str = ""
    status: str = ""
    summary: str = ""
    description: str = ""
    host: str = ""
    service: str = ""
    task: str = ""
    source: str = ""
    metric_name: str = ""
    metric_value: str = ""
    threshold: str = ""
    runbook_url: str = ""
    started_at: datetime | None = None
    labels: Mapping[str, str] = attrs.field(factory=dict[str, str])
    annotations: Mapping[str, str] = attrs.field(factory=dict[str, str])
    # What a caller of the API gave beside the task.
    given: Mapping[str, str] = attrs.field(factory=dict[str, str])
    links: tuple[Link, ...] = ()

    @property
    def is_alert(self) -> bool:
        """Whether an alert opened the incident, rather than a person's task."""
        return bool(self.name)


def read_facts(case: Case) -> Facts:
    """Read the facts of a case. Whatever has an unexpected shape is left out, never an error."""
    context = case.context
    raw = _object(context.get("raw_payload"))
    annotations = _texts(raw.get("annotations"))
    runbook_url = _text(context.get("runbook_url")) or annotations.get("runbook_url", "")
    return Facts(
        name=_text(context.get("alert_name")),
        severity=_text(context.get("severity")),
        status=_text(context.get("status")),
        summary=_text(context.get("summary")),
        description=_text(context.get("description")),
        host=_text(context.get("target_host")),
        service=_text(context.get("target_service")),
        task=_text(context.get("task")),
        source=case.source,
        metric_name=_text(context.get("metric_name")),
        metric_value=_text(context.get("metric_value")),
        threshold=_text(context.get("threshold_value")),
        runbook_url=_web_url(runbook_url),
        started_at=_started(context, raw, case),
        labels=_texts(context.get("target_labels")) or _texts(raw.get("labels")),
        annotations={key: text for key, text in annotations.items() if key != "runbook_url"},
        given=_texts({key: value for key, value in context.items() if key not in KNOWN}),
        links=_links(context, raw),
    )


def _started(context: Mapping[str, JSON], raw: Mapping[str, JSON], case: Case) -> datetime | None:
    event = _object(raw.get("event"))
    for place in (context, raw, event):
        for key in STARTS:
            moment = _moment(place.get(key))
            if moment is not None:
                return moment
    return min((alert.started_at for alert in case.alerts if alert.started_at), default=None)


def _moment(value: JSON) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    # Alertmanager and Go write year 1 for "not known".
    return moment.astimezone(UTC) if moment.year > 1 else None


def _links(context: Mapping[str, JSON], raw: Mapping[str, JSON]) -> tuple[Link, ...]:
    found: dict[str, Link] = {}
    places = (context, raw, _object(raw.get("annotations")), _object(_object(raw.get("event")).get("data")))
    for key, title in LINKS:
        for place in places:
            url = _web_url(_text(place.get(key)))
            if url:
                found.setdefault(url, Link(title, url))
    return tuple(found.values())


def _web_url(text: str) -> str:
    """Return the address if a browser can open it, without any password in it; else ""."""
    try:
        parts = urlsplit(text)
        if parts.scheme not in {"http", "https"} or not parts.hostname or _UNFIT.search(text):
            return ""
    except ValueError:
        return ""
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _object(value: JSON) -> Mapping[str, JSON]:
    return value if isinstance(value, dict) else {}


def _texts(value: JSON) -> dict[str, str]:
    return dict(_first(_pairs(value), MOST_LABELS))


def _pairs(value: JSON) -> Iterator[tuple[str, str]]:
    for key, member in _object(value).items():
        text = _text(member)
        if text:
            yield key, text


def _first(pairs: Iterator[tuple[str, str]], most: int) -> Iterator[tuple[str, str]]:
    for _, pair in zip(range(most), pairs, strict=False):
        yield pair


def _text(value: JSON) -> str:
    if isinstance(value, str):
        return value.strip()[:LONGEST_TEXT]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else ""

"""Grafana's webhook payload: unified alerting (version "1"), and the alerts of Grafana before version 9.

Unified alerting sends one alert per entry of `alerts`, as Alertmanager does, with what its own rules add: the
values of the rule's queries, and links to the dashboard and the panel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from akmatori_server.alert_sources.types import GRAFANA
from akmatori_server.alerts.adapters.alertmanager import oddities
from akmatori_server.alerts.adapters.batches import body_of, entries_of
from akmatori_server.alerts.adapters.fields import find, first_text, text_of, texts_at
from akmatori_server.alerts.adapters.labels import labels_of
from akmatori_server.alerts.adapters.mapper import RESOLVED_WORDS, Draft, Mapper, Vendor
from akmatori_server.alerts.models import Reading
from akmatori_server.alerts.severity import severity_of

PATHS: Mapping[str, tuple[str, ...]] = {
    "alert_name": ("labels.alertname", "labels.rulename"),
    "summary": ("annotations.summary",),
    "target_host": ("labels.instance", "labels.host"),
    "target_service": ("labels.job", "labels.service"),
    "runbook_url": ("annotations.runbook_url",),
    "source_fingerprint": ("fingerprint",),
}
_LEGACY_MEMBERS = ("ruleName", "ruleId", "evalMatches")
_NORMAL_WORDS = RESOLVED_WORDS | {"normal"}
# The organisation that every Grafana has; only others need telling apart.
_FIRST_ORGANISATION = "1"
_LONGEST_VALUE = 1000


def _is_resolved(word: str) -> bool:
    return word.strip().lower() in _NORMAL_WORDS


VENDOR = Vendor(
    nameless="Grafana Alert",
    is_resolved=_is_resolved,
    identity=("alert_name", "target_host", "summary"),
    identified_by_labels=True,
)


def read(_headers: Mapping[str, str], document: object, mappings: Mapping[str, str]) -> Reading:
    """Read every alert of a delivery.

    Raises:
        BadRequest: the body has another shape; the sentence names the entry.
    """
    body = body_of(document)
    mapper = Mapper(VENDOR, mappings)
    if "alerts" not in body and any(name in body for name in _LEGACY_MEMBERS):
        return mapper.reading([mapper.alert(_legacy_draft(body), body)])
    group_key = _group_key(body)
    alerts = [
        mapper.alert(_draft(mapper, entry, f"alerts[{index}]", group_key), entry, entry, body)
        for index, entry in enumerate(entries_of(body.get("alerts"), place="alerts"))
    ]
    return mapper.reading(alerts, *oddities(body))


def _group_key(body: Mapping[str, object]) -> str:
    key, organisation = first_text(body, "groupKey"), first_text(body, "orgId")
    if key and organisation not in {"", _FIRST_ORGANISATION}:
        return f"organisation {organisation}: {key}"
    return key


def _draft(mapper: Mapper, entry: Mapping[str, object], place: str, group_key: str) -> Draft:
    labels = texts_at(entry, "labels", place=place)
    texts_at(entry, "annotations", place=place)
    texts = {name: first_text(entry, *paths) for name, paths in PATHS.items()}
    return Draft(
        texts={
            **texts,
            "description": _description(entry),
            "metric_value": _values(entry),
            "group_key": group_key,
        },
        severity=severity_of(first_text(entry, "labels.severity")),
        is_resolved=_is_resolved(first_text(entry, "status", "state")),
        labels=labels,
        started_at=mapper.moment(entry.get("startsAt"), "startsAt"),
        ended_at=mapper.moment(entry.get("endsAt"), "endsAt"),
    )


def _description(entry: Mapping[str, object]) -> str:
    links = (("Dashboard", "dashboardURL"), ("Panel", "panelURL"))
    lines = [f"{title}: {url}" for title, name in links if (url := first_text(entry, name))]
    text = first_text(entry, "annotations.description")
    return "\n".join([text, *lines] if text else lines)


def _values(entry: Mapping[str, object]) -> str:
    """Return the value of the rule's only query, or `A=1, B=2` of several; else Grafana's own text of them."""
    values = entry.get("values")
    texts: dict[str, str] = {}
    if isinstance(values, dict):
        texts = {
            name: text
            for name, value in cast("dict[str, object]", values).items()
            if (text := text_of(value))
        }
    if not texts:
        return first_text(entry, "valueString").strip()[:_LONGEST_VALUE]
    if len(texts) == 1:
        return next(iter(texts.values()))
    return text_of(", ".join(f"{name}={text}" for name, text in texts.items())[:_LONGEST_VALUE]) or ""


def _legacy_draft(body: Mapping[str, object]) -> Draft:
    rule, state = first_text(body, "ruleId"), first_text(body, "state")
    texts = {name: first_text(body, path) for name, path in GRAFANA.default_field_mappings.items()}
    return Draft(
        texts={
            **texts,
            "alert_name": texts["alert_name"] or first_text(body, "title"),
            "metric_name": first_text(body, "evalMatches.0.metric"),
            "metric_value": first_text(body, "evalMatches.0.value"),
            # Rules are numbered per organisation.
            "source_fingerprint": f"{first_text(body, 'orgId') or _FIRST_ORGANISATION}/{rule}"
            if rule
            else "",
        },
        severity=severity_of(state),
        is_resolved=_is_resolved(state),
        labels={**labels_of(body.get("tags")), **labels_of(find(body, "evalMatches.0.tags"))},
        identity=texts["alert_name"],
    )

"""Prometheus Alertmanager's webhook payload (version 4): one alert per entry of `alerts`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from akmatori_server.alert_sources.types import ALERTMANAGER
from akmatori_server.alerts.adapters.batches import body_of, entries_of
from akmatori_server.alerts.adapters.fields import MISSING, find, first_text, moment_of, text_of, texts_at
from akmatori_server.alerts.adapters.mapper import Draft, Mapper, Vendor, is_resolved_word
from akmatori_server.alerts.models import Reading
from akmatori_server.alerts.severity import severity_of

PATHS = ALERTMANAGER.default_field_mappings
VENDOR = Vendor(
    nameless="Alertmanager Alert",
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
    entries = entries_of(body.get("alerts"), place="alerts")
    group_key = text_of(body.get("groupKey")) or ""
    alerts = [
        mapper.alert(_draft(entry, f"alerts[{index}]", group_key), entry, entry, body)
        for index, entry in enumerate(entries)
    ]
    return mapper.reading(alerts, *oddities(body))


def oddities(body: Mapping[str, object]) -> list[str]:
    """Return what an operator should know about a delivery as a whole."""
    if body and "alerts" not in body:
        warning = (
            "The body has no member alerts, so nothing was read from it: is this the payload of another vendor, "
            "sent to this source by mistake?"
        )
        return [warning]
    return _truncation(body)


def _truncation(body: Mapping[str, object]) -> list[str]:
    """Return a warning when the sender left alerts out of the delivery."""
    count = body.get("truncatedAlerts")
    text = text_of(count) or ""
    if not text.isdecimal() or int(text[:18]) == 0:
        return []
    warning = (
        f"The sender left {text[:18]} alerts out of this delivery (truncatedAlerts): raise or remove the limit of "
        "alerts in its receiver, or group by more labels."
    )
    return [warning]


def _draft(entry: Mapping[str, object], place: str, group_key: str) -> Draft:
    labels = texts_at(entry, "labels", place=place)
    texts_at(entry, "annotations", place=place)
    return Draft(
        texts={**{name: first_text(entry, path) for name, path in PATHS.items()}, "group_key": group_key},
        severity=severity_of(first_text(entry, PATHS["severity"])),
        is_resolved=is_resolved_word(first_text(entry, PATHS["status"])),
        labels=labels,
        started_at=_moment(entry, "started_at", place),
        ended_at=_moment(entry, "ended_at", place),
    )


def _moment(entry: Mapping[str, object], name: str, place: str) -> datetime | None:
    found = find(entry, PATHS[name])
    return None if found is MISSING else moment_of(found, place=f"{place}.{PATHS[name]}")

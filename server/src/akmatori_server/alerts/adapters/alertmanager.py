"""Prometheus Alertmanager's webhook payload (version 4): one alert per entry of `alerts`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

import attrs

from akmatori_server.alerts.adapters.fields import MISSING, find, moment_of, text_of, texts_at
from akmatori_server.alerts.fingerprint import fingerprint
from akmatori_server.alerts.models import AlertStatus, NormalisedAlert
from akmatori_server.alerts.severity import severity_of
from akmatori_server.errors import BadRequest
from akmatori_server.incidents.storable import storable_object

# Where the members are unless a mapping finds something elsewhere.
BUILT_IN: Mapping[str, str] = {
    "alert_name": "labels.alertname",
    "severity": "labels.severity",
    "status": "status",
    "summary": "annotations.summary",
    "description": "annotations.description",
    "target_host": "labels.instance",
    "target_service": "labels.job",
    "runbook_url": "annotations.runbook_url",
    "source_fingerprint": "fingerprint",
    "started_at": "startsAt",
    "ended_at": "endsAt",
}
RESOLVED_WORDS = frozenset({"resolved", "ok", "recovery", "inactive"})


def parse(document: Mapping[str, object], mappings: Mapping[str, str]) -> list[NormalisedAlert]:
    """Read every alert of a delivery.

    Args:
        document: the body.
        mappings: member of the normalised alert to a dotted path in one entry of `alerts`.

    Raises:
        BadRequest: the body has another shape; the sentence names the entry.
    """
    entries = document.get("alerts")
    if entries is None:
        return []
    if not isinstance(entries, list):
        raise BadRequest("alerts must be an array.")
    group_key = text_of(document.get("groupKey")) or ""
    return [
        _parse_entry(entry, mappings, place=f"alerts[{index}]", group_key=group_key)
        for index, entry in enumerate(cast("list[object]", entries))
    ]


@attrs.frozen
class _Entry:
    """One entry of `alerts`, and where to look in it."""

    members: Mapping[str, object]
    mappings: Mapping[str, str]
    place: str

    def text(self, name: str) -> str:
        """Return the member as text: where the mapping says, else at its usual place, else ""."""
        for path in self._paths(name):
            text = text_of(find(self.members, path))
            if text:
                return text
        return ""

    def moment(self, name: str) -> datetime | None:
        """Return the member as a moment, looked for in the same places."""
        for path in self._paths(name):
            found = find(self.members, path)
            if found is not MISSING and found is not None:
                return moment_of(found, place=f"{self.place}.{path}")
        return None

    def _paths(self, name: str) -> list[str]:
        return [path for path in (self.mappings.get(name), BUILT_IN.get(name)) if path]


def _parse_entry(
    value: object, mappings: Mapping[str, str], *, place: str, group_key: str
) -> NormalisedAlert:
    if not isinstance(value, dict):
        raise BadRequest(f"{place} must be an object.")
    members = cast("dict[str, object]", value)
    labels = texts_at(members, "labels", place=place)
    texts_at(members, "annotations", place=place)
    return _normalised(_Entry(members, mappings, place), labels, group_key)


def _normalised(entry: _Entry, labels: dict[str, str], group_key: str) -> NormalisedAlert:
    name, host, summary = entry.text("alert_name"), entry.text("target_host"), entry.text("summary")
    resolved = entry.text("status").strip().lower() in RESOLVED_WORDS
    # Read for a firing alert too, where it is not used: a time that is no time is a fault of the payload.
    ended_at = entry.moment("ended_at")
    source_fingerprint = fingerprint(
        entry.text("source_fingerprint"), labels, identity=f"{name}\n{host}\n{summary}"
    )
    return NormalisedAlert(
        alert_name=name,
        severity=severity_of(entry.text("severity")),
        status=AlertStatus.RESOLVED if resolved else AlertStatus.FIRING,
        summary=summary,
        description=entry.text("description"),
        target_host=host,
        target_service=entry.text("target_service"),
        target_labels=labels,
        metric_name=entry.text("metric_name"),
        metric_value=entry.text("metric_value"),
        threshold_value=entry.text("threshold_value"),
        runbook_url=entry.text("runbook_url"),
        started_at=entry.moment("started_at"),
        ended_at=ended_at if resolved else None,
        source_alert_id=entry.text("source_alert_id") or source_fingerprint,
        source_fingerprint=source_fingerprint,
        group_key=group_key,
        raw_payload=storable_object(dict(entry.members)),
    )

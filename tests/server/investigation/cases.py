"""Cases for these tests."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import attrs

from akmatori_server.investigation.case import AttachedAlert, Case

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


@attrs.frozen
class Text:
    """A runbook as a search finds it."""

    id: int
    title: str
    content: str = attrs.field(repr=False)


def case_of(
    context: dict[str, Any], *, source: str = "alertmanager", alerts: tuple[AttachedAlert, ...] = ()
) -> Case:
    """Return a case with this context."""
    return Case(
        incident_id=1,
        uuid="0b1f6c1e-6a0f-4a53-9f0c-0f6f3c1b2a77",
        source=source,
        title="A title",
        context=context,
        created_at=NOW,
        alerts=alerts,
        alerts_total=len(alerts),
    )


def disk_alert() -> dict[str, Any]:
    """Return the context of an incident opened by the demonstration's Alertmanager payload."""
    text = files("akmatori_server").joinpath("demo/alertmanager-payload.json").read_text(encoding="utf-8")
    alert: dict[str, Any] = json.loads(text)["alerts"][0]
    return {
        "alert_name": alert["labels"]["alertname"],
        "severity": "critical",
        "status": "firing",
        "summary": alert["annotations"]["summary"],
        "description": alert["annotations"]["description"],
        "target_host": alert["labels"]["instance"],
        "target_service": "node",
        "target_labels": alert["labels"],
        "metric_name": "",
        "metric_value": "",
        "threshold_value": "",
        "runbook_url": "",
        "source_type": "alertmanager",
        "raw_payload": alert,
    }

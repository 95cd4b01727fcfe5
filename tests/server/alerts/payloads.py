"""Alertmanager deliveries, built from what a test says about them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

NEVER = "0001-01-01T00:00:00Z"


def rfc3339(moment: datetime | None) -> str:
    """Write a moment as Go does; None is the moment that was never set."""
    return NEVER if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def entry(
    name: str = "NodeDiskFilling",
    *,
    status: str = "firing",
    starts: datetime | None = None,
    ends: datetime | None = None,
    fingerprint: str | None = None,
    severity: str = "major",
    **labels: str,
) -> dict[str, Any]:
    """One entry of `alerts`; without a fingerprint the labels decide."""
    alert: dict[str, Any] = {
        "status": status,
        "labels": {"alertname": name, "severity": severity, **labels},
        "annotations": {"summary": f"{name} happens"},
        "startsAt": rfc3339(starts),
        "endsAt": rfc3339(ends),
        "generatorURL": "http://prom.example.net/graph",
    }
    return alert if fingerprint is None else {**alert, "fingerprint": fingerprint}


def delivery(*alerts: dict[str, Any], group: str = "") -> bytes:
    """The body of one delivery; without a group the entries stand alone."""
    document: dict[str, Any] = {"version": "4", "receiver": "akmatori", "alerts": list(alerts)}
    return orjson.dumps({**document, "groupKey": group} if group else document)

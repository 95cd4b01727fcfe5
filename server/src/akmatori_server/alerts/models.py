"""Alerts in the one shape every vendor's payload is brought into."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import UTC, datetime

import attrs

from akmatori_server.incidents.storable import JSON


class Severity(enum.StrEnum):
    """How bad it is, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


class AlertStatus(enum.StrEnum):
    """Whether the problem is there."""

    FIRING = "firing"
    RESOLVED = "resolved"


@attrs.frozen(kw_only=True)
class NormalisedAlert:
    """One alert of one delivery. Every text is storable; what the vendor did not say is ""."""

    alert_name: str
    severity: Severity
    status: AlertStatus
    summary: str = ""
    description: str = ""
    target_host: str = ""
    target_service: str = ""
    target_labels: Mapping[str, str] = attrs.field(factory=dict[str, str])
    metric_name: str = ""
    metric_value: str = ""
    threshold_value: str = ""
    runbook_url: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    # When the source says that it was so; None where it does not tell. Vendors deliver out of order.
    told_at: datetime | None = None
    source_alert_id: str = ""
    source_fingerprint: str
    # What the vendor itself tells alerts apart by, where the operator chose something else; "" elsewhere.
    vendor_fingerprint: str = ""
    # Alerts of one delivery with the same key are one problem to the source; "" when it does not group.
    group_key: str = ""
    raw_payload: Mapping[str, JSON] = attrs.field(factory=dict[str, JSON], repr=False)

    @property
    def is_firing(self) -> bool:
        """Whether the problem is there."""
        return self.status is AlertStatus.FIRING

    @property
    def headline(self) -> str:
        """What happened where, in one line: `<alert_name> - <host>: <summary>`, as far as it is known."""
        subject = " - ".join(part for part in (self.alert_name, self.target_host) if part)
        return ": ".join(part for part in (subject, self.summary) if part)

    def as_context(self, *, source_type: str, source_instance: str) -> dict[str, JSON]:
        """Return what an incident keeps of the alert."""
        return {**self.as_json(), "source_type": source_type, "source_instance": source_instance}

    def as_json(self) -> dict[str, JSON]:
        """Return every member as JSON, moments as RFC 3339."""
        return {
            "alert_name": self.alert_name,
            "severity": self.severity.value,
            "status": self.status.value,
            "summary": self.summary,
            "description": self.description,
            "target_host": self.target_host,
            "target_service": self.target_service,
            "target_labels": dict(self.target_labels),
            "metric_name": self.metric_name,
            "metric_value": self.metric_value,
            "threshold_value": self.threshold_value,
            "runbook_url": self.runbook_url,
            "started_at": _rfc3339(self.started_at),
            "source_alert_id": self.source_alert_id,
            "source_fingerprint": self.source_fingerprint,
            "raw_payload": dict(self.raw_payload),
        }

    def as_stored(self) -> dict[str, JSON]:
        """Return what the row of the alert keeps, for `from_stored`."""
        return {**self.as_json(), "group_key": self.group_key}

    def as_related(self) -> dict[str, JSON]:
        """Return what an incident keeps of an alert that another one of its group speaks for."""
        return {
            "alert_name": self.alert_name,
            "severity": self.severity.value,
            "summary": self.summary,
            "target_host": self.target_host,
            "target_labels": dict(self.target_labels),
            "source_fingerprint": self.source_fingerprint,
        }


def from_stored(payload: Mapping[str, JSON], *, fingerprint: str) -> NormalisedAlert:
    """Read back what a row keeps of a firing alert; what an older server did not keep is ""."""

    def text(name: str) -> str:
        value = payload.get(name)
        return value if isinstance(value, str) else ""

    labels, raw = payload.get("target_labels"), payload.get("raw_payload")
    started_at = text("started_at")
    return NormalisedAlert(
        alert_name=text("alert_name"),
        severity=Severity(text("severity") or Severity.WARNING.value),
        status=AlertStatus.FIRING,
        summary=text("summary"),
        description=text("description"),
        target_host=text("target_host"),
        target_service=text("target_service"),
        target_labels={name: str(value) for name, value in labels.items()}
        if isinstance(labels, dict)
        else {},
        metric_name=text("metric_name"),
        metric_value=text("metric_value"),
        threshold_value=text("threshold_value"),
        runbook_url=text("runbook_url"),
        started_at=datetime.fromisoformat(started_at) if started_at else None,
        source_alert_id=text("source_alert_id"),
        source_fingerprint=fingerprint,
        group_key=text("group_key"),
        raw_payload=raw if isinstance(raw, dict) else {},
    )


def _rfc3339(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@attrs.frozen(kw_only=True)
class Reading:
    """What a delivery holds: its alerts in their order, and what its source's operator should know of it."""

    alerts: tuple[NormalisedAlert, ...] = ()
    warnings: tuple[str, ...] = ()

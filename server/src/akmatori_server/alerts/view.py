"""Alerts as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from akmatori_sdk._generated.akmatori import models
from akmatori_server.alerts.reader import Alert, Explanation
from akmatori_server.correlation.rules import Consideration
from akmatori_server.incidents.storable import JSON

# What is told of an alert whose row is older than decisions are.
_UNKNOWN = "An older version of the server took it in, which kept no reasons."


def alert_model(alert: Alert) -> models.Alert:
    """Return the alert as the API shows it."""
    payload = alert.payload
    return models.Alert(
        uuid=alert.uuid,
        incident_uuid=alert.incident_uuid,
        silence_uuid=alert.silence_uuid,
        status=models.AlertStatus(alert.status),
        fingerprint=alert.fingerprint,
        source_uuid=alert.source_uuid,
        source_fingerprint=_text(payload, "vendor_fingerprint") or _text(payload, "source_fingerprint"),
        alert_name=alert.alert_name,
        severity=models.AlertSeverity(alert.severity),
        summary=_text(payload, "summary"),
        description=_text(payload, "description"),
        target_host=_text(payload, "target_host"),
        target_service=_text(payload, "target_service"),
        target_labels=_texts(payload.get("target_labels")),
        metric_name=_text(payload, "metric_name"),
        metric_value=_text(payload, "metric_value"),
        threshold_value=_text(payload, "threshold_value"),
        runbook_url=_text(payload, "runbook_url"),
        fired_at=alert.fired_at,
        resolved_at=alert.resolved_at,
        first_seen_at=alert.first_seen_at,
        last_seen_at=alert.last_seen_at,
        deliveries=alert.deliveries,
        episodes=alert.episodes,
        raw_payload=_members(payload.get("raw_payload")),
    )


def explanation_model(explanation: Explanation) -> models.AlertExplanation:
    """Return the explanation as the API shows it."""
    alert = explanation.alert
    kept = alert.decision or {}
    outcome = "silenced" if alert.incident_uuid is None else _text(kept, "outcome") or "opened"
    compared, window, decided_at = kept.get("compared"), kept.get("window"), _text(kept, "at")
    return models.AlertExplanation(
        alert_uuid=alert.uuid,
        incident_uuid=alert.incident_uuid,
        outcome=models.AlertOutcome(outcome),
        sentence=_sentence(alert, outcome, kept),
        rule=outcome if outcome in {"silenced", "storm"} else _text(kept, "rule"),
        key=_text(kept, "key"),
        compared=[
            models.ComparedValue(field=str(pair[0]), value=str(pair[1]))
            for pair in (compared if isinstance(compared, list) else [])
            if isinstance(pair, list) and len(pair) == 2
        ],
        considered=[_considered(rule) for rule in explanation.considered],
        reopen_within_seconds=window if isinstance(window, int) else 0,
        decided_at=datetime.fromisoformat(decided_at) if decided_at else None,
    )


def _sentence(alert: Alert, outcome: str, kept: Mapping[str, JSON]) -> str:
    if outcome == "silenced":
        return _silenced(alert)
    if not kept:
        return _UNKNOWN
    title = f"“{alert.incident_title}”"
    rule = _text(kept, "rule")
    compared = kept.get("compared")
    values = ", ".join(
        f"{pair[0]} = {str(pair[1])[:200]!r}"
        for pair in (compared if isinstance(compared, list) else [])
        if isinstance(pair, list) and len(pair) == 2
    )
    match outcome:
        case "storm":
            return (
                f"Its source opened more incidents within a minute than its storm_threshold allows, so it is one of"
                f" the storm {title}; by itself the rule {rule!r} would have decided, by {values}."
            )
        case "joined":
            return f"It joined the open incident {title}, which has the same values under the rule {rule!r}: {values}."
        case "reopened":
            return (
                f"It fired again within the window of the rule {rule!r}, so it is the same problem as before:"
                f" {title}."
            )
        case _:
            return f"It opened the incident {title}: under the rule {rule!r} no open one had {values}."


def _silenced(alert: Alert) -> str:
    if alert.silence_ends_at is None:
        return "A silence that is gone by now held it: it was stored, and started no investigation."
    until = alert.silence_ends_at.strftime("%Y-%m-%d %H:%M UTC")
    return (
        f"A silence by {alert.silence_author} holds it until {until} (“{alert.silence_comment[:500]}”): it is "
        "stored, and starts no investigation."
    )


def _considered(rule: Consideration) -> models.ConsideredRule:
    return models.ConsideredRule(
        name=rule.name,
        matched=rule.matched,
        matchers=[
            models.ConsideredMatcher(matcher=found.matcher, value=found.value, matched=found.matched)
            for found in rule.matchers
        ],
        reason=rule.reason,
    )


def _text(members: Mapping[str, JSON], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""


def _texts(value: JSON) -> dict[str, str]:
    return {name: str(text) for name, text in value.items()} if isinstance(value, dict) else {}


def _members(value: JSON) -> dict[str, JSON]:
    return value if isinstance(value, dict) else {}

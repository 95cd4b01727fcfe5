"""The rules document: the rules, the window, and the cases that prove them; written back as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import attrs

from akmatori_server.alerts.models import AlertStatus, Severity
from akmatori_server.correlation.durations import format_duration
from akmatori_server.correlation.rules import DEFAULT_WINDOW, Rule, RuleBook
from akmatori_server.incidents.storable import JSON

VERSION = 1


@attrs.frozen(kw_only=True)
class CaseAlert:
    """One alert of a case, at one moment. The same `id` again is the same alert again, later."""

    id: str
    at: timedelta
    status: AlertStatus
    alert_name: str
    severity: Severity
    labels: Mapping[str, str]
    summary: str
    host: str
    service: str
    group_key: str
    source: str
    source_type: str


@attrs.frozen(kw_only=True)
class Case:
    """Alerts, and the incidents they must become."""

    name: str
    alerts: tuple[CaseAlert, ...]
    # The ids of the alerts of each incident. An alert that comes back after its window is in two.
    incidents: tuple[tuple[str, ...], ...]
    # The rule that must place an alert, by its id; those that are not named may be placed by any.
    rules: Mapping[str, str]


@attrs.frozen(kw_only=True)
class RulesDocument:
    """Everything an operator says about correlation."""

    window: timedelta = DEFAULT_WINDOW
    rules: tuple[Rule, ...] = ()
    cases: tuple[Case, ...] = ()

    @property
    def book(self) -> RuleBook:
        """The rules, ready to place alerts."""
        return RuleBook(self.rules, self.window)

    def as_json(self) -> dict[str, JSON]:
        """Return the document as it is written; reading it again gives an equal document."""
        return {
            "version": VERSION,
            "window": format_duration(self.window),
            "rules": [_rule(rule) for rule in self.rules],
            "cases": [_case(case) for case in self.cases],
        }


EMPTY = RulesDocument()


def _rule(rule: Rule) -> JSON:
    written: dict[str, JSON] = {
        "name": rule.name,
        "match": [str(matcher) for matcher in rule.matchers],
        "by": list(rule.by),
    }
    if rule.window is not None:
        written["window"] = format_duration(rule.window)
    return written


def _case(case: Case) -> JSON:
    return {
        "name": case.name,
        "alerts": [_alert(alert) for alert in case.alerts],
        "incidents": [list(incident) for incident in case.incidents],
        "rules": dict(case.rules),
    }


def _alert(alert: CaseAlert) -> JSON:
    return {
        "id": alert.id,
        "at": format_duration(alert.at),
        "status": alert.status.value,
        "alert_name": alert.alert_name,
        "severity": alert.severity.value,
        "labels": dict(alert.labels),
        "summary": alert.summary,
        "host": alert.host,
        "service": alert.service,
        "group_key": alert.group_key,
        "source": alert.source,
        "source_type": alert.source_type,
    }

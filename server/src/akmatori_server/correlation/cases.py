"""Running the cases of a document: what its alerts become, against what its author expects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Protocol

import attrs

from akmatori_server.alerts.models import AlertStatus, NormalisedAlert
from akmatori_server.correlation.document import Case, CaseAlert, RulesDocument
from akmatori_server.correlation.rules import RuleBook

# Any moment does: only what passes between the alerts of a case matters.
START = datetime(2026, 1, 1, tzinfo=UTC)

Group = tuple[str, ...]


@attrs.frozen(kw_only=True)
class CaseDelivery:
    """Alerts that one source sends at one moment. The fingerprint of an alert is its id in the case."""

    source: str
    source_type: str
    at: datetime
    alerts: tuple[NormalisedAlert, ...]


@attrs.frozen(kw_only=True)
class PlacedAlert:
    """An alert that was stored: the incident it is in, and the rule that put it there."""

    fingerprint: str
    incident: str
    rule: str


class Play(Protocol):
    """Takes deliveries in as the server does, from nothing, and tells where the alerts are then."""

    def __call__(self, book: RuleBook, deliveries: Sequence[CaseDelivery], /) -> Sequence[PlacedAlert]:
        """Play one case."""
        ...


@attrs.frozen(kw_only=True)
class CaseResult:
    """What became of a case."""

    name: str
    expected: tuple[Group, ...]
    actual: tuple[Group, ...]
    # The rules that placed each alert, the latest last.
    rules: Mapping[str, str]
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether everything is as expected."""
        return not self.problems


def run_cases(document: RulesDocument, play: Play) -> tuple[CaseResult, ...]:
    """Play every case by the rules of its document."""
    return tuple(_run(case, document.book, play) for case in document.cases)


def deliveries_of(alerts: Iterable[CaseAlert]) -> tuple[CaseDelivery, ...]:
    """Return what the sources send, in the order of time; what one sends at one moment comes together."""
    began: dict[str, datetime] = {}
    deliveries: list[CaseDelivery] = []
    in_time = sorted(alerts, key=lambda alert: alert.at)
    for (at, source, source_type), together in groupby(
        in_time, key=lambda alert: (alert.at, alert.source, alert.source_type)
    ):
        moment = START + at
        normalised = tuple(_normalised(alert, began, moment) for alert in together)
        deliveries.append(CaseDelivery(source=source, source_type=source_type, at=moment, alerts=normalised))
    return tuple(deliveries)


def _run(case: Case, book: RuleBook, play: Play) -> CaseResult:
    placed = play(book, deliveries_of(case.alerts))
    incidents: dict[str, set[str]] = {}
    for alert in placed:
        incidents.setdefault(alert.incident, set()).add(alert.fingerprint)
    expected, actual = _in_order(case.incidents), _in_order(incidents.values())
    rules = {alert.fingerprint: alert.rule for alert in placed}
    problems = (*_differences(expected, actual), *_wrong_rules(case.rules, rules))
    return CaseResult(name=case.name, expected=expected, actual=actual, rules=rules, problems=problems)


def _normalised(alert: CaseAlert, began: dict[str, datetime], moment: datetime) -> NormalisedAlert:
    is_firing = alert.status is AlertStatus.FIRING
    # As sources do: a repeat tells the same beginning, and the end tells it once more.
    started_at = began.setdefault(alert.id, moment)
    if not is_firing:
        del began[alert.id]
    return NormalisedAlert(
        alert_name=alert.alert_name,
        severity=alert.severity,
        status=alert.status,
        summary=alert.summary,
        target_host=alert.host,
        target_service=alert.service,
        target_labels=alert.labels,
        started_at=started_at,
        ended_at=None if is_firing else moment,
        source_fingerprint=alert.id,
        group_key=alert.group_key,
    )


def _in_order(groups: Iterable[Iterable[str]]) -> tuple[Group, ...]:
    return tuple(sorted(tuple(sorted(set(group))) for group in groups))


def _differences(expected: Sequence[Group], actual: Sequence[Group]) -> list[str]:
    # Counted: the same alert may be the only one of two incidents, one after the other.
    wanted, found = Counter(expected), Counter(actual)
    return [
        *(
            f"Expected an incident of {_names(group)}, which there is not."
            for group in (wanted - found).elements()
        ),
        *(
            f"There is an incident of {_names(group)}, which is not expected."
            for group in (found - wanted).elements()
        ),
    ]


def _wrong_rules(expected: Mapping[str, str], actual: Mapping[str, str]) -> list[str]:
    return [
        f'{alert} was placed by the rule "{actual[alert]}", not by "{rule}".'
        if alert in actual
        else f'{alert} is in no incident, so it was not placed by the rule "{rule}".'
        for alert, rule in expected.items()
        if actual.get(alert) != rule
    ]


def _names(group: Group) -> str:
    return f"{group[0]} alone" if len(group) == 1 else f"{', '.join(group[:-1])} and {group[-1]}"

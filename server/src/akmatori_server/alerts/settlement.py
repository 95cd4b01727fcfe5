"""Settling a batch of deliveries in one transaction: rows, incidents, their queue entries and events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import attrs
import structlog

from akmatori_server.alert_sources.models import AlertSource
from akmatori_server.alerts import store
from akmatori_server.alerts.changes import IncidentChange, changes_of, events_of, log_lines_of
from akmatori_server.alerts.fields import fields_of
from akmatori_server.alerts.homes import STORM_SPAN, Flow, Homes, OpenIncident, decision, storm_key
from akmatori_server.alerts.ledger import AlertRow, Circumstances, Ledger
from akmatori_server.alerts.models import NormalisedAlert
from akmatori_server.alerts.openings import describe
from akmatori_server.alerts.ports import Events, Rules, Silences
from akmatori_server.correlation.rules import Placement, RuleBook
from akmatori_server.incidents import store as incident_store
from akmatori_server.incidents.service import Opening
from akmatori_server.silences.book import ActiveSilences

_log = structlog.stdlib.get_logger("akmatori_server.alerts")

# A line of the log names this many sources and incidents; it counts all of them.
MOST_LOGGED = 10


@attrs.frozen(kw_only=True)
class Submission:
    """The alerts of one delivery, read and waiting to be stored."""

    source: AlertSource
    alerts: Sequence[NormalisedAlert]
    warnings: Sequence[str] = ()


@attrs.frozen(kw_only=True)
class Receipt:
    """What a delivery came to: how many alerts, the uuids of incidents it opened, what was odd about it."""

    alerts: int
    incidents: Sequence[str]
    warnings: Sequence[str] = ()


@attrs.define
class Batch:
    """Deliveries on their way into the database, with everything that decides about them."""

    opening: Opening
    book: RuleBook
    silences: ActiveSilences
    sources: dict[int, AlertSource]

    def fields(self, source_id: int, alert: NormalisedAlert) -> Mapping[str, str]:
        """Return what matchers and rules look at."""
        source = self.sources[source_id]
        return fields_of(alert, source=source.name, source_type=source.type.name)

    def placement(self, source_id: int, alert: NormalisedAlert) -> Placement:
        """Return which rule the alert falls under."""
        return self.book.place(self.fields(source_id, alert))

    def window(self, source_id: int, alert: NormalisedAlert) -> timedelta:
        """Return how long after its end the alert still counts as the same problem."""
        return self.placement(source_id, alert).window

    def silence(self, source_id: int, alert: NormalisedAlert) -> int | None:
        """Return the number of the silence over the alert."""
        if not self.silences.silences:
            return None
        found = self.silences.first(self.fields(source_id, alert))
        return None if found is None else found.id

    def read(self, alerts: Sequence[tuple[int, NormalisedAlert]]) -> Ledger:
        """Read what is known about the alerts, for the ledger to take them."""
        identities = {(source_id, alert.source_fingerprint) for source_id, alert in alerts}
        newest = store.newest_rows(self.opening.connection, identities)
        return Ledger(newest, Circumstances(window=self.window, silence=self.silence))

    def write(self, ledger: Ledger, events: Events) -> list[OpenIncident]:
        """Give every alert its incident, and write all of it. Return the incidents that were opened."""
        connection, now = self.opening.connection, self.opening.now
        placed = [(row, self._placed(row)) for row in ledger.homeless.values()]
        found = self._incidents(ledger, placed)
        changes = changes_of(found, ledger)
        homes = Homes(
            {incident.key: incident for incident in found if incident.key is not None},
            flows=self._flows(placed),
            now=now,
        )
        homes.house(placed)
        for row in ledger.reopened.values():
            if row.incident_id is not None:
                row.decision = decision("reopened", self._placed(row), now)
        store.retire_keys(connection, [incident.id for incident in homes.retired if incident.id is not None])
        self._open(homes.opened)
        changes += [IncidentChange(incident=incident, is_opened=True) for incident in homes.opened]
        for change in changes:
            for row in change.incident.rows:
                row.incident_id = change.incident.id
            change.count_joined(now)
        changes = [change for change in changes if change.is_change]
        # First what ends: an alert may have one firing row only, at every moment.
        store.update_rows(connection, ledger.changed.values())
        store.update_decisions(connection, _decided_anew(ledger))
        store.insert_rows(connection, ledger.opened)
        store.update_counts(connection, (change.incident for change in changes), now)
        incident_store.add_log_lines(connection, log_lines_of(changes), now)
        events.record(connection, events_of(ledger, changes, now))
        return homes.opened

    def _placed(self, row: AlertRow) -> Placement:
        if row.alert is None:
            raise ValueError("Only an alert that was told of can be placed.")
        return self.placement(row.source_id, row.alert)

    def _incidents(self, ledger: Ledger, placed: Sequence[tuple[AlertRow, Placement]]) -> list[OpenIncident]:
        """Read the incidents that the batch touches, and those it may join."""
        keys = {placement.key for _, placement in placed}
        storms = {storm_key(row.source_id) for row, _ in placed}
        touched = {
            row.incident_id
            for row in ledger.changed.values()
            if row.incident_id is not None and row.is_firing != row.was_firing
        }
        return store.incidents_to_join(self.opening.connection, ids=touched, keys=keys | storms)

    def _flows(self, placed: Sequence[tuple[AlertRow, Placement]]) -> dict[int, Flow]:
        """Read how fast the sources open incidents."""
        since = self.opening.now - STORM_SPAN
        flows: dict[int, Flow] = {}
        for source_id in {row.source_id for row, _ in placed}:
            threshold = self.sources[source_id].options.storm_threshold
            recent = (
                store.opened_since(self.opening.connection, source_id, since, most=threshold + 1)
                if threshold
                else 0
            )
            flows[source_id] = Flow(recent=recent, threshold=threshold)
        return flows

    def _open(self, incidents: Sequence[OpenIncident]) -> None:
        new = [describe(self.sources[incident.source_id], incident) for incident in incidents]
        for incident, described, opened in zip(incidents, new, self.opening.open_all(new), strict=True):
            incident.id, incident.uuid, incident.title = opened.id, opened.uuid, described.title


def settle(
    opening: Opening,
    submissions: Sequence[Submission],
    *,
    rules: Rules,
    silences: Silences,
    events: Events,
) -> list[Receipt]:
    """Store deliveries in their order, as part of one transaction, and return the receipt of each."""
    sources = {submission.source.id: submission.source for submission in submissions}
    batch = Batch(opening, rules.current(), silences.active(opening.connection, opening.now), sources)
    alerts = [(s.source.id, alert) for s in submissions for alert in s.alerts]
    ledger = batch.read(alerts)
    # Which delivery brought the alert that opened an incident.
    brought_by: dict[str, int] = {}
    for number, submission in enumerate(submissions):
        for alert in submission.alerts:
            ledger.take(submission.source.id, alert, opening.now)
        for uuid in list(ledger.homeless)[len(brought_by) :]:
            brought_by[uuid] = number
    opened = batch.write(ledger, events)
    by_delivery: dict[int, list[str]] = {}
    for incident in opened:
        by_delivery.setdefault(brought_by[incident.rows[0].uuid], []).append(incident.uuid)
    _report(submissions, ledger, opened)
    return [
        Receipt(
            alerts=len(submission.alerts),
            incidents=by_delivery.get(number, []),
            warnings=submission.warnings,
        )
        for number, submission in enumerate(submissions)
    ]


def _decided_anew(ledger: Ledger) -> Iterable[AlertRow]:
    return (row for row in ledger.changed.values() if row.decision is not None)


def _report(submissions: Sequence[Submission], ledger: Ledger, opened: Sequence[OpenIncident]) -> None:
    _log.info(
        "alerts_received",
        sources=sorted({submission.source.uuid for submission in submissions})[:MOST_LOGGED],
        deliveries=len(submissions),
        alerts=sum(len(submission.alerts) for submission in submissions),
        opened=len(ledger.opened),
        known=len(ledger.changed),
        ignored=len(ledger.ignored),
        new_incidents=len(opened),
        incidents=[incident.uuid for incident in opened[:MOST_LOGGED]],
    )

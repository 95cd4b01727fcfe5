"""What a batch changed about incidents: their counts, and what is told about it in events and logs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import attrs

from akmatori_server.alerts.homes import OpenIncident
from akmatori_server.alerts.ledger import AlertRow, Ledger
from akmatori_server.events.models import EventKind, NewEvent, incident_data
from akmatori_server.incidents.log import LineKind, LogLine
from akmatori_server.incidents.storable import JSON

# A line of the log names this many alerts.
MOST_NAMED = 5
LONGEST_NAMED = 200


@attrs.define(kw_only=True)
class IncidentChange:
    """One incident, counted anew."""

    incident: OpenIncident
    # Alerts it did not have before; of those it had, the ones that fire again, and the ones that ended.
    joined: list[AlertRow] = attrs.field(factory=list[AlertRow])
    fired_again: list[AlertRow] = attrs.field(factory=list[AlertRow])
    ended: list[AlertRow] = attrs.field(factory=list[AlertRow])
    is_opened: bool = False
    was_resolved: bool = False

    @property
    def is_resolved_now(self) -> bool:
        """Whether the last of its alerts ended in this batch."""
        return self.incident.resolved_at is not None and not self.was_resolved

    @property
    def is_reopened(self) -> bool:
        """Whether it was over, and is not any more."""
        return self.was_resolved and self.incident.resolved_at is None

    @property
    def is_change(self) -> bool:
        """Whether anything happened to it."""
        return bool(self.joined or self.fired_again or self.ended)

    def count_known(self) -> None:
        """Count what became of the alerts it had: that decides whether others may join it."""
        self.was_resolved = self.incident.resolved_at is not None
        self.incident.firing_count += len(self.fired_again) - len(self.ended)
        self._settle_end(self.ended)

    def count_joined(self, now: datetime) -> None:
        """Count the alerts that joined."""
        self.joined = list(self.incident.rows)
        self.incident.alert_count += len(self.joined)
        self.incident.firing_count += sum(row.is_firing for row in self.joined)
        self._settle_end(self.joined)
        if self.is_change:
            self.incident.last_alert_at = now

    def _settle_end(self, rows: Iterable[AlertRow]) -> None:
        if self.incident.firing_count > 0:
            self.incident.resolved_at = None
            return
        ends = [row.resolved_at for row in rows if row.resolved_at is not None]
        if self.incident.resolved_at is not None:
            ends.append(self.incident.resolved_at)
        self.incident.resolved_at = max(ends, default=None)


def changes_of(incidents: Iterable[OpenIncident], ledger: Ledger) -> list[IncidentChange]:
    """Return what becomes of incidents by the alerts they have; what joins them is counted later."""
    changes = {incident.id: IncidentChange(incident=incident) for incident in incidents}
    for row in ledger.changed.values():
        change = changes.get(row.incident_id)
        if change is not None and row.was_firing != row.is_firing:
            (change.fired_again if row.is_firing else change.ended).append(row)
    for change in changes.values():
        change.count_known()
    return list(changes.values())


def events_of(ledger: Ledger, changes: Sequence[IncidentChange], now: datetime) -> list[NewEvent]:
    """Tell what happened: to the alerts first, then to their incidents.

    The alerts of a storm are not told one by one; its incident's counts tell of them.
    """
    incidents = {change.incident.id: change.incident for change in changes}
    told: list[NewEvent] = []
    for row in (*ledger.opened, *ledger.changed.values()):
        incident = None if row.incident_id is None else incidents.get(row.incident_id)
        if incident is not None and incident.is_storm:
            continue
        told += (_alert_event(kind, row, incident, now) for kind in _kinds(row, ledger))
    told += (
        NewEvent(
            kind=kind,
            incident_uuid=change.incident.uuid,
            data=incident_data(
                status=change.incident.status,
                title=change.incident.title,
                alert_count=change.incident.alert_count,
                firing_count=change.incident.firing_count,
            ),
            at=now,
        )
        for change in changes
        for kind in _incident_kinds(change)
    )
    return told


def log_lines_of(changes: Iterable[IncidentChange]) -> list[tuple[int, LogLine]]:
    """Tell the investigations that are under way what happens to their incident meanwhile.

    One that has not begun reads the alerts when it does; one that is over is not written to.
    """
    lines: list[tuple[int, LogLine]] = []
    for change in changes:
        incident = change.incident
        if incident.id is None or change.is_opened or incident.status != "running":
            continue
        for word, rows in (
            ("🔔 Joined by", change.joined),
            ("🔁 Fires again:", change.fired_again),
            ("☑️ Resolved:", change.ended),
        ):
            if rows:
                first = rows[0]
                key = f"alerts:{word[-6:]}:{first.uuid}:{first.deliveries}:{first.episodes}"
                lines.append((incident.id, LogLine(key, LineKind.NOTE, f"{word} {_names(rows)}")))
    return lines


def _kinds(row: AlertRow, ledger: Ledger) -> list[EventKind]:
    kinds: list[EventKind] = []
    is_new = row.id is None
    if row.silence_id is not None and is_new:
        kinds.append(EventKind.ALERT_SILENCED)
    elif is_new or row.uuid in ledger.homeless or (row.is_firing and not row.was_firing):
        kinds.append(EventKind.ALERT_FIRED)
    if not row.is_firing and (is_new or row.was_firing):
        kinds.append(EventKind.ALERT_RESOLVED)
    return kinds


def _incident_kinds(change: IncidentChange) -> list[EventKind]:
    kinds = [EventKind.INCIDENT_OPENED if change.is_opened else EventKind.INCIDENT_UPDATED]
    if change.is_reopened:
        kinds.append(EventKind.INCIDENT_REOPENED)
    if change.is_resolved_now:
        kinds.append(EventKind.INCIDENT_RESOLVED)
    return kinds


def _alert_event(kind: EventKind, row: AlertRow, incident: OpenIncident | None, now: datetime) -> NewEvent:
    data: dict[str, JSON] = {"status": row.status.value, "fingerprint": row.fingerprint}
    if row.alert is not None:
        data |= {"alert_name": row.alert.alert_name[:LONGEST_NAMED], "severity": row.alert.severity.value}
    return NewEvent(
        kind=kind,
        incident_uuid=None if incident is None else incident.uuid,
        alert_uuid=row.uuid,
        data=data,
        at=now,
    )


def _names(rows: Sequence[AlertRow]) -> str:
    named = [row.alert.headline[:LONGEST_NAMED] for row in rows[:MOST_NAMED] if row.alert is not None] or [
        "an alert"
    ]
    more = len(rows) - MOST_NAMED
    return "; ".join(named) + (f"; and {more} more" if more > 0 else "")

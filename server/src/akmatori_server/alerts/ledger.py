"""What a delivery changes: pure decisions over the alerts that are known, with no database and no clock.

An alert is one row from its first firing to its end. A firing alert that is known is a repeat; one that is
not opens a row. Deliveries may come twice and out of order (two Alertmanagers deliver the same group), so the
moments the source tells decide what belongs together, as far as it tells any.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import attrs

from akmatori_server.alerts.models import AlertStatus, NormalisedAlert

# A firing alert that began this much later than we last heard of the firing row is not that one: its end
# never reached us. The hour covers clocks that differ and replicas that disagree about the beginning.
MISSED_END_GAP = timedelta(hours=1)


@attrs.define(kw_only=True)
class AlertRow:
    """One stored alert, or one about to be (`id` None)."""

    fingerprint: str
    status: AlertStatus
    started_at: datetime | None
    resolved_at: datetime | None
    first_seen_at: datetime
    last_seen_at: datetime
    deliveries: int
    id: int | None = None
    incident_id: int | None = None
    # What opened the row; None for a row read back.
    alert: NormalisedAlert | None = None

    @property
    def is_firing(self) -> bool:
        """Whether its end has not been told."""
        return self.status is AlertStatus.FIRING


@attrs.define
class Ledger:
    """The newest row of every fingerprint of a delivery, and what the delivery changes."""

    newest: dict[str, AlertRow]
    opened: list[AlertRow] = attrs.field(factory=list[AlertRow])
    changed: dict[int, AlertRow] = attrs.field(factory=dict[int, AlertRow])
    # Group key to the incidents of alerts that were known already.
    known_incidents: dict[str, set[int]] = attrs.field(factory=dict[str, set[int]])
    ignored: list[NormalisedAlert] = attrs.field(factory=list[NormalisedAlert])

    def take(self, alert: NormalisedAlert, now: datetime) -> None:
        """Apply one alert of the delivery."""
        row = self.newest.get(alert.source_fingerprint)
        if alert.is_firing:
            self._fire(row, alert, now)
        elif row is None or not row.is_firing or _ended_before(alert, row):
            self.ignored.append(alert)
        else:
            self._close(row, at=_end(alert, now))

    def _fire(self, row: AlertRow | None, alert: NormalisedAlert, now: datetime) -> None:
        if row is None or not _is_same(row, alert):
            if row is not None and row.is_firing:
                self._close(row, at=now)
            self._open(alert, now)
            return
        row.status = AlertStatus.FIRING
        row.deliveries += 1
        row.last_seen_at = now
        self._touch(row)
        if row.incident_id is not None:
            self.known_incidents.setdefault(alert.group_key, set()).add(row.incident_id)

    def _open(self, alert: NormalisedAlert, now: datetime) -> None:
        row = AlertRow(
            fingerprint=alert.source_fingerprint,
            status=AlertStatus.FIRING,
            started_at=alert.started_at,
            resolved_at=None,
            first_seen_at=now,
            last_seen_at=now,
            deliveries=1,
            alert=alert,
        )
        self.newest[row.fingerprint] = row
        self.opened.append(row)

    def _close(self, row: AlertRow, *, at: datetime) -> None:
        row.status = AlertStatus.RESOLVED
        row.resolved_at = at
        self._touch(row)

    def _touch(self, row: AlertRow) -> None:
        if row.id is not None:
            self.changed[row.id] = row


def settle(newest: dict[str, AlertRow], alerts: Iterable[NormalisedAlert], now: datetime) -> Ledger:
    """Apply a whole delivery, in its order, to the newest known row of each fingerprint."""
    ledger = Ledger(newest)
    for alert in alerts:
        ledger.take(alert, now)
    return ledger


def _is_same(row: AlertRow, alert: NormalisedAlert) -> bool:
    """Whether a firing alert is the one of `row` rather than a later one with the same labels."""
    began = alert.started_at
    if not row.is_firing:
        # It began before the row's end: a late delivery of the same alert, or one its source had given up too
        # early.
        return began is not None and row.resolved_at is not None and began <= row.resolved_at
    if began is None or row.started_at is None or began <= row.started_at:
        return True
    if row.resolved_at is not None and began > row.resolved_at:
        # The row was resolved once and came back by a late delivery; this one began after that end.
        return False
    return began <= row.last_seen_at + MISSED_END_GAP


def _ended_before(alert: NormalisedAlert, row: AlertRow) -> bool:
    """Whether a resolved alert tells of an earlier one with the same labels, all of it before `row` began."""
    if row.started_at is None or alert.started_at is None or alert.ended_at is None:
        return False
    return alert.started_at < row.started_at and alert.ended_at < row.started_at


def _end(alert: NormalisedAlert, now: datetime) -> datetime:
    # An end in the future would swallow every alert that begins before it.
    return now if alert.ended_at is None else min(alert.ended_at, now)

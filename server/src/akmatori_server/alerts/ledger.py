"""What deliveries change: pure decisions over the alerts that are known, with no database and no clock.

An alert is one row from its first firing to its end, and beyond it while it may come back as the same problem.
A firing alert that is known is a repeat; one that fires again soon after its end reopens its row; any other
opens a row. Deliveries may come twice and out of order (two Alertmanagers deliver the same group), so the
moments the source tells decide what belongs together, as far as it tells any.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeAlias

import attrs

from akmatori_server.alerts.models import AlertStatus, NormalisedAlert
from akmatori_server.incidents.storable import JSON

# A firing alert that began this much later than we last heard of the firing row is not that one: its end
# never reached us. The hour covers clocks that differ and replicas that disagree about the beginning.
MISSED_END_GAP = timedelta(hours=1)

Identity: TypeAlias = tuple[int, str]
"""Number of the source and fingerprint: what makes an alert the same as before."""


def _new_uuid() -> str:
    return str(uuid.uuid4())


@attrs.define(kw_only=True, eq=False)
class AlertRow:
    """One stored alert, or one about to be (`id` None)."""

    source_id: int
    fingerprint: str
    status: AlertStatus
    started_at: datetime | None
    resolved_at: datetime | None
    first_seen_at: datetime
    last_seen_at: datetime
    deliveries: int = 1
    episodes: int = 1
    uuid: str = attrs.field(factory=_new_uuid)
    id: int | None = None
    incident_id: int | None = None
    # The silence that keeps it from having an incident.
    silence_id: int | None = None
    # What a delivery of this batch told of it; None when only its row is known.
    alert: NormalisedAlert | None = None
    # Whether it was firing before this batch, as the row is counted in its incident.
    was_firing: bool = False
    # Whether the batch told it again, and nothing else.
    is_repeat: bool = False
    # Set with its incident: what decided.
    decision: dict[str, JSON] | None = None

    @property
    def identity(self) -> Identity:
        """What makes it the same alert as before."""
        return self.source_id, self.fingerprint

    @property
    def is_firing(self) -> bool:
        """Whether its end has not been told."""
        return self.status is AlertStatus.FIRING


@attrs.frozen(kw_only=True)
class Circumstances:
    """What the ledger has to know about an alert beyond its row, asked only when it matters."""

    # How long after its end an alert of a source still counts as the same problem.
    window: Callable[[int, NormalisedAlert], timedelta]
    # The number of the silence it is under, None when nothing silences it.
    silence: Callable[[int, NormalisedAlert], int | None]


@attrs.define
class Ledger:
    """The newest row of every alert of a batch of deliveries, and what the batch changes."""

    newest: dict[Identity, AlertRow]
    circumstances: Circumstances
    opened: list[AlertRow] = attrs.field(factory=list[AlertRow])
    changed: dict[int, AlertRow] = attrs.field(factory=dict[int, AlertRow])
    # Rows that need an incident by their uuid, in the order of their arrival.
    homeless: dict[str, AlertRow] = attrs.field(factory=dict[str, AlertRow])
    # Those that fired again as the same problem.
    reopened: dict[str, AlertRow] = attrs.field(factory=dict[str, AlertRow])
    ignored: list[NormalisedAlert] = attrs.field(factory=list[NormalisedAlert])

    def take(self, source_id: int, alert: NormalisedAlert, now: datetime) -> None:
        """Apply one alert of a delivery."""
        row = self.newest.get((source_id, alert.source_fingerprint))
        if alert.is_firing:
            self._fire(source_id, row, alert, now)
        elif row is None or not row.is_firing or _ended_before(alert, row):
            self.ignored.append(alert)
        else:
            row.alert = row.alert or alert
            self._close(row, at=_end(alert, now))

    def reconsider(self, row: AlertRow) -> None:
        """Ask anew whether a firing row without an incident is silenced; it needs an incident if not."""
        if row.alert is None or row.id is None:
            raise ValueError("Only a stored alert whose telling is known can be reconsidered.")
        row.silence_id = self.circumstances.silence(row.source_id, row.alert)
        row.is_repeat = False
        self._touch(row)
        if row.silence_id is None:
            self.homeless[row.uuid] = row

    def _fire(self, source_id: int, row: AlertRow | None, alert: NormalisedAlert, now: datetime) -> None:
        if row is None:
            self._open(source_id, alert, now)
        elif _is_outdated(row, alert):
            self.ignored.append(alert)
        elif row.is_firing and _is_same_episode(row, alert):
            self._repeat(row, alert, now)
        elif not self._is_same_problem(row, alert, now):
            if row.is_firing:
                # When it ended nobody told; it fired when we last heard of it.
                self._close(row, at=row.last_seen_at)
            self._open(source_id, alert, now)
        elif _is_late(row, alert):
            # A late delivery of the episode that ended, or one its source had given up too early.
            self._repeat(row, alert, now)
        else:
            self._reopen(row, alert, now)

    def _is_same_problem(self, row: AlertRow, alert: NormalisedAlert, now: datetime) -> bool:
        """Whether an alert that fires after the row's end still is the problem the row stands for."""
        ended_at = row.resolved_at if row.resolved_at is not None else row.last_seen_at
        if not row.is_firing and row.resolved_at is None:
            return False
        fired_at = now if _is_late(row, alert) else alert.started_at or now
        if fired_at - ended_at > self.circumstances.window(row.source_id, alert):
            return False
        # Under a silence a problem that comes back is kept apart from the incident it had: it must wake nobody.
        return row.silence_id is not None or self.circumstances.silence(row.source_id, alert) is None

    def _repeat(self, row: AlertRow, alert: NormalisedAlert, now: datetime) -> None:
        row.is_repeat = row.is_firing and row.was_firing and (row.is_repeat or row.id not in self.changed)
        row.status = AlertStatus.FIRING
        row.deliveries += 1
        row.last_seen_at = now
        row.alert = alert
        self._touch(row)
        if row.id is not None and row.incident_id is None:
            self.reconsider(row)

    def _reopen(self, row: AlertRow, alert: NormalisedAlert, now: datetime) -> None:
        row.episodes += 1
        row.started_at = alert.started_at
        self.reopened[row.uuid] = row
        self._repeat(row, alert, now)
        # A late delivery may have made it fire already; that it began anew is to be written in any case.
        row.is_repeat = False

    def _open(self, source_id: int, alert: NormalisedAlert, now: datetime) -> None:
        row = AlertRow(
            source_id=source_id,
            fingerprint=alert.source_fingerprint,
            status=AlertStatus.FIRING,
            started_at=alert.started_at,
            resolved_at=None,
            first_seen_at=now,
            last_seen_at=now,
            alert=alert,
            silence_id=self.circumstances.silence(source_id, alert),
        )
        self.newest[row.identity] = row
        self.opened.append(row)
        if row.silence_id is None:
            self.homeless[row.uuid] = row

    def _close(self, row: AlertRow, *, at: datetime) -> None:
        row.status = AlertStatus.RESOLVED
        row.is_repeat = False
        row.resolved_at = at
        self._touch(row)

    def _touch(self, row: AlertRow) -> None:
        if row.id is not None:
            self.changed[row.id] = row


def settle(
    newest: dict[Identity, AlertRow],
    alerts: Iterable[tuple[int, NormalisedAlert]],
    now: datetime,
    circumstances: Circumstances,
) -> Ledger:
    """Apply deliveries, in their order, to the newest known row of each alert; each comes with its source."""
    ledger = Ledger(newest, circumstances)
    for source_id, alert in alerts:
        ledger.take(source_id, alert, now)
    return ledger


def _is_same_episode(row: AlertRow, alert: NormalisedAlert) -> bool:
    """Whether a firing alert is the one of the firing `row` rather than a later one with the same labels."""
    began = alert.started_at
    if began is None or row.started_at is None or began <= row.started_at:
        return True
    if row.resolved_at is not None and row.started_at <= row.resolved_at < began:
        # The row was resolved once and came back by a late delivery; this one began after that end.
        return False
    return began <= row.last_seen_at + MISSED_END_GAP


def _is_late(row: AlertRow, alert: NormalisedAlert) -> bool:
    """Whether a firing alert began before the row's end: it tells nothing new, whenever it comes."""
    began = alert.started_at
    return began is not None and row.resolved_at is not None and began <= row.resolved_at


def _is_outdated(row: AlertRow, alert: NormalisedAlert) -> bool:
    """Whether the source said so before it said that the alert ended: the deliveries changed their order."""
    return (
        not row.is_firing
        and row.resolved_at is not None
        and alert.told_at is not None
        and alert.told_at <= row.resolved_at
    )


def _ended_before(alert: NormalisedAlert, row: AlertRow) -> bool:
    """Whether a resolved alert tells of an earlier one with the same labels, all of it before `row` began."""
    if row.started_at is None or alert.started_at is None or alert.ended_at is None:
        return False
    return alert.started_at < row.started_at and alert.ended_at < row.started_at


def _end(alert: NormalisedAlert, now: datetime) -> datetime:
    # An end in the future would swallow every alert that begins before it.
    return now if alert.ended_at is None else min(alert.ended_at, now)

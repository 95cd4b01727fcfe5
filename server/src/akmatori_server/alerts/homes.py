"""Which incident an alert belongs to: one that is open for its like, a new one, or the one of a storm.

Pure decisions; the incidents that may be joined are read before, and written after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import attrs

from akmatori_server.alerts.ledger import AlertRow
from akmatori_server.correlation.rules import Placement
from akmatori_server.incidents.models import FINISHED
from akmatori_server.incidents.storable import JSON

STORM_RULE = "storm"
# How long no problem may have come before a storm counts as over.
STORM_QUIET = timedelta(minutes=5)
STORM_SPAN = timedelta(minutes=1)


@attrs.define(kw_only=True, eq=False)
class OpenIncident:
    """An incident that alerts may join, as it is stored; or one about to be opened (`id` None)."""

    key: str | None
    status: str = "pending"
    id: int | None = None
    uuid: str = ""
    title: str = ""
    alert_count: int = 0
    firing_count: int = 0
    last_alert_at: datetime | None = None
    resolved_at: datetime | None = None
    # What this batch adds.
    rows: list[AlertRow] = attrs.field(factory=list[AlertRow])
    source_id: int = 0
    is_storm: bool = False

    @property
    def is_new(self) -> bool:
        """Whether it is opened by this batch."""
        return self.id is None

    def is_joinable(self, window: timedelta, now: datetime) -> bool:
        """Whether a further alert of its kind is the same problem: it goes on, or ended a moment ago."""
        if self.is_new or self.firing_count > 0 or self.status not in FINISHED:
            return True
        return self.resolved_at is not None and now - self.resolved_at <= window

    def is_storming(self, now: datetime) -> bool:
        """Whether the storm goes on."""
        return self.is_new or (self.last_alert_at is not None and now - self.last_alert_at <= STORM_QUIET)


@attrs.frozen(kw_only=True)
class Flow:
    """How many incidents a source opened within the last minute, and how many it may before it is a storm."""

    recent: int
    threshold: int


@attrs.define
class Homes:
    """Finds an incident for every row that needs one."""

    known: dict[str, OpenIncident]
    flows: Mapping[int, Flow]
    now: datetime
    opened: list[OpenIncident] = attrs.field(factory=list[OpenIncident])
    # Incidents that may not be joined any more, and whose key another one takes.
    retired: list[OpenIncident] = attrs.field(factory=list[OpenIncident])

    def house(self, placed: Iterable[tuple[AlertRow, Placement]]) -> None:
        """Give each row the incident it belongs to, and note in the row what decided."""
        strangers: dict[int, dict[str, list[tuple[AlertRow, Placement]]]] = {}
        for row, placement in placed:
            incident = self.known.get(placement.key)
            if incident is not None and incident.is_joinable(placement.window, self.now):
                self._join(row, placement, incident)
            else:
                strangers.setdefault(row.source_id, {}).setdefault(placement.key, []).append((row, placement))
        for source_id, groups in strangers.items():
            self._house_new(source_id, groups)

    def _house_new(self, source_id: int, groups: Mapping[str, list[tuple[AlertRow, Placement]]]) -> None:
        storm = self.known.get(storm_key(source_id))
        flow = self.flows[source_id]
        if storm is not None and not storm.is_storming(self.now):
            self._retire(storm)
            storm = None
        if storm is None and flow.threshold and flow.recent + len(groups) > flow.threshold:
            storm = self._open(storm_key(source_id), source_id, is_storm=True)
        for key, members in groups.items():
            incident = storm or self._opened_for(key, source_id)
            for row, placement in members:
                self._join(row, placement, incident)

    def _opened_for(self, key: str, source_id: int) -> OpenIncident:
        # Two sources may have the same key in one batch; the second finds the incident of the first.
        known = self.known.get(key)
        if known is not None and known.is_new:
            return known
        if known is not None:
            self._retire(known)
        return self._open(key, source_id, is_storm=False)

    def _open(self, key: str, source_id: int, *, is_storm: bool) -> OpenIncident:
        incident = OpenIncident(key=key, source_id=source_id, is_storm=is_storm)
        self.known[key] = incident
        self.opened.append(incident)
        return incident

    def _retire(self, incident: OpenIncident) -> None:
        if incident.key is not None:
            self.known.pop(incident.key, None)
        self.retired.append(incident)

    def _join(self, row: AlertRow, placement: Placement, incident: OpenIncident) -> None:
        is_first = incident.is_new and not incident.rows
        incident.rows.append(row)
        if incident.is_storm:
            outcome = STORM_RULE
        elif is_first:
            outcome = "opened"
        else:
            outcome = "joined"
        row.decision = decision(outcome, placement, self.now)


def storm_key(source_id: int) -> str:
    """Return what keeps a source from having two storms at a time."""
    return f"{STORM_RULE}:{source_id}"


def decision(outcome: str, placement: Placement, now: datetime) -> dict[str, JSON]:
    """Return what is kept about a decision, for `explain`."""
    return {
        "outcome": outcome,
        "rule": placement.rule,
        "key": placement.key,
        "compared": [[field, value[:1000]] for field, value in placement.compared],
        "window": int(placement.window.total_seconds()),
        "at": now.isoformat(),
    }

"""Giving the alerts that a silence held an incident after all, when it ended while they fire."""

from __future__ import annotations

from typing import Protocol

from akmatori_server.alert_sources.models import AlertSource
from akmatori_server.alerts import store
from akmatori_server.alerts.ledger import Circumstances, Ledger
from akmatori_server.alerts.models import from_stored
from akmatori_server.alerts.ports import Events, Incidents, Rules, Silences
from akmatori_server.alerts.settlement import Batch

AT_ONCE = 500


class Sources(Protocol):
    """Where sources are read."""

    def get(self, uuid: str, /) -> AlertSource:
        """Return one source."""
        ...


class HeldAlerts:
    """The alerts that silences hold."""

    def __init__(
        self,
        sources: Sources,
        incidents: Incidents,
        *,
        rules: Rules,
        silences: Silences,
        events: Events,
    ) -> None:
        self._sources = sources
        self._incidents = incidents
        self._rules = rules
        self._silences = silences
        self._events = events

    def release(self, silence_id: int) -> int:
        """Decide anew about the firing alerts that a silence holds, and return how many were let go.

        One that an active silence is about stays held; the others find or open their incidents, by the rules
        and within the limits that hold for alerts that arrive. Doing it again changes nothing.
        """
        released, after = 0, 0
        while after >= 0:
            let_go, after = self._some(silence_id, after)
            released += let_go
        if released:
            self._events.wake()
        return released

    def _some(self, silence_id: int, after: int) -> tuple[int, int]:
        """Decide about the next few; return how many were let go, and where to go on (-1: nowhere)."""
        with self._incidents.opening() as opening:
            held = store.held_rows(opening.connection, silence_id, after=after, limit=AT_ONCE)
            if not held:
                return 0, -1
            uuids = store.source_uuids(opening.connection, (row.source_id for row, _ in held))
            sources = {source.id: source for source in map(self._sources.get, uuids)}
            active = self._silences.active(opening.connection, opening.now)
            batch = Batch(opening, self._rules.current(), active, sources)
            ledger = Ledger(
                {row.identity: row for row, _ in held},
                Circumstances(window=batch.window, silence=batch.silence),
            )
            for row, payload in held:
                row.alert = from_stored(payload, fingerprint=row.fingerprint)
                ledger.reconsider(row)
            batch.write(ledger, self._events)
        return len(ledger.homeless), held[-1][0].id or -1

"""Telling events from what incidents look like at one time and at the next. No I/O."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import attrs

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.akmatori.models import Event, EventData, EventKind, Incident
from akmatori_sdk.ext.waiting import is_over

# Seconds between two looks at a server that has no stream of events.
POLL_INTERVAL = 2.0
# How many of the newest incidents are looked at.
LOOKED_AT = 100
# Whatever is older than these is forgotten.
REMEMBERED = 10 * LOOKED_AT


@attrs.frozen
class _Seen:
    """What of an incident an event is made of."""

    status: str
    title: str
    over: bool
    updated_at: datetime


class Changes:
    """What has been seen of the incidents so far."""

    def __init__(self, kind: str | Unset = UNSET, *, resumes: bool = False) -> None:
        self._kind = kind
        self._resumes = resumes
        self._seen: dict[str, _Seen] | None = None

    def is_first(self) -> bool:
        """Whether nothing has been looked at yet."""
        return self._seen is None

    def saw(self, incidents: Iterable[Incident]) -> list[Event]:
        """Take what the incidents look like now, the newest first; return what that tells, the oldest first.

        The first look tells nothing, but to one who wanted to resume: what happened meanwhile is not known.
        """
        known, first = self._seen or {}, self._seen is None
        events: list[Event] = []
        for incident in reversed(list(incidents)):
            now = _Seen(incident.status.value, incident.title, is_over(incident), incident.updated_at)
            before = known.pop(incident.uuid, None)
            known[incident.uuid] = now
            if not first:
                events += [_event(kind, incident) for kind in _kinds(before, now)]
        for forgotten in list(known)[:-REMEMBERED]:
            del known[forgotten]
        self._seen = known
        if first:
            return [_reset()] if self._resumes else []
        return [event for event in events if self._kind is UNSET or event.kind.value == self._kind]


def _kinds(before: _Seen | None, now: _Seen) -> list[EventKind]:
    if before == now:
        return []
    kinds: list[EventKind] = []
    if before is None:
        kinds.append(EventKind.INCIDENT_OPENED)
    if now.over and (before is None or not before.over):
        kinds.append(EventKind.INCIDENT_COMPLETED)
    return kinds or [EventKind.INCIDENT_UPDATED]


def _event(kind: EventKind, incident: Incident) -> Event:
    return Event(
        id="",
        kind=kind,
        incident_uuid=incident.uuid,
        alert_uuid=None,
        data=EventData(status=incident.status.value, title=incident.title),
        at=incident.updated_at,
    )


def _reset() -> Event:
    return Event(
        id="",
        kind=EventKind.RESET,
        incident_uuid=None,
        alert_uuid=None,
        data=EventData(),
        at=datetime.now(UTC),
    )

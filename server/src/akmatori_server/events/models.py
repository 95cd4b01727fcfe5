"""Events as values: one that is to be recorded, and one as it is stored."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime

import attrs

from akmatori_server.incidents.storable import JSON


class EventKind(enum.StrEnum):
    """What happened. The part before the dot says to what."""

    INCIDENT_OPENED = "incident.opened"
    # Its status, its title, its log or the counts of its alerts are others now.
    INCIDENT_UPDATED = "incident.updated"
    # The last of its alerts was resolved.
    INCIDENT_RESOLVED = "incident.resolved"
    INCIDENT_REOPENED = "incident.reopened"
    # The investigation ended.
    INCIDENT_COMPLETED = "incident.completed"
    ALERT_FIRED = "alert.fired"
    ALERT_RESOLVED = "alert.resolved"
    ALERT_SILENCED = "alert.silenced"
    SILENCE_CREATED = "silence.created"
    SILENCE_UPDATED = "silence.updated"
    SILENCE_ENDED = "silence.ended"
    # Made for a reader that was away for too long; never stored.
    RESET = "reset"


@attrs.frozen(kw_only=True)
class NewEvent:
    """Something that changes in the transaction that records it.

    `data` tells it in a few members, named as the API names them: `status`, `title`, `alert_count`,
    `firing_count` of an incident; `status`, `alert_name`, `severity`, `fingerprint` of an alert. Never secrets:
    whoever may read may read events.
    """

    kind: EventKind
    incident_uuid: str | None = None
    alert_uuid: str | None = None
    data: Mapping[str, JSON] = attrs.field(factory=dict[str, JSON])
    at: datetime
    # Whether a run of the investigation begins with it; not stored, for those who hear of it as it is recorded.
    begins_run: bool = False


def incident_data(*, status: str, title: str, alert_count: int = 0, firing_count: int = 0) -> dict[str, JSON]:
    """Return what an event tells about an incident."""
    return {"status": status, "title": title, "alert_count": alert_count, "firing_count": firing_count}


@attrs.frozen(kw_only=True)
class Event:
    """Something that changed, and its place in the order of all changes."""

    id: int
    kind: str
    incident_uuid: str | None
    alert_uuid: str | None
    data: Mapping[str, JSON]
    at: datetime


@attrs.frozen(kw_only=True)
class EventFilter:
    """Which events a reader wants; None is no condition."""

    incident_uuid: str | None = None
    kind: str | None = None

    def wants(self, event: Event) -> bool:
        """Whether the event is one of them."""
        return (self.incident_uuid is None or event.incident_uuid == self.incident_uuid) and (
            self.kind is None or event.kind == self.kind
        )


EVERY_EVENT = EventFilter()

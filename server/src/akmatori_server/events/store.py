"""SQL of events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa

from akmatori_server.events.models import EVERY_EVENT, Event, EventFilter, NewEvent
from akmatori_server.events.tables import events
from akmatori_server.incidents.storable import storable_object

_EVENTS = sa.select(
    events.c.id,
    events.c.kind,
    events.c.incident_uuid,
    events.c.alert_uuid,
    events.c.data,
    events.c.created_at,
).order_by(events.c.id)


@attrs.frozen
class Kept:
    """The first and the last id that are there."""

    first: int
    last: int


def insert(connection: sa.Connection, new: Sequence[NewEvent]) -> None:
    """Add events, in this order."""
    rows = [
        {
            "kind": event.kind.value,
            "incident_uuid": event.incident_uuid,
            "alert_uuid": event.alert_uuid,
            "data": storable_object(dict(event.data)),
            "created_at": event.at,
        }
        for event in new
    ]
    connection.execute(sa.insert(events), rows)


def after(
    connection: sa.Connection, event_id: int, *, limit: int, wanted: EventFilter = EVERY_EVENT
) -> list[Event]:
    """Return what is wanted of what follows an event, the oldest first."""
    query = _EVENTS.where(events.c.id > event_id).limit(limit)
    if wanted.incident_uuid is not None:
        query = query.where(events.c.incident_uuid == wanted.incident_uuid)
    if wanted.kind is not None:
        query = query.where(events.c.kind == wanted.kind)
    return [_event(row) for row in connection.execute(query)]


def kept(connection: sa.Connection) -> Kept | None:
    """Say which ids are there; None when there is no event."""
    # One subquery for each end: SQLite answers either from the index, but both at once by reading everything.
    ends = (sa.select(end(events.c.id)).scalar_subquery() for end in (sa.func.min, sa.func.max))
    row: Any = connection.execute(sa.select(*ends)).one()
    return None if row[0] is None else Kept(row[0], row[1])


def delete_before(connection: sa.Connection, moment: datetime, *, limit: int) -> int:
    """Remove up to `limit` of the oldest events from before a moment, but never the newest of all.

    The newest stays so that a reader that has seen it is still known to have missed nothing.
    """
    newest = sa.select(sa.func.max(events.c.id)).scalar_subquery()
    old = (
        sa.select(events.c.id)
        .where(events.c.created_at < moment, events.c.id < newest)
        .order_by(events.c.id)
        .limit(limit)
    )
    return connection.execute(sa.delete(events).where(events.c.id.in_(old))).rowcount


def _event(row: Any) -> Event:
    return Event(
        id=row.id,
        kind=row.kind,
        incident_uuid=row.incident_uuid,
        alert_uuid=row.alert_uuid,
        data=row.data,
        at=row.created_at,
    )

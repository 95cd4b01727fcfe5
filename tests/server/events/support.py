"""What the tests of events share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any, TypeVar

import attrs

from akmatori_server.database import Database
from akmatori_server.events import EventKind, EventLog, NewEvent
from akmatori_server.events.hub import EventHub
from akmatori_server.events.models import EVERY_EVENT, EventFilter
from akmatori_server.events.subscription import Delivered, StreamLimits, Subscription

NOW = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
UUID = "0b1f6c1e-6a0f-4a53-9f0c-0f6f3c1b2a77"
# A reader that has heard nothing for so long is not going to.
PATIENCE = 30.0

T = TypeVar("T")


def event(number: int = 0, *, uuid: str = UUID, kind: EventKind = EventKind.INCIDENT_UPDATED) -> NewEvent:
    """Return an event to record; its number comes back in its data."""
    return NewEvent(kind=kind, incident_uuid=uuid, data={"alert_count": number}, at=NOW)


def record(database: Database, log: EventLog, *events: NewEvent, wake: bool = True) -> None:
    """Record events in a transaction of their own."""
    with database.write() as connection:
        log.record(connection, events)
    if wake:
        log.wake()


class Reader:
    """One stream, read event by event."""

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self._deliveries: AsyncIterator[Delivered] = subscription.deliveries()

    async def next(self) -> Delivered:
        """Return what is delivered next, whatever it is."""
        async with asyncio.timeout(PATIENCE):
            return await anext(self._deliveries)

    async def take(self, count: int) -> list[int]:
        """Return the numbers of the next events."""
        numbers: list[int] = []
        while len(numbers) < count:
            delivered = await self.next()
            if delivered.event is not None:
                numbers.append(int(str(delivered.event.data["alert_count"])))
        return numbers

    async def rest(self) -> list[Delivered]:
        """Return everything until the stream ends."""
        async with asyncio.timeout(PATIENCE):
            return [delivered async for delivered in self._deliveries]


async def reading(hub: EventHub, resume_at: int | None = None, wanted: EventFilter = EVERY_EVENT) -> Reader:
    """Begin a stream."""
    return Reader(await hub.subscribe(wanted, resume_at))


def with_hub(
    database: Database, main: Callable[[EventHub, EventLog], Coroutine[Any, Any, T]], **options: Any
) -> T:
    """Run a test in an event loop with a hub; every stream must be closed at its end."""
    log = EventLog()
    limits = attrs.evolve(StreamLimits(heartbeat=0.05), **options.pop("limits", {}))
    hub = EventHub(database, log, limits=limits, gather=0.001, **{"interval": 60.0, **options})
    return asyncio.run(main(hub, log))

"""One reader of the stream of events: what it has yet to get, and when its stream ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import attrs

from akmatori_server.events.models import Event, EventFilter

Backlog = Callable[[int], Awaitable[Sequence[Event] | None]]
"""Reads some of what follows an id, up to where the subscription began; None when some of it is gone."""


@attrs.frozen(kw_only=True)
class StreamLimits:
    """How streams are bounded. Times are in seconds."""

    # Open at once, in this process.
    streams: int = 500
    # Events that one stream may be behind.
    queue: int = 2000
    # A comment is sent when there was nothing to send for so long.
    heartbeat: float = 15.0
    # After this a stream ends: a credential that was revoked meanwhile is not taken again.
    lifetime: float = 3600.0
    # How long one event may wait for the reader.
    patience: float = 20.0


@attrs.frozen
class Delivered:
    """What a stream sends next: an event, that events are missing, or only how far it has come."""

    position: int
    event: Event | None = None
    is_reset: bool = False


class Subscription:
    """One reader. Filled by `offer`, read by `deliveries`, both in the event loop."""

    def __init__(
        self,
        wanted: EventFilter,
        *,
        position: int,
        resumed_at: int | None,
        backlog: Backlog,
        limits: StreamLimits,
        release: Callable[[Subscription], None],
    ) -> None:
        self._wanted = wanted
        # Everything up to here comes from the backlog, everything after it is offered.
        self._begin = position
        self._position = position if resumed_at is None else resumed_at
        self._backlog = backlog
        self._limits = limits
        self._release = release
        self._queue: deque[Event] = deque()
        # How far the events have been offered.
        self._offered = position
        self._stirred = asyncio.Event()
        self._ended = False

    def offer(self, events: Sequence[Event]) -> None:
        """Take what has just happened; the stream ends when its reader is too far behind."""
        self._offered = events[-1].id
        wanted = [event for event in events if self._wanted.wants(event)]
        if not wanted:
            return
        if len(self._queue) + len(wanted) > self._limits.queue:
            # It resumes from the last event it got, and reads the rest from the database.
            self.end()
            return
        self._queue.extend(wanted)
        self._stirred.set()

    def end(self) -> None:
        """End the stream; what is queued is left for the reader to come back for."""
        self._ended = True
        self._queue.clear()
        self._stirred.set()

    def close(self) -> None:
        """Give the place up."""
        self._ended = True
        self._release(self)

    async def deliveries(self) -> AsyncIterator[Delivered]:
        """Yield what the reader is to get, until the stream ends."""
        deadline = asyncio.get_running_loop().time() + self._limits.lifetime
        async for delivered in self._missed():
            yield delivered
        yield Delivered(self._position)
        while not self._ended:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return
            async for delivered in self._next(min(left, self._limits.heartbeat)):
                yield delivered

    async def _missed(self) -> AsyncIterator[Delivered]:
        """Yield what happened between the event the reader resumes from and its subscription."""
        while self._position < self._begin and not self._ended:
            events = await self._backlog(self._position)
            if events is None:
                self._position = self._begin
                yield Delivered(self._begin, is_reset=True)
                return
            for event in events:
                self._position = event.id
                yield Delivered(event.id, event)
            if not events:
                self._position = self._begin

    async def _next(self, patience: float) -> AsyncIterator[Delivered]:
        """Yield what is queued, or after a while of nothing how far the reader has come."""
        if not self._queue:
            self._stirred.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    await self._stirred.wait()
        if not self._queue and not self._ended:
            # All that was offered was either sent or not wanted.
            self._position = max(self._position, self._offered)
            yield Delivered(self._position)
        while self._queue and not self._ended:
            event = self._queue.popleft()
            # Who resumes from an event that nobody had read from the database yet is offered it again.
            if event.id > self._position:
                self._position = event.id
                yield Delivered(event.id, event)

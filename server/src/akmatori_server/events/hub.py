"""Spreading events to all streams of this process, from one place that reads them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError

from akmatori_server.database import Database
from akmatori_server.errors import Unavailable
from akmatori_server.events import store
from akmatori_server.events.log import EventLog
from akmatori_server.events.models import Event, EventFilter
from akmatori_server.events.subscription import StreamLimits, Subscription

# Seconds between looks for events of other processes; those of this one come with a wake.
INTERVAL = 0.5
# Seconds in which a burst of events gathers, so that a busy database is not asked for each.
GATHER = 0.02
PAGE = 500
# Readers that catch up at the same time; the others wait, so that requests find threads and connections.
CATCHING_UP = 4
RETRY_AFTER = 10
LIMITS = StreamLimits()

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class EventHub:
    """One reader of the table of events, and any number of streams that hear what it reads.

    It reads only while somebody listens, holds no connection between two looks, and no thread ever waits for a
    stream. Everything but `wake` belongs to one event loop.
    """

    def __init__(
        self,
        database: Database,
        log: EventLog,
        *,
        limits: StreamLimits = LIMITS,
        interval: float = INTERVAL,
        gather: float = GATHER,
    ) -> None:
        self.limits = limits
        self._database = database
        self._log = log
        self._interval = interval
        self._gather = gather
        self._open: set[Subscription] = set()
        # Places given to readers that are still on their way in.
        self._promised = 0
        self._position: int | None = None
        self._reader: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting = asyncio.Lock()
        self._catching_up = asyncio.Semaphore(CATCHING_UP)
        self._woken = asyncio.Event()
        self._ended = False

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return len(self._open)

    async def subscribe(self, wanted: EventFilter, resume_at: int | None) -> Subscription:
        """Begin a stream: what follows `resume_at`, or only what happens from now on. Close it at the end.

        Raises:
            Unavailable: there are as many streams as may be, or the server is stopping.
        """
        if self._ended:
            raise Unavailable("The server is stopping; connect again.", retry_after=1)
        if len(self._open) + self._promised >= self.limits.streams:
            raise Unavailable(
                f"{self.limits.streams} event streams are open, and no more are served; try again later.",
                code="too_many_streams",
                retry_after=RETRY_AFTER,
            )
        self._promised += 1
        try:
            await self._start()
            if resume_at is not None and resume_at > (self._position or 0):
                resume_at = await self._checked(resume_at)
            subscription = self._subscribed(wanted, resume_at)
        finally:
            self._promised -= 1
            self._rest()
        return subscription

    def wake(self) -> None:
        """Look for events now. From any thread."""
        loop = self._loop
        if loop is not None:
            # The loop may end at any moment; then nobody listens any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._woken.set)

    def end(self) -> None:
        """End every stream and begin no other: the server stops. Readers come back to its successor."""
        self._ended = True
        for subscription in tuple(self._open):
            subscription.end()

    def _subscribed(self, wanted: EventFilter, resume_at: int | None) -> Subscription:
        position = self._position or 0

        async def backlog(after: int) -> Sequence[Event] | None:
            async with self._catching_up:
                return await asyncio.to_thread(self._read_missed, after, position, wanted)

        subscription = Subscription(
            wanted,
            position=position,
            resumed_at=resume_at,
            backlog=backlog,
            limits=self.limits,
            release=self._release,
        )
        self._open.add(subscription)
        return subscription

    async def _checked(self, resume_at: int) -> int:
        """Return the place to resume from when it is beyond all we have read: known to the database, or none.

        A place that was never given is one of another database, an older backup's successor for example: it is
        before everything, and so the reader is told to begin anew.
        """
        kept = await asyncio.to_thread(self._read_kept)
        return resume_at if kept is not None and resume_at <= kept.last else -1

    def _release(self, subscription: Subscription) -> None:
        self._open.discard(subscription)
        self._rest()

    async def _start(self) -> None:
        async with self._starting:
            if self._reader is not None:
                return
            kept = await asyncio.to_thread(self._read_kept)
            self._position = 0 if kept is None else kept.last
            self._loop = asyncio.get_running_loop()
            self._log.listen(self.wake)
            self._reader = asyncio.ensure_future(self._read_on())

    def _rest(self) -> None:
        """Stop reading when nobody listens."""
        if self._open or self._promised or self._reader is None:
            return
        self._reader.cancel()
        self._reader = None
        self._log.forget(self.wake)

    async def _read_on(self) -> None:
        while True:
            self._woken.clear()
            events: Sequence[Event] = ()
            try:
                events = await asyncio.to_thread(self._read_after, self._position or 0)
            except SQLAlchemyError as error:
                # The streams stay; they hear of everything once the database is back.
                _log.warning("events_unreadable", error=type(error).__name__)
            if events:
                self._position = events[-1].id
                for subscription in tuple(self._open):
                    subscription.offer(events)
                await asyncio.sleep(self._gather)
            if len(events) < PAGE:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._interval):
                        await self._woken.wait()

    def _read_kept(self) -> store.Kept | None:
        with self._database.read() as connection:
            return store.kept(connection)

    def _read_after(self, position: int) -> Sequence[Event]:
        with self._database.read() as connection:
            return store.after(connection, position, limit=PAGE)

    def _read_missed(self, after: int, upto: int, wanted: EventFilter) -> Sequence[Event] | None:
        with self._database.read() as connection:
            events = store.after(connection, after, limit=PAGE, wanted=wanted)
            # Asked after reading: what was deleted in between counts as gone.
            kept = store.kept(connection)
        if kept is None or after < kept.first - 1:
            return None
        return [event for event in events if event.id <= upto]

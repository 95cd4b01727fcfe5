"""Recording events, in the transaction that makes them true."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from akmatori_server.events import store
from akmatori_server.events.models import NewEvent

# The name of the lock among PostgreSQL's advisory locks, which all programs of a database share.
ORDER_LOCK = 0x616B6D61_65767473


Hearer = Callable[[sa.Connection, Sequence[NewEvent]], None]
"""Hears of events in the transaction that records them, and may add to it."""


class EventLog:
    """Where changes are recorded for those who watch.

    Call `record` as the last thing in a write transaction, and `wake` after its commit.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []
        self._hearers: tuple[Hearer, ...] = ()

    def tell(self, hearer: Hearer) -> None:
        """Have `hearer` called with whatever is recorded, before it is; it must be quick, and never raise."""
        self._hearers = (*self._hearers, hearer)

    def record(self, connection: sa.Connection, events: Sequence[NewEvent]) -> None:
        """Add events to the caller's transaction: they are seen when it commits, or never.

        On PostgreSQL it takes a lock that is held until the commit: ids then become visible in their order,
        and a reader that asks for what follows the last id it saw misses none. So whatever else the
        transaction does should be done before.
        """
        if not events:
            return
        for hearer in self._hearers:
            hearer(connection, events)
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ORDER_LOCK)))
        store.insert(connection, events)

    def wake(self) -> None:
        """Have the streams of this process look now. Call it after the commit, from any thread.

        Without it they find the events half a second later, as those of other processes do.
        """
        with self._lock:
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener()

    def listen(self, listener: Callable[[], None]) -> None:
        """Have `listener` called at each `wake`, in the waker's thread; it must not block."""
        with self._lock:
            self._listeners.append(listener)

    def forget(self, listener: Callable[[], None]) -> None:
        """Undo `listen`."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

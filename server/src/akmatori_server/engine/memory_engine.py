"""The engine as plain memory, for tests: the same order of events, lost with the process."""

from __future__ import annotations

import asyncio
import queue
import threading
import weakref
from collections.abc import Coroutine
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from akmatori_server.engine.port import Handler, Job

Entry = tuple[int, int]
"""An incident's id, and the number of the run."""

# What a connection remembers about its transaction: incidents to be queued, and those that may be.
_WAITING = "akmatori-memory-engine-waiting"
_COMMITTED = "akmatori-memory-engine-committed"


class MemoryEngine:
    """Queues incidents when the caller's transaction commits.

    Either call `run` for workers in threads, or `drain(handler)` to do what is queued here and now.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Entry | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._known: set[Entry] = set()
        self._pools: weakref.WeakSet[sa.Pool] = weakref.WeakSet()
        self._cancelled: set[Entry] = set()
        self._running: dict[Entry, tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = {}
        self._threads: list[threading.Thread] = []
        self.jobs: dict[str, Job] = {}

    def prepare(self) -> None:
        """Do nothing: memory is always there."""

    def enqueue(self, connection: sa.Connection, incident_id: int, run: int = 1) -> None:
        """Queue the incident once the transaction of `connection` is committed."""
        waiting: list[Entry] = connection.info.setdefault(_WAITING, [])
        waiting.append((incident_id, run))
        if len(waiting) == 1:
            # SQLAlchemy tells of a commit before it commits, and a worker that is quick would find no row. The
            # connection goes back to its pool after it, so that is when they are queued.
            event.listen(connection, "commit", _note_commit, once=True)
            event.listen(connection, "rollback", _note_rollback, once=True)
        self._watch(connection.engine.pool)

    def _watch(self, pool: sa.Pool) -> None:
        with self._lock:
            if pool in self._pools:
                return
            self._pools.add(pool)

        def checked_in(_dbapi_connection: object, record: Any) -> None:
            for committed in record.info.pop(_COMMITTED, ()):
                self._put(committed)

        event.listen(pool, "checkin", checked_in)

    def cancel(self, incident_id: int, run: int = 1) -> None:
        """Drop a queued incident, or cancel the handler working on it."""
        entry = (incident_id, run)
        with self._lock:
            self._cancelled.add(entry)
            running = self._running.get(entry)
        if running is not None:
            loop, task = running
            loop.call_soon_threadsafe(task.cancel)

    def schedule(self, name: str, cron: str, fn: Job) -> None:
        """Keep the job in `jobs`, for a test to call; no clock runs here."""
        self.jobs[name] = fn

    def run(self, handler: Handler, concurrency: int) -> None:
        """Start `concurrency` threads that handle incidents."""
        for number in range(concurrency):
            thread = threading.Thread(
                target=self._work, args=(handler,), name=f"memory-engine-{number}", daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def adopt_dead(self, ttl: float) -> int:
        """Find nothing: no other worker shares this memory."""
        return 0

    def stop(self) -> None:
        """Let each thread finish the incident it is on, and end it."""
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def drain(self, handler: Handler) -> None:
        """Handle everything queued, in order, in this thread."""
        while not self._queue.empty():
            entry = self._queue.get()
            if entry is not None:
                self._handle(handler, entry)

    def _put(self, entry: Entry) -> None:
        with self._lock:
            if entry in self._known:
                return
            self._known.add(entry)
        self._queue.put(entry)

    def _work(self, handler: Handler) -> None:
        while (entry := self._queue.get()) is not None:
            self._handle(handler, entry)

    def _handle(self, handler: Handler, entry: Entry) -> None:
        async def handle() -> None:
            task = asyncio.ensure_future(_awaited(handler, entry))
            with self._lock:
                if entry in self._cancelled:
                    task.cancel()
                self._running[entry] = (asyncio.get_running_loop(), task)
            try:
                await asyncio.wait({task})
            finally:
                with self._lock:
                    del self._running[entry]
            if not task.cancelled():
                task.result()

        _run_in_new_loop(handle())


def _note_commit(connection: sa.Connection) -> None:
    committed: list[Entry] = connection.info.setdefault(_COMMITTED, [])
    committed += connection.info.pop(_WAITING, ())


def _note_rollback(connection: sa.Connection) -> None:
    connection.info.pop(_WAITING, None)


async def _awaited(handler: Handler, entry: Entry) -> None:
    await handler(*entry)


def _run_in_new_loop(coroutine: Coroutine[Any, Any, None]) -> None:
    # Not asyncio.run in the caller's thread: the caller may itself be inside a running loop.
    failures: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(coroutine)
        except BaseException as failure:  # noqa: BLE001  carried over to the caller's thread
            failures.append(failure)

    thread = threading.Thread(target=run, name="memory-engine-loop")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]

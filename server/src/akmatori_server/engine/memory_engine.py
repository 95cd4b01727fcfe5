"""The engine as plain memory, for tests: the same order of events, lost with the process."""

from __future__ import annotations

import asyncio
import queue
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy import event

from akmatori_server.engine.port import Entry, Handler, Job, TaskHandler

Task = tuple[str, str]
"""The name of a task, and its key."""

RETRY_SECONDS = 0.05

log = structlog.get_logger(__name__)

# What a connection remembers about its transaction: what to queue when it commits, and what may be queued.
_WAITING = "akmatori-memory-engine-waiting"
_COMMITTED = "akmatori-memory-engine-committed"


class MemoryEngine:
    """Queues incidents when the caller's transaction commits.

    Either call `run` for workers in threads, or `drain(handler)` and `drain_tasks()` to do what is queued here
    and now.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Runs that wait, in their order, each with its group; and how many of a group are worked on.
        self._waiting: list[tuple[Entry, str]] = []
        self._changed = threading.Condition(self._lock)
        self._busy: Counter[str] = Counter()
        self._is_stopping = False
        self._known: set[Entry] = set()
        self._pools: weakref.WeakSet[sa.Pool] = weakref.WeakSet()
        self._cancelled: set[Entry] = set()
        self._running: dict[Entry, tuple[asyncio.AbstractEventLoop, asyncio.Task[None]]] = {}
        self._threads: list[threading.Thread] = []
        self.jobs: dict[str, Job] = {}
        self.tasks: dict[str, TaskHandler] = {}
        self._task_queue: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._known_tasks: set[Task] = set()

    def prepare(self) -> None:
        """Do nothing: memory is always there."""

    def enqueue(self, connection: sa.Connection, incident_id: int, run: int = 1, *, group: str = "") -> None:
        """Queue the incident once the transaction of `connection` is committed."""
        self._after_commit(connection, partial(self._put, (incident_id, run), group))

    def lost(self, entries: Sequence[Entry]) -> list[Entry]:
        """Return those of these runs that are neither queued nor worked on."""
        with self._lock:
            live = {entry for entry, _ in self._waiting} | self._running.keys()
        return [entry for entry in entries if entry not in live]

    def enqueue_again(self, incident_id: int, run: int, *, group: str = "") -> None:
        """Queue a run that was lost."""
        with self._lock:
            self._known.discard((incident_id, run))
        self._put((incident_id, run), group)

    def submit(self, connection: sa.Connection, name: str, key: str, *, delay_seconds: float = 0) -> None:
        """Queue the task once the transaction of `connection` is committed; `drain_tasks` waits for no delay."""
        self._after_commit(connection, partial(self._put_task, (name, key), delay_seconds))

    def _after_commit(self, connection: sa.Connection, action: Callable[[], None]) -> None:
        waiting: list[Callable[[], None]] = connection.info.setdefault(_WAITING, [])
        waiting.append(action)
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
                committed()

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

    def task(self, name: str, handler: TaskHandler) -> None:
        """Keep the handler in `tasks`."""
        self.tasks[name] = handler

    def schedule(self, name: str, cron: str, fn: Job) -> None:
        """Keep the job in `jobs`, for a test to call; no clock runs here."""
        self.jobs[name] = fn

    def run(self, handler: Handler, concurrency: int, *, per_group: int | None = None) -> None:
        """Start `concurrency` threads that handle incidents, and one that does tasks."""
        self._is_stopping = False
        work = [partial(self._work, handler, per_group or concurrency)] * concurrency + [self._work_on_tasks]
        for number, target in enumerate(work):
            thread = threading.Thread(target=target, name=f"memory-engine-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def adopt_dead(self, ttl: float) -> int:
        """Find nothing: no other worker shares this memory."""
        return 0

    def stop(self) -> None:
        """Let the threads finish what is queued, and end."""
        self._task_queue.put(None)
        with self._changed:
            self._is_stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def drain(self, handler: Handler) -> None:
        """Handle everything queued, in order, in this thread."""
        while self._waiting:
            entry, _ = self._waiting.pop(0)
            self._handle(handler, entry)

    def drain_tasks(self) -> None:
        """Do every queued task, in order, in this thread, and what they submit."""
        while not self._task_queue.empty():
            task = self._task_queue.get()
            if task is not None:
                _run_in_new_loop(self._done(task))

    def _put(self, entry: Entry, group: str) -> None:
        with self._changed:
            if entry in self._known:
                return
            self._known.add(entry)
            self._waiting.append((entry, group))
            self._changed.notify()

    def _put_task(self, task: Task, delay_seconds: float) -> None:
        with self._lock:
            if task in self._known_tasks:
                return
            self._known_tasks.add(task)
        if delay_seconds > 0 and self._threads:
            self._put_later(task, delay_seconds)
        else:
            self._task_queue.put(task)

    def _put_later(self, task: Task, seconds: float) -> None:
        timer = threading.Timer(seconds, self._task_queue.put, [task])
        timer.daemon = True
        timer.start()

    def _work_on_tasks(self) -> None:
        while (task := self._task_queue.get()) is not None:
            try:
                _run_in_new_loop(self._done(task))
            except Exception:
                log.exception("task_failed", task=task[0], key=task[1])
                self._put_later(task, RETRY_SECONDS)

    async def _done(self, task: Task) -> None:
        name, key = task
        await self.tasks[name](key)

    def _work(self, handler: Handler, per_group: int) -> None:
        while (taken := self._take(per_group)) is not None:
            entry, group = taken
            try:
                self._handle(handler, entry)
            finally:
                with self._changed:
                    self._busy[group] -= 1
                    self._changed.notify_all()

    def _take(self, per_group: int) -> tuple[Entry, str] | None:
        """Wait for the first run whose group has a place left; None when there is nothing more to do."""
        with self._changed:
            while True:
                for number, (entry, group) in enumerate(self._waiting):
                    if self._busy[group] < per_group:
                        del self._waiting[number]
                        self._busy[group] += 1
                        return entry, group
                if self._is_stopping and not self._waiting:
                    return None
                self._changed.wait()

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
    committed: list[Callable[[], None]] = connection.info.setdefault(_COMMITTED, [])
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

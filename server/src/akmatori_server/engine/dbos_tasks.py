"""Small durable work besides investigations, on DBOS: a queue of its own, so that neither waits for the other.

A try that failed makes way: the next one is an entry of its own that becomes due later. Eight tasks whose
other side is away would else keep all the others waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
from collections.abc import Awaitable, Callable, Generator, Iterable

import sqlalchemy as sa
import structlog
from dbos import DBOS, DBOSClient, EnqueueOptions

from akmatori_server.database import Database
from akmatori_server.engine.port import TaskHandler

APPLICATION = "akmatori"
APPLICATION_VERSION = "1"
QUEUE = "tasks"
WORKFLOW = "task"
CONCURRENCY = 8
POLLING_SECONDS = 0.5

RETRY_FIRST_SECONDS = 1.0
RETRY_LONGEST_SECONDS = 600.0
# Looks that an entry must be idle at before it counts as lost; they are some seconds apart.
TIMES_SEEN = 3
# The database is away, and the next try cannot even be queued.
QUEUE_AGAIN_SECONDS = 5.0

_PREFIX = "task:"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")

log = structlog.get_logger(__name__)


class Active:
    """What this process is at work on, by the names of the entries."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names: set[str] = set()
        self._strays: dict[str, int] = {}

    @contextlib.contextmanager
    def while_working(self, name: str) -> Generator[None]:
        """Count an entry as being worked on."""
        with self._lock:
            self._names.add(name)
        try:
            yield
        finally:
            with self._lock:
                self._names.discard(name)

    def strays(self, claimed: Iterable[str]) -> list[str]:
        """Return what this process claimed and is not at work on, as seen each time of the last few.

        DBOS claims an entry first and reads it afterwards. When the database goes away in between, the entry
        belongs to a worker that is alive and knows nothing of it.
        """
        with self._lock:
            idle = [name for name in claimed if name not in self._names]
        self._strays = {name: self._strays.get(name, 0) + 1 for name in idle}
        return [name for name, times in self._strays.items() if times >= TIMES_SEEN]


class DBOSTasks:
    """Queues tasks and works on them, beside an engine that owns the client and the process's DBOS."""

    def __init__(self, database: Database, client: DBOSClient) -> None:
        self._database = database
        self._client = client
        self._handlers: dict[str, TaskHandler] = {}
        self.active = Active()

    def declare(self, name: str, handler: TaskHandler) -> None:
        """Say who does the tasks of a name."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"The task name {name!r} is not made of small letters, digits and hyphens.")
        if name in self._handlers:
            raise ValueError(f"The task {name!r} is declared already.")
        self._handlers[name] = handler

    def submit(
        self, connection: sa.Connection, name: str, key: str, *, delay_seconds: float = 0, attempt: int = 1
    ) -> None:
        """Put a try of a task in the queue as part of the caller's transaction."""
        options: EnqueueOptions = {
            "workflow_name": WORKFLOW,
            "queue_name": QUEUE,
            "workflow_id": _workflow_id(name, attempt, key),
            "app_version": APPLICATION_VERSION,
            "application_name": APPLICATION,
        }
        if delay_seconds > 0:
            options["delay_seconds"] = delay_seconds
        self._client.enqueue_in_transaction(connection, options, name, key, attempt)

    def launch(self) -> None:
        """Register the queue and the workflow; to be called between DBOS's making and its launch."""
        self._client.register_queue(
            QUEUE,
            worker_concurrency=CONCURRENCY,
            polling_interval_sec=POLLING_SECONDS,
            on_conflict="always_update",
            application_name=APPLICATION,
        )
        DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)(self._workflow())

    def _workflow(self) -> Callable[[str, str, int], Awaitable[None]]:
        async def task(name: str, key: str, attempt: int) -> None:
            with self.active.while_working(_workflow_id(name, attempt, key)):
                # One step, and preemptible: a step can be interrupted in its middle when the engine stops.
                await DBOS.run_step_async(
                    {"name": "task", "preemptible": True}, self._try, name, key, attempt
                )

        return task

    def try_again(self, workflow_id: str) -> None:
        """Queue the next try of a task whose entry is of no use."""
        name, attempt, key = workflow_id.removeprefix(_PREFIX).split(":", 2)
        with self._database.write() as connection:
            self.submit(connection, name, key, attempt=int(attempt) + 1)

    async def _try(self, name: str, key: str, attempt: int) -> None:
        try:
            await self._handler(name)(key)
        except Exception:
            wait = retry_after(attempt)
            log.exception("task_failed", task=name, key=key, attempt=attempt, retry_in_seconds=wait)
            await self._queue_again(name, key, attempt + 1, wait)

    def _handler(self, name: str) -> TaskHandler:
        handler = self._handlers.get(name)
        if handler is None:
            # Submitted by a newer version of the server; a process of that version will do it.
            raise LookupError(f"This server does not know tasks of the name {name!r}.")
        return handler

    async def _queue_again(self, name: str, key: str, attempt: int, wait: float) -> None:
        def queue() -> None:
            with self._database.write() as connection:
                self.submit(connection, name, key, delay_seconds=wait, attempt=attempt)

        while True:
            try:
                await asyncio.to_thread(queue)
            except Exception:
                log.exception("task_not_queued_again", task=name, key=key, attempt=attempt)
                await asyncio.sleep(QUEUE_AGAIN_SECONDS)
            else:
                return


def _workflow_id(name: str, attempt: int, key: str) -> str:
    # The attempt comes before the key, which may hold anything.
    return f"{_PREFIX}{name}:{attempt}:{key}"


def is_task(workflow_id: str) -> bool:
    """Whether an entry is of a task."""
    return workflow_id.startswith(_PREFIX)


def retry_after(attempt: int) -> float:
    """Return how long to wait after this try failed: twice as long each time."""
    # The exponent has an end: a task may fail for weeks.
    return float(min(RETRY_FIRST_SECONDS * 2 ** min(attempt - 1, 20), RETRY_LONGEST_SECONDS))

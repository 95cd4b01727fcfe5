"""The engine on DBOS: one code path for a single process on SQLite and several workers on PostgreSQL.

DBOS keeps its tables beside ours (on PostgreSQL in the schema `dbos`), so that an incident and its queue
entry commit
together. What this module knows about DBOS 3.4, each point seen in a test:

- The application version is constant. By default it is a hash of our source, and an upgrade would strand
  the queue.
- Every worker has an id of its own. The default is shared, and two workers would take each other's running
  work.
- Recovery of *another* worker's work is not part of the library: heartbeats and `adopt_dead` are ours.
- Its serializer is pickle, so arguments are ids and nothing else.
- A workflow that ends in an error is never run again, so the handler is retried here, inside the workflow,
  and there is no limit of recoveries; who takes an incident too often is for the incident's own fence
  number to say.
- It is one per process. `EngineBusyError` says so; after `stop` another engine may run in the same process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog
from dbos import DBOS, DBOSClient, DBOSConfig, WorkflowStatus
from sqlalchemy.exc import SQLAlchemyError

from akmatori_server.database import Database
from akmatori_server.database.turns import in_turn
from akmatori_server.engine.dbos_incidents import DBOSIncidents, is_incident
from akmatori_server.engine.dbos_tasks import APPLICATION, APPLICATION_VERSION, DBOSTasks, is_task
from akmatori_server.engine.port import Entry, Handler, Job, TaskHandler
from akmatori_server.engine.workers import Workers

EMBEDDED_WORKER = "embedded"

# The name of the lock among PostgreSQL's advisory locks, which all programs of a database share.
LAUNCH_LOCK = 0x616B6D61_64626F73

POLLING_SECONDS = 0.2
HEARTBEAT_TTL_SECONDS = 15.0
# Rows of finished work are kept this long, for a person looking at the queue; an incident's story is in our
# tables.
KEEP_FINISHED = timedelta(days=7)
FORGET_EVERY_SECONDS = 3600.0
FORGET_AT_ONCE = 1000

log = structlog.get_logger(__name__)

_running_engine: list[DBOSEngine] = []
_lifecycle = threading.Lock()


class EngineBusyError(RuntimeError):
    """Another engine works in this process already; DBOS allows one at a time."""


class DBOSEngine:
    """The durable engine.

    `run` also creates DBOS's tables. A process that only enqueues calls `prepare` instead, before its first
    `enqueue`.
    """

    def __init__(
        self,
        database: Database,
        *,
        worker_id: str | None = None,
        polling_seconds: float = POLLING_SECONDS,
        heartbeat_ttl_seconds: float = HEARTBEAT_TTL_SECONDS,
    ) -> None:
        self.worker_id = worker_id or (EMBEDDED_WORKER if database.is_sqlite else _unique_worker_id())
        self._database = database
        self._workers = Workers(database)
        self._polling_seconds = polling_seconds
        self._ttl = heartbeat_ttl_seconds
        self._jobs: dict[str, tuple[str, Job]] = {}
        self._stopping = threading.Event()
        self._heart: threading.Thread | None = None
        # Lazy: it is used with the caller's connection, or after `prepare` or `run`.
        self._client = DBOSClient(
            system_database_engine=database.engine,
            dbos_system_schema=_schema(database),
            application_name=APPLICATION,
            lazy=True,
        )
        self._incidents = DBOSIncidents(database, self._client)
        self._tasks = DBOSTasks(database, self._client)

    def prepare(self) -> None:
        """Create or upgrade DBOS's tables, so that `enqueue` works in a process that never calls `run`."""
        _outside_any_loop(
            lambda: DBOS.migrate(_url(self._database), schema=_schema(self._database) or "dbos")
        )

    def enqueue(self, connection: sa.Connection, incident_id: int, run: int = 1, *, group: str = "") -> None:
        """Put an incident in the queue as part of the caller's transaction."""
        self._incidents.enqueue(connection, incident_id, run, group)

    def cancel(self, incident_id: int, run: int = 1) -> None:
        """Take an incident out of the queue, or cancel the handler working on it, in any process."""
        _outside_any_loop(lambda: self._incidents.cancel(incident_id, run))

    def lost(self, entries: Sequence[Entry]) -> list[Entry]:
        """Return those of these runs that nobody works on, nor will."""
        return self._incidents.lost(entries)

    def enqueue_again(self, incident_id: int, run: int, *, group: str = "") -> None:
        """Queue a run that was lost."""
        self._incidents.enqueue_again(incident_id, run, group)

    def task(self, name: str, handler: TaskHandler) -> None:
        """Declare who does the tasks of this name; call before `run`."""
        if self._heart is not None:
            raise RuntimeError(f"The task {name!r} must be declared before the engine runs.")
        self._tasks.declare(name, handler)

    def submit(self, connection: sa.Connection, name: str, key: str, *, delay_seconds: float = 0) -> None:
        """Put a task in its queue as part of the caller's transaction."""
        self._tasks.submit(connection, name, key, delay_seconds=delay_seconds)

    def schedule(self, name: str, cron: str, fn: Job) -> None:
        """Declare a scheduled job; call before `run`."""
        if self._heart is not None:
            raise RuntimeError(f"The schedule {name!r} must be declared before the engine runs.")
        self._jobs[name] = (cron, fn)

    def run(self, handler: Handler, concurrency: int, *, per_group: int | None = None) -> None:
        """Create DBOS's tables if need be, recover this worker's work and begin.

        Raises:
            EngineBusyError: an engine is running in this process.
        """
        with _lifecycle:
            if _running_engine:
                raise EngineBusyError(
                    "A durable engine runs in this process already; stop it before another starts."
                )
            _running_engine.append(self)
        places = (concurrency, min(per_group or concurrency, concurrency))
        try:
            _outside_any_loop(lambda: self._launch_in_turn(handler, places))
        except BaseException:
            self.stop()
            raise

    def adopt_dead(self, ttl: float) -> int:
        """Queue again what unseen workers left behind. Safe to call from several workers at once."""
        alive = self._workers.alive(ttl) | {self.worker_id}
        dead = sorted({owner for workflow in _claimed() if (owner := workflow.executor_id)} - alive)
        if not dead:
            return 0
        adopted = _recover(dead)
        log.warning("engine_adopted_work", workers=dead, incidents=adopted)
        return adopted

    def give_back_strays(self) -> None:
        """Let go of what this worker claimed and knows nothing of: tasks are queued again, incidents get lost.

        Whoever looks for lost incidents queues those.
        """
        claimed = [one.workflow_id for one in _claimed() if one.executor_id == self.worker_id]
        tasks = self._tasks.active.strays(name for name in claimed if is_task(name))
        incidents = self._incidents.active.strays(name for name in claimed if is_incident(name))
        for name in tasks:
            self._tasks.try_again(name)
        if tasks or incidents:
            log.warning("engine_gave_back_work", entries=[*tasks, *incidents])
            self._client.cancel_workflows([*tasks, *incidents])

    def stop(self) -> None:
        """Stop working; another engine may run in this process then. What was interrupted waits."""
        self._stopping.set()
        if self._heart is not None:
            self._heart.join()
            self._heart = None
        with _lifecycle:
            if self not in _running_engine:
                return
            # The registry goes too: it holds the workflow of this engine, and with it this engine's handler.
            _outside_any_loop(lambda: DBOS.destroy(destroy_registry=True))
            _running_engine.clear()
        with contextlib.suppress(SQLAlchemyError):  # leaving is a courtesy: unseen for a while says the same
            self._workers.leave(self.worker_id)

    def _launch_in_turn(self, handler: Handler, places: tuple[int, int]) -> None:
        # Workers that start together would replace the same queue and schedules.
        with in_turn(self._database, LAUNCH_LOCK):
            self._launch(handler, places)

    def _launch(self, handler: Handler, places: tuple[int, int]) -> None:
        self._stopping.clear()
        # Opens the file, which sets WAL for everybody; DBOS would leave SQLite's slower default.
        # And the beat comes before the first claim: whoever works is known to be alive.
        self._workers.beat(self.worker_id)
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_url": _url(self._database),
            "application_version": APPLICATION_VERSION,
            "executor_id": self.worker_id,
            "log_level": "WARNING",
            "scheduler_polling_interval_sec": 5.0,
        }
        if not self._database.is_sqlite:
            config["dbos_system_schema"] = "dbos"
        self.prepare()
        DBOS(config=config)
        # The queues are there before the launch, or their workers would see them only a second later.
        self._incidents.launch(
            handler,
            places=places[0],
            places_per_group=places[1],
            polling_seconds=self._polling_seconds,
        )
        self._tasks.launch()
        schedules = [_register_job(name, cron, fn) for name, (cron, fn) in self._jobs.items()]
        DBOS.launch()
        DBOS.apply_schedules(schedules)
        for known in DBOS.list_schedules():
            if known["schedule_name"] not in self._jobs:
                # Declared by an earlier version of ours; DBOS would try to run it for ever.
                DBOS.delete_schedule(known["schedule_name"])
        self._heart = threading.Thread(target=self._beat_until_stopped, name="engine-heart", daemon=True)
        self._heart.start()

    def _beat_until_stopped(self) -> None:
        forget_after = 0.0
        interval = self._ttl / 3
        while not self._stopping.wait(interval):
            try:
                self._workers.beat(self.worker_id)
                self.adopt_dead(self._ttl)
                self.give_back_strays()
                forget_after -= interval
                if forget_after <= 0:
                    self.forget_finished(datetime.now(UTC) - KEEP_FINISHED)
                    forget_after = FORGET_EVERY_SECONDS
            except Exception:
                # The database is away; the heart has to go on, or nobody beats when it is back.
                log.exception("engine_heartbeat_failed", worker=self.worker_id)

    def forget_finished(self, before: datetime) -> None:
        """Delete the queue's rows of work that ended before this moment, a thousand at most."""
        finished = DBOS.list_workflows(
            status=["SUCCESS", "ERROR", "CANCELLED"],
            completed_before=before.isoformat(),
            application_name=APPLICATION,
            limit=FORGET_AT_ONCE,
            load_input=False,
            load_output=False,
        )
        if finished:
            DBOS.delete_workflows([workflow.workflow_id for workflow in finished])


def _register_job(name: str, cron: str, fn: Job) -> Any:
    def job(_at: datetime, _context: object) -> None:
        try:
            fn()
        except Exception:
            log.exception("engine_job_failed", job=name)

    registered = DBOS.workflow(name=f"job-{name}", max_recovery_attempts=None)(job)
    return {"schedule_name": name, "workflow_fn": registered, "schedule": cron}


def _claimed() -> list[WorkflowStatus]:
    return DBOS.list_workflows(
        status="PENDING", application_name=APPLICATION, load_input=False, load_output=False
    )


def _recover(dead: list[str]) -> int:
    """Return the work of dead workers to the queue.

    The library's one private function used here. The public `resume_workflows` is blunter: it would also
    take work that a second adopter has started in between; this one changes only rows still owned by the
    dead.
    """
    handles = DBOS._recover_pending_workflows(dead)  # pyright: ignore[reportPrivateUsage]  see above
    return len(handles)


def _outside_any_loop(call: Any) -> None:
    """Call in a thread of its own when an event loop runs in this one.

    DBOS adopts a loop it finds at launch, and investigations would then share the loop that serves requests.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        call()
        return
    failures: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as failure:  # noqa: BLE001  carried over to the caller's thread
            failures.append(failure)

    thread = threading.Thread(target=run, name="engine-lifecycle")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def _schema(database: Database) -> str | None:
    return None if database.is_sqlite else "dbos"


def _url(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


def _unique_worker_id() -> str:
    return f"{socket.gethostname()[:60]}-{os.getpid()}-{uuid.uuid4().hex[:8]}"

"""The durable engine on real databases: what commits is handled once, what is interrupted again."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from akmatori_server.database import Database
from akmatori_server.engine import DBOSEngine, EngineBusyError
from akmatori_server.engine.workers import Workers

SECONDS = 60.0
# A SQLite file has one worker.
ONLY_POSTGRESQL = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


class Recorder:
    """A handler that remembers what it was given."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.runs: list[int] = []
        self.done: list[int] = []
        self.cancelled: list[int] = []
        self.hold = threading.Event()
        self.hold.set()

    async def __call__(self, incident_id: int, run: int) -> None:
        """Handle one incident; wait while a test holds."""
        self.begun.append(incident_id)
        self.runs.append(run)
        try:
            while not self.hold.is_set():  # noqa: ASYNC110  the test holds from another thread
                await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            self.cancelled.append(incident_id)
            raise
        self.done.append(incident_id)


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is so, or fail."""
    give_up = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < give_up, "it did not become so in time"
        time.sleep(0.02)


@pytest.fixture
def handler() -> Recorder:
    """A handler that remembers."""
    return Recorder()


@pytest.fixture
def engine(database: Database) -> Iterator[DBOSEngine]:
    """An engine that is stopped at the end, whatever happened."""
    made = DBOSEngine(database)
    yield made
    made.stop()


def enqueue(database: Database, engine: DBOSEngine, *incident_ids: int) -> None:
    """Queue incidents, each in a transaction of its own."""
    for incident_id in incident_ids:
        with database.write() as connection:
            engine.enqueue(connection, incident_id)


def test_a_committed_enqueue_is_handled_once(
    database: Database, engine: DBOSEngine, handler: Recorder
) -> None:
    """Two transactions ask for the same incident; it is handled one time."""
    engine.run(handler, 2)

    enqueue(database, engine, 7, 7, 8)
    wait_for(lambda: len(handler.done) >= 2)
    enqueue(database, engine, 7, 9)
    wait_for(lambda: 9 in handler.done)

    assert sorted(handler.begun) == [7, 8, 9]


def test_each_run_of_an_incident_is_handled_once(
    database: Database, engine: DBOSEngine, handler: Recorder
) -> None:
    """The second run is not the first one again, though that is over; asked for twice it is one."""
    engine.run(handler, 1)
    enqueue(database, engine, 7)
    wait_for(lambda: handler.done == [7])

    for run in (2, 2):
        with database.write() as connection:
            engine.enqueue(connection, 7, run)
    wait_for(lambda: handler.done == [7, 7])
    engine.cancel(7, 3)  # not queued yet: it changes nothing
    with database.write() as connection:
        engine.enqueue(connection, 7, 3)
    wait_for(lambda: handler.done == [7, 7, 7])

    assert handler.runs == [1, 2, 3]


def test_a_rolled_back_enqueue_is_not_handled(
    database: Database, engine: DBOSEngine, handler: Recorder
) -> None:
    """The queue entry goes with the caller's transaction."""
    engine.run(handler, 1)

    with contextlib.suppress(ZeroDivisionError), database.write() as connection:
        engine.enqueue(connection, 1)
        raise ZeroDivisionError
    enqueue(database, engine, 2)
    wait_for(lambda: bool(handler.done))

    assert handler.begun == [2]


def test_an_incident_queued_before_any_worker_runs_is_handled_later(
    database: Database, engine: DBOSEngine, handler: Recorder
) -> None:
    """A process that only takes alerts needs `prepare`, no worker."""
    engine.prepare()
    enqueue(database, engine, 1)

    engine.run(handler, 1)

    wait_for(lambda: handler.done == [1])


def test_no_more_than_the_concurrency_runs_at_once(
    database: Database, engine: DBOSEngine, handler: Recorder
) -> None:
    """Two slots, five incidents: three wait."""
    handler.hold.clear()
    engine.run(handler, 2)
    enqueue(database, engine, 1, 2, 3, 4, 5)
    wait_for(lambda: len(handler.begun) == 2)
    time.sleep(0.6)  # three polls of the queue
    assert len(handler.begun) == 2

    handler.hold.set()

    wait_for(lambda: sorted(handler.done) == [1, 2, 3, 4, 5])


def test_what_stop_interrupts_the_next_run_takes_up(
    database: Database, engine: DBOSEngine, handler: Recorder
) -> None:
    """An ordinary stop in the middle of an investigation loses nothing."""
    handler.hold.clear()
    engine.run(handler, 2)
    enqueue(database, engine, 1, 2, 3)
    wait_for(lambda: len(handler.begun) == 2)

    engine.stop()
    assert sorted(handler.cancelled) == sorted(handler.begun)
    handler.hold.set()
    again = DBOSEngine(database, worker_id=engine.worker_id)
    again.run(handler, 2)

    try:
        wait_for(lambda: sorted(handler.done) == [1, 2, 3])
    finally:
        again.stop()


def test_cancel_ends_the_running_handler_and_empties_the_queue(
    database: Database, engine: DBOSEngine, handler: Recorder
) -> None:
    """One is running and one is waiting: neither comes to its end, not even after a restart."""
    handler.hold.clear()
    engine.run(handler, 1)
    enqueue(database, engine, 1, 2, 3)
    wait_for(lambda: handler.begun == [1])

    engine.cancel(2)
    engine.cancel(1)
    engine.cancel(99)
    wait_for(lambda: handler.cancelled == [1])
    handler.hold.set()

    wait_for(lambda: handler.done == [3])
    assert handler.begun == [1, 3]


def test_a_handler_that_fails_is_tried_again(
    database: Database, engine: DBOSEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database was away for a moment: the incident is not lost."""
    monkeypatch.setattr("akmatori_server.engine.dbos_incidents.RETRY_FIRST_SECONDS", 0.01)
    tries: list[int] = []

    async def handle(incident_id: int, _run: int) -> None:
        tries.append(incident_id)
        if len(tries) < 3:
            raise OSError("the database is away")

    engine.run(handle, 1)
    enqueue(database, engine, 5)

    wait_for(lambda: tries == [5, 5, 5])


def test_a_process_runs_one_engine_at_a_time(
    database: Database, engine: DBOSEngine, handler: Recorder
) -> None:
    """The second is refused in a sentence; after a stop it may run."""
    engine.run(handler, 1)
    second = DBOSEngine(database)
    with pytest.raises(EngineBusyError, match="already"):
        second.run(handler, 1)

    engine.stop()
    second.run(handler, 1)
    enqueue(database, second, 1)

    try:
        wait_for(lambda: handler.done == [1])
    finally:
        second.stop()


def test_starting_inside_an_event_loop_keeps_investigations_out_of_it(
    database: Database, engine: DBOSEngine
) -> None:
    """The web server starts us from its own loop, which must stay free for requests."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def handle(_incident_id: int, _run: int) -> None:
        loops.append(asyncio.get_running_loop())

    async def serve() -> None:
        engine.run(handle, 1)
        enqueue(database, engine, 1)
        while not loops:  # noqa: ASYNC110  the engine fills it from another thread
            await asyncio.sleep(0.02)
        engine.stop()
        assert loops[0] is not asyncio.get_running_loop()

    asyncio.run(asyncio.wait_for(serve(), SECONDS))


def test_scheduled_jobs_run_and_undeclared_ones_are_forgotten(
    database: Database, engine: DBOSEngine, handler: Recorder
) -> None:
    """A job that raises does not end its schedule."""
    ticks: list[int] = []

    def tick() -> None:
        ticks.append(1)
        raise ValueError("a bad day")

    engine.schedule("tick", "* * * * * *", tick)
    engine.run(handler, 1)
    wait_for(lambda: len(ticks) >= 2)
    engine.stop()

    later = DBOSEngine(database, worker_id=engine.worker_id)
    later.run(handler, 1)
    try:
        with database.read() as connection:
            table = "workflow_schedules" if database.is_sqlite else "dbos.workflow_schedules"
            assert connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one() == 0  # noqa: S608  a constant
    finally:
        later.stop()


@ONLY_POSTGRESQL
def test_a_live_worker_adopts_what_a_dead_one_left(database: Database, handler: Recorder) -> None:
    """The dead worker's rows are pending under its name and its heart is silent."""
    dead = DBOSEngine(database, worker_id="dead")
    handler.hold.clear()
    dead.run(handler, 1)
    enqueue(database, dead, 1)
    wait_for(lambda: handler.begun == [1])
    dead.stop()
    handler.hold.set()

    live = DBOSEngine(database, worker_id="live", heartbeat_ttl_seconds=0.6)
    live.run(handler, 1)

    try:
        wait_for(lambda: handler.done == [1])
    finally:
        live.stop()


@ONLY_POSTGRESQL
def test_the_work_of_a_worker_that_was_seen_is_left_alone(database: Database, handler: Recorder) -> None:
    """Adoption goes by the heartbeat, and two adopters do not run the work twice."""
    other = DBOSEngine(database, worker_id="other")
    handler.hold.clear()
    other.run(handler, 1)
    enqueue(database, other, 1)
    wait_for(lambda: handler.begun == [1])
    other.stop()
    handler.hold.set()
    Workers(database).beat("other")

    live = DBOSEngine(database, worker_id="live", heartbeat_ttl_seconds=60)
    live.run(handler, 1)
    try:
        assert live.adopt_dead(60) == 0
        assert live.adopt_dead(0) == 1
        wait_for(lambda: handler.done == [1])
        assert live.adopt_dead(0) == 0
    finally:
        live.stop()
    assert handler.begun == [1, 1]


def test_finished_work_is_forgotten_after_a_while(
    database: Database, engine: DBOSEngine, handler: Recorder
) -> None:
    """The queue's own rows do not grow for ever."""
    engine.run(handler, 1)
    enqueue(database, engine, 1, 2)
    wait_for(lambda: len(handler.done) == 2)
    table = "workflow_status" if database.is_sqlite else "dbos.workflow_status"

    def rows() -> int:
        with database.read() as connection:
            count: int = connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one()  # noqa: S608  a constant
            return count

    engine.forget_finished(datetime.now(UTC) - timedelta(days=1))  # the heart calls it once an hour
    assert rows() == 2

    def forget_and_count() -> int:
        engine.forget_finished(datetime.now(UTC) + timedelta(minutes=1))
        return rows()

    wait_for(lambda: forget_and_count() == 0)

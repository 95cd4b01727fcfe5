"""Groups of incidents, and runs that were lost, on every engine."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from akmatori_server.database import Database
from akmatori_server.database.all_tables import metadata
from akmatori_server.engine import DBOSEngine, Engine, MemoryEngine
from tests.server.engine.test_dbos_engine import ONLY_POSTGRESQL, Recorder, wait_for


class Watcher:
    """A handler that counts how many of each group are worked on, and holds them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.at_once: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.done: list[int] = []
        self.hold = threading.Event()
        self.released: set[int] = set()

    async def __call__(self, incident_id: int, _run: int) -> None:
        """Work on one; ids below 100 are of the noisy group."""
        group = "noisy" if incident_id < 100 else "quiet"
        with self.lock:
            self.at_once.update([group, "all"])
            self.most |= self.at_once
        try:
            while not (self.hold.is_set() or incident_id in self.released):  # noqa: ASYNC110  held by a test
                await asyncio.sleep(0.01)
        finally:
            with self.lock:
                self.at_once.subtract([group, "all"])
                self.done.append(incident_id)


@pytest.fixture(params=["durable", "memory"])
def engine(request: pytest.FixtureRequest, database: Database) -> Iterator[Engine]:
    """Both engines, stopped at the end."""
    made: Engine
    made = MemoryEngine() if request.param == "memory" else DBOSEngine(database, polling_seconds=0.05)
    yield made
    made.stop()


def enqueue(database: Database, engine: Engine, group: str, *incident_ids: int) -> None:
    """Queue incidents of a group, each in a transaction of its own."""
    for incident_id in incident_ids:
        with database.write() as connection:
            engine.enqueue(connection, incident_id, group=group)


def test_a_burst_of_one_group_does_not_keep_others_waiting(database: Database, engine: Engine) -> None:
    """A hundred of one, then one of another: it is worked on at once, and all come to their end."""
    watcher = Watcher()
    engine.prepare()
    enqueue(database, engine, "noisy", *range(30))
    engine.run(watcher, 3, per_group=2)
    try:
        wait_for(lambda: watcher.at_once["noisy"] == 2)
        time.sleep(0.2)  # some polls of the queue
        enqueue(database, engine, "quiet", 100, 101)

        wait_for(lambda: watcher.at_once["quiet"] == 1)
        watcher.released.update({100, 101})
        wait_for(lambda: {100, 101} <= set(watcher.done))
        engine.cancel(29)  # one that waits
    finally:
        watcher.hold.set()
    wait_for(lambda: len(watcher.done) == 31)

    assert sorted(watcher.done) == [*range(29), 100, 101]
    assert dict(watcher.most) == {"noisy": 2, "quiet": 1, "all": 3}


def test_a_lost_run_is_known_and_queued_again(database: Database, engine: Engine) -> None:
    """Waiting and working is not lost; over or never queued is, and may be done anew."""
    handler = Recorder()
    handler.hold.clear()
    engine.prepare()
    engine.run(handler, 1)
    enqueue(database, engine, "", 1, 2)
    wait_for(lambda: handler.begun == [1])
    assert engine.lost([(1, 1), (1, 2), (2, 1), (3, 1)]) == [(1, 2), (3, 1)]

    handler.hold.set()
    wait_for(lambda: handler.done == [1, 2])
    wait_for(lambda: engine.lost([(1, 1), (2, 1)]) == [(1, 1), (2, 1)])
    engine.enqueue_again(2, 1)
    engine.enqueue_again(3, 1, group="g")

    wait_for(lambda: sorted(handler.done) == [1, 2, 2, 3])


def _status(database: Database, name: str) -> str | None:
    table = "workflow_status" if database.is_sqlite else "dbos.workflow_status"
    with database.read() as connection:
        query = sa.text(f"SELECT status FROM {table} WHERE workflow_uuid = :name")  # noqa: S608  a constant
        return connection.execute(query, {"name": name}).scalar_one_or_none()


def _claim_for(database: Database, worker: str) -> Callable[[], bool]:
    """Return what makes entries look as if a worker claimed them, and says whether there were some."""
    table = "workflow_status" if database.is_sqlite else "dbos.workflow_status"
    query = sa.text(
        f"UPDATE {table} SET status = 'PENDING', executor_id = :worker WHERE status = 'ENQUEUED'"  # noqa: S608  a constant
    )

    def claim() -> bool:
        with database.write() as connection:
            return connection.execute(query, {"worker": worker}).rowcount > 0

    return claim


def test_what_a_live_worker_claimed_and_forgot_is_given_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database went away between the claim and the reading of it: nobody is dead, and nobody works on it."""
    monkeypatch.setattr("akmatori_server.engine.dbos_tasks.POLLING_SECONDS", 0.05)
    engine = DBOSEngine(database, worker_id="here", heartbeat_ttl_seconds=0.3)
    tasks: list[str] = []
    handler = Recorder()

    async def task(key: str) -> None:
        tasks.append(key)

    engine.task("mail", task)
    engine.prepare()
    engine.run(handler, 1)
    try:
        handler.hold.clear()
        enqueue(database, engine, "", 1)
        wait_for(lambda: handler.begun == [1])
        enqueue(database, engine, "", 2)
        assert _claim_for(database, "here")()
        with database.write() as connection:
            engine.submit(connection, "mail", "a:b")
            claim = sa.text(
                f"UPDATE {'' if database.is_sqlite else 'dbos.'}workflow_status SET status = 'PENDING',"  # noqa: S608
                " executor_id = 'here' WHERE workflow_uuid LIKE 'task:%'"
            )
            connection.execute(claim)

        wait_for(lambda: tasks == ["a:b"])
        wait_for(lambda: _status(database, "incident-2") == "CANCELLED")
        assert engine.lost([(1, 1), (2, 1)]) == [(2, 1)]
        assert _status(database, "incident-1") == "PENDING"
        assert handler.cancelled == []
    finally:
        handler.hold.set()
        engine.stop()


@ONLY_POSTGRESQL
def test_a_worker_claims_no_more_than_its_places(database: Database) -> None:
    """A burst stays in the queue, where the next worker finds it."""
    handler = Recorder()
    handler.hold.clear()
    engine = DBOSEngine(database, polling_seconds=0.05)
    engine.prepare()
    enqueue(database, engine, "a", *range(10))
    enqueue(database, engine, "b", *range(10, 20))
    engine.run(handler, 3, per_group=2)
    try:
        wait_for(lambda: len(handler.begun) == 3)
        time.sleep(0.3)
        states = Counter(_status(database, f"incident-{number}") for number in range(20))
        assert states == {"PENDING": 3, "ENQUEUED": 17}
    finally:
        handler.hold.set()
        wait_for(lambda: len(handler.done) == 20)
        engine.stop()


def test_no_table_of_ours_is_called_as_one_of_the_engine(tmp_path: Path) -> None:
    """On SQLite they live side by side."""
    database = Database.open(f"sqlite:///{tmp_path / 'new.db'}")
    engine = DBOSEngine(database)
    engine.prepare()
    with database.read() as connection:
        theirs = set(sa.inspect(connection).get_table_names())
    database.close()

    assert "workflow_status" in theirs
    assert theirs.isdisjoint(metadata.tables)

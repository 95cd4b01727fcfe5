"""Tasks on every engine: what commits is done, once, and again when it failed or was interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from akmatori_server.database import Database
from akmatori_server.engine import DBOSEngine, Engine, MemoryEngine
from akmatori_server.engine.dbos_tasks import RETRY_LONGEST_SECONDS, retry_after
from tests.server.engine.test_dbos_engine import ONLY_POSTGRESQL, wait_for

pytestmark = pytest.mark.usefixtures("quick")


class Worker:
    """Does tasks, and remembers which."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.done: list[str] = []
        self.hold = threading.Event()
        self.hold.set()
        self.failures = 0

    async def __call__(self, key: str) -> None:
        """Do one task; fail as often as the test says, and wait while it holds."""
        self.begun.append(key)
        if self.failures > 0:
            self.failures -= 1
            raise OSError("the other side is away")
        while not self.hold.is_set():  # noqa: ASYNC110  the test holds from another thread
            await asyncio.sleep(0.01)
        self.done.append(key)


async def no_incident(_incident_id: int, _run: int) -> None:
    """Handle no incident."""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short waits."""
    monkeypatch.setattr("akmatori_server.engine.dbos_tasks.POLLING_SECONDS", 0.05)
    monkeypatch.setattr("akmatori_server.engine.dbos_tasks.RETRY_FIRST_SECONDS", 0.05)


@pytest.fixture(params=["durable", "memory"])
def engine(request: pytest.FixtureRequest, database: Database) -> Iterator[Engine]:
    """Both engines, stopped at the end."""
    made: Engine = MemoryEngine() if request.param == "memory" else DBOSEngine(database)
    yield made
    made.stop()


def submit(database: Database, engine: Engine, *keys: str, name: str = "mail") -> None:
    """Submit tasks, each in a transaction of its own."""
    for key in keys:
        with database.write() as connection:
            engine.submit(connection, name, key)


def test_what_commits_is_done_once_and_fails_until_it_works(database: Database, engine: Engine) -> None:
    """Submitted twice it is one; rolled back it is none; a failing try makes way for the others."""
    mail, chat = Worker(), Worker()
    mail.failures = 2
    engine.task("mail", mail)
    engine.task("chat", chat)
    engine.prepare()
    submit(database, engine, "a", "a")  # nobody works yet
    engine.run(no_incident, 1)
    with contextlib.suppress(ZeroDivisionError), database.write() as connection:
        engine.submit(connection, "mail", "never")
        raise ZeroDivisionError
    submit(database, engine, "b/é:2", "a")
    submit(database, engine, "a", name="chat")

    wait_for(lambda: sorted(mail.done) == ["a", "b/é:2"] and chat.done == ["a"])
    submit(database, engine, "a", "c")
    wait_for(lambda: len(mail.done) == 3)

    assert sorted(mail.done) == ["a", "b/é:2", "c"]
    assert len(mail.begun) == 5
    assert "never" not in mail.begun


def test_a_delayed_task_is_done_no_sooner(database: Database, engine: Engine) -> None:
    """And others go before it."""
    mail = Worker()
    engine.task("mail", mail)
    engine.run(no_incident, 1)
    began = time.monotonic()
    with database.write() as connection:
        engine.submit(connection, "mail", "later", delay_seconds=0.7)
    submit(database, engine, "now")

    wait_for(lambda: len(mail.done) == 2)

    assert mail.done == ["now", "later"]
    assert time.monotonic() - began >= 0.7


def test_what_a_stop_interrupts_is_begun_again(database: Database) -> None:
    """The handler is called a second time for the same key, by the next process."""
    mail = Worker()
    mail.hold.clear()
    first = DBOSEngine(database, worker_id="same")
    first.task("mail", mail)
    first.run(no_incident, 1)
    submit(database, first, "a")
    wait_for(lambda: mail.begun == ["a"])
    first.stop()
    mail.hold.set()

    second = DBOSEngine(database, worker_id="same")
    second.task("mail", mail)
    second.run(no_incident, 1)
    try:
        wait_for(lambda: mail.done == ["a"])
    finally:
        second.stop()
    assert mail.begun == ["a", "a"]


def test_tasks_are_declared_before_the_engine_runs_and_once(database: Database) -> None:
    """A handler that comes too late would never be called, and nobody would know."""
    engine = DBOSEngine(database)
    engine.task("mail", Worker())
    with pytest.raises(ValueError, match="declared already"):
        engine.task("mail", Worker())
    with pytest.raises(ValueError, match="small letters"):
        engine.task("Mail:1", Worker())
    engine.run(no_incident, 1)
    try:
        with pytest.raises(RuntimeError, match="before the engine runs"):
            engine.task("chat", Worker())
    finally:
        engine.stop()


def test_waits_grow_to_a_limit() -> None:
    """Seconds first, ten minutes in the end, whatever the number of tries."""
    waits = [retry_after(attempt) for attempt in (2, 3, 30, 100_000)]

    assert waits == [0.1, 0.2, RETRY_LONGEST_SECONDS, RETRY_LONGEST_SECONDS]


_WORKS_AND_IS_KILLED = """
import asyncio, sys
from akmatori_server.database import Database
from akmatori_server.engine import DBOSEngine

async def mail(key):
    print(key, flush=True)
    await asyncio.sleep(60)

async def nothing(incident_id, run):
    pass

database = Database.open(sys.argv[1])
engine = DBOSEngine(database, worker_id="killed")
engine.task("mail", mail)
engine.run(nothing, 1)
with database.write() as connection:
    engine.submit(connection, "mail", "k")
import time
time.sleep(60)
"""


def test_a_task_survives_the_kill_of_its_process(database: Database, tmp_path: Path) -> None:
    """Another process does it again: on PostgreSQL one with another name, since the first one's heart is silent."""
    url = database.engine.url.render_as_string(hide_password=False)
    script = tmp_path / "worker.py"
    script.write_text(_WORKS_AND_IS_KILLED, encoding="utf-8")
    with subprocess.Popen([sys.executable, str(script), url], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "k\n"
        os.kill(process.pid, signal.SIGKILL)

    mail = Worker()
    name = "killed" if database.is_sqlite else "other"
    engine = DBOSEngine(database, worker_id=name, heartbeat_ttl_seconds=0.6)
    engine.task("mail", mail)
    engine.run(no_incident, 1)
    try:
        wait_for(lambda: mail.done == ["k"])
    finally:
        engine.stop()


@ONLY_POSTGRESQL
def test_a_process_that_does_not_know_a_task_leaves_it_to_one_that_does(database: Database) -> None:
    """During an upgrade the older of two processes may get the newer one's task."""
    old, mail = DBOSEngine(database, worker_id="old"), Worker()
    old.run(no_incident, 1)
    submit(database, old, "a")
    time.sleep(0.3)
    old.stop()

    new = DBOSEngine(database, worker_id="new")
    new.task("mail", mail)
    new.run(no_incident, 1)
    try:
        wait_for(lambda: mail.done == ["a"])
    finally:
        new.stop()

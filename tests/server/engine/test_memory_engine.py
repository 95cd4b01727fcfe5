"""The engine of the tests keeps the port's promises as far as memory can."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import pytest

from akmatori_server.database import Database
from akmatori_server.engine import Engine, MemoryEngine

SECONDS = 10


def test_only_what_commits_is_handled_and_once(database: Database) -> None:
    """A rolled back enqueue leaves nothing; two of the same incident are one."""
    engine: Engine = MemoryEngine()
    handled: list[int] = []
    done = threading.Event()

    async def handle(incident_id: int, _run: int) -> None:
        handled.append(incident_id)
        if incident_id == 3:
            done.set()

    engine.run(handle, 1)
    with contextlib.suppress(ZeroDivisionError), database.write() as connection:
        engine.enqueue(connection, 1)
        raise ZeroDivisionError
    for incident_id in (2, 2, 3):
        with database.write() as connection:
            engine.enqueue(connection, incident_id)

    assert done.wait(SECONDS)
    engine.stop()
    assert handled == [2, 3]
    assert engine.adopt_dead(0) == 0


def test_cancel_reaches_the_running_and_the_waiting(database: Database) -> None:
    """The running handler sees it; the waiting one never begins."""
    engine = MemoryEngine()
    begun, cancelled = threading.Event(), threading.Event()
    handled: list[int] = []

    async def handle(incident_id: int, _run: int) -> None:
        handled.append(incident_id)
        begun.set()
        try:
            await asyncio.sleep(SECONDS)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    engine.run(handle, 1)
    with database.write() as connection:
        engine.enqueue(connection, 1)
        engine.enqueue(connection, 2)
    assert begun.wait(SECONDS)
    engine.cancel(2)
    engine.cancel(1)

    assert cancelled.wait(SECONDS)
    engine.stop()
    assert handled == [1]


def test_drain_works_here_and_now_and_shows_failures(database: Database) -> None:
    """In a test a failing handler must not pass in silence; a job is called by its name."""
    engine = MemoryEngine()
    ticks: list[int] = []
    engine.schedule("tick", "* * * * *", lambda: ticks.append(1))

    async def handle(incident_id: int, _run: int) -> None:
        raise KeyError(incident_id)

    with database.write() as connection:
        engine.enqueue(connection, 1)
    with pytest.raises(KeyError):
        engine.drain(handle)
    engine.jobs["tick"]()

    assert ticks == [1]

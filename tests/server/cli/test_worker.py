"""Several processes on one PostgreSQL database: one takes requests, the others investigate."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import sqlalchemy as sa

from akmatori_server.cli import main
from akmatori_server.database import Database
from akmatori_server.events.tables import events
from akmatori_server.incidents.tables import incidents
from tests.server.cli.test_cli import PASSWORD, environment, run
from tests.support.databases import copied_database

pytestmark = pytest.mark.timeout(300)

INCIDENTS = 20
AT_ONCE = 2
READY = "The worker is ready."
PENDING = sa.text(
    "SELECT count(*) FROM dbos.workflow_status WHERE name = 'investigate' AND status = 'PENDING'"
    " GROUP BY executor_id"
)


@attrs.frozen
class Running:
    """One process, and what it says."""

    process: ForkServerProcess
    log: Path

    def said(self, pattern: str) -> re.Match[str] | None:
        """Find something in its output; the process must not have ended."""
        text = self.log.read_text() if self.log.exists() else ""
        assert self.process.is_alive(), text
        return re.search(pattern, text)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.join(30)

    def stop(self) -> int | None:
        """Ask it to stop; return its exit code."""
        self.process.terminate()
        self.process.join(30)
        return self.process.exitcode


@contextmanager
def running(log: Path, *arguments: str) -> Generator[Running]:
    """Run a command until the end of the block, in a process that has imported everything already."""
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["akmatori_server.app", "akmatori_server.http.serving", "uvicorn", __name__])
    settings = {
        "AKMATORI_WORKER_TTL": "2",
        "AKMATORI_CONCURRENCY": str(AT_ONCE),
        # All of them come from the API.
        "AKMATORI_CONCURRENCY_PER_SOURCE": str(AT_ONCE),
        **PASSWORD,
    }
    process = forks.Process(target=command, args=(str(log), environment(settings), arguments))
    process.start()
    started = Running(process, log)
    try:
        yield started
    finally:
        started.kill()
        process.close()


def command(log: str, variables: Mapping[str, str], arguments: Sequence[str]) -> None:
    """Be the command line, in a process of its own."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.environ.clear()
    os.environ.update(variables)
    main(arguments)


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until something is so, or fail."""
    give_up = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < give_up, "it did not become so in time"
        time.sleep(0.05)


def test_two_workers_and_one_of_them_dies(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A server that does not work queues; what a killed worker had begun the other one ends; nothing is done twice."""
    with ExitStack() as stack:
        url = stack.enter_context(copied_database("postgresql", tmp_path, request))
        database = Database.open(url)
        stack.callback(database.close)
        place = ("--database-url", url, "--data-dir", str(tmp_path / "data"))
        api = stack.enter_context(running(tmp_path / "api.log", "serve", "--no-work", "--port", "0", *place))
        workers = [
            stack.enter_context(running(tmp_path / f"worker{number}.log", "worker", *place))
            for number in range(2)
        ]
        wait_for(lambda: api.said("listens on") and all(worker.said(READY) for worker in workers))
        client = stack.enter_context(_client(api))

        with database.write() as connection:
            # Nobody writes a line while we hold this, so both workers are in the middle of something.
            connection.execute(sa.text("LOCK TABLE incident_log IN ACCESS EXCLUSIVE MODE"))
            with ThreadPoolExecutor(4) as threads:
                uuids = list(threads.map(partial(_create, client), range(INCIDENTS)))
            wait_for(lambda: _values(database, PENDING) == [AT_ONCE, AT_ONCE])
            wait_for(lambda: _statuses(database).count("running") == 2 * AT_ONCE)
            workers[0].kill()
        wait_for(lambda: _statuses(database) == ["completed"] * INCIDENTS)

        assert sorted(_values(database, sa.select(incidents.c.fence))) == (
            [1] * (INCIDENTS - AT_ONCE) + [2] * AT_ONCE
        )
        completed = sa.select(events.c.incident_uuid).where(events.c.kind == "incident.completed")
        assert sorted(_values(database, completed)) == sorted(uuids)
        for uuid in uuids:
            log = client.get(f"/api/incidents/{uuid}").json()["full_log"]
            assert (log.count("--- Execution Log ---"), log.count("--- Final Response ---")) == (1, 1)

        assert client.post(f"/api/incidents/{uuids[0]}/retry").json()["status"] == "pending"
        wait_for(lambda: _statuses(database) == ["completed"] * INCIDENTS)
        assert "--- Run 2 ---" in client.get(f"/api/incidents/{uuids[0]}").json()["full_log"]

        assert workers[1].stop() == 0
        assert "server_stopped" in workers[1].log.read_text()
        # With nobody at work, requests are served and wait for the next worker.
        assert client.get("/readyz").status_code == 200
        _create(client, INCIDENTS)
        assert _statuses(database) == ["completed"] * INCIDENTS + ["pending"]
        assert api.stop() in {0, -signal.SIGTERM}


def test_a_worker_needs_postgresql(tmp_path: Path) -> None:
    """One sentence tells what to set."""
    ended = run("worker", "--data-dir", str(tmp_path))

    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: A worker needs PostgreSQL: set AKMATORI_DATABASE_URL")
    assert not (tmp_path / "akmatori.db").exists()


@contextmanager
def _client(api: Running) -> Generator[httpx.Client]:
    told = api.said(r"listens on (http://\S+),")
    assert told is not None
    with httpx.Client(base_url=told[1], timeout=30) as client:
        # It listens before it is ready; the connection waits.
        login = {"username": "admin", "password": PASSWORD["ADMIN_PASSWORD"]}
        token = client.post("/auth/login", json=login).json()["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def _create(client: httpx.Client, number: int) -> str:
    answer = client.post("/api/incidents", json={"task": f"Check disk on db-{number}"})
    assert answer.status_code == 201, answer.text
    uuid: str = answer.json()["uuid"]
    return uuid


def _statuses(database: Database) -> list[str]:
    return _values(database, sa.select(incidents.c.status).order_by(incidents.c.id))


def _values(database: Database, query: sa.Executable) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(query).scalars())

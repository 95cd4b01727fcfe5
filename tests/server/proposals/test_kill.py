"""Workers that are killed, and several at once: an approved action is done once, or nobody knows, never twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from akmatori_server.crypto import SecretBox
from akmatori_server.database import Database
from akmatori_server.engine import DBOSEngine
from akmatori_server.events import EventLog
from akmatori_server.proposals.models import Proposal
from akmatori_server.proposals.service import ProposalService
from tests.server.engine.test_dbos_engine import ONLY_POSTGRESQL, wait_for
from tests.server.incidents.domain import call
from tests.server.proposals import worker
from tests.server.proposals.office import DECISION, Office, make_office

ROOT = Path(__file__).parents[3]


class Scene:
    """People who decide here, and workers that do it elsewhere."""

    def __init__(self, database: Database, file: Path) -> None:
        self.key = Fernet.generate_key().decode()
        self.database = database
        self.file = file
        self.office: Office = make_office(database, secrets=SecretBox([self.key]), now=worker.now)
        engine = DBOSEngine(database)
        engine.prepare()
        self.service = ProposalService(
            database,
            SecretBox([self.key]),
            self.office.room.audit,
            queue=engine,
            events=EventLog(),
            now=worker.now,
        )

    def propose(self, *hosts: str) -> list[str]:
        """Have an investigation ask for changes."""
        journal = self.office.room.take()
        for number, host in enumerate(hosts):
            self.office.ask(f"m{number}.0", journal, host=host)
        return [one.uuid for one in reversed(self.office.all())]

    def approve(self, *uuids: str) -> None:
        """Approve them, as a process that only serves requests."""
        for uuid in uuids:
            self.service.approve(uuid, call(), DECISION)

    def state(self, uuid: str) -> str:
        """Return where a proposal stands."""
        return self.get(uuid).state.value

    def get(self, uuid: str) -> Proposal:
        """Return a proposal."""
        return self.service.get(uuid)

    def changes(self) -> list[str]:
        """Return what was changed, each time it was."""
        return self.file.read_text(encoding="utf-8").split() if self.file.exists() else []

    @contextmanager
    def worker(self, name: str, *, seconds: float) -> Generator[subprocess.Popen[str]]:
        """Run a worker whose changes take so long; it is killed in the end."""
        url = self.database.engine.url.render_as_string(hide_password=False)
        arguments = [url, self.key, str(self.file), name, str(seconds)]
        with subprocess.Popen(
            [sys.executable, "-m", "tests.server.proposals.worker", *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                os.kill(process.pid, signal.SIGKILL)


def is_working(process: subprocess.Popen[str]) -> None:
    """Wait until a worker works."""
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n"


@pytest.fixture
def scene(database: Database, tmp_path: Path) -> Scene:
    """One incident, and a file of changes."""
    return Scene(database, tmp_path / "changes")


def test_a_worker_killed_in_the_middle_leaves_what_is_not_known(scene: Scene) -> None:
    """The change was made, and nobody saw its end; the next worker says so, and makes the others."""
    name = "same" if scene.database.is_sqlite else "other"
    first, second = scene.propose("db-1", "db-2")
    with scene.worker("same", seconds=60):
        scene.approve(first)
        wait_for(lambda: scene.changes() == ["db-1"])
    assert scene.state(first) == "running"

    with scene.worker(name, seconds=0):
        scene.approve(second)
        wait_for(lambda: scene.state(first) == "unknown" and scene.state(second) == "done")

    assert scene.changes() == ["db-1", "db-2"]
    assert "look before you repeat it" in scene.get(first).output
    assert "outcome not known: change at db-1" in scene.office.log()
    assert scene.get(second).output == "changed"


@ONLY_POSTGRESQL
def test_of_two_workers_one_does_each(scene: Scene) -> None:
    """Both are there for all of them."""
    uuids = scene.propose(*(f"db-{number}" for number in range(12)))
    with ExitStack() as stack:
        workers = [stack.enter_context(scene.worker(name, seconds=0.02)) for name in ("a", "b")]
        for process in workers:
            is_working(process)
        scene.approve(*uuids)
        wait_for(lambda: all(scene.state(uuid) == "done" for uuid in uuids))

    assert sorted(scene.changes()) == sorted(f"db-{number}" for number in range(12))


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_kills_at_any_moment_never_do_it_twice(scene: Scene) -> None:
    """Worker after worker is killed while they have much to do."""
    uuids = scene.propose(*(f"db-{number}" for number in range(40)))
    scene.approve(*uuids)
    for round_ in range(6):
        with scene.worker("same" if scene.database.is_sqlite else f"w{round_}", seconds=0.1) as process:
            is_working(process)
            goal = 6 * (round_ + 1)
            wait_for(lambda goal=goal: sum(scene.state(uuid) != "approved" for uuid in uuids) >= goal)
    with scene.worker("same" if scene.database.is_sqlite else "last", seconds=0) as process:
        is_working(process)
        wait_for(lambda: all(scene.state(uuid) in {"done", "unknown"} for uuid in uuids))

    changes = scene.changes()
    assert len(changes) == len(set(changes))
    done = {str(scene.get(uuid).arguments["host"]) for uuid in uuids if scene.state(uuid) == "done"}
    assert done <= set(changes)
    assert len(done) >= 10

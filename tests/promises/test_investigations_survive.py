"""An investigation that was begun comes to its end, once, though the process that runs it is killed.

Incidents are investigated by a scripted model that makes parallel calls and asks for a change, which a person
approves meanwhile. At random moments the process is killed with SIGKILL and started anew. In the end every
incident is completed; its log has every line once, and the same lines as one that nobody disturbed; it cost as
many tokens; and every change that was approved was made once.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from akmatori_server.database import Database
from akmatori_server.incidents.tables import incident_log, incidents
from akmatori_server.proposals.tables import proposals
from tests.promises.serverprocess import Launcher, ServerProcess
from tests.promises.test_crash import count, sqlite_file, tell_logs, wait_until
from tests.promises.ward import Approver, Ward, ward

KILLS, CASES = 3, 8
SOAK_KILLS, SOAK_CASES = 60, 40
LONGEST_LIFE_SECONDS = 2.5


@pytest.mark.timeout(600)
def test_killed_while_investigating_on_sqlite(launcher: Launcher, tmp_path: Path) -> None:
    """The embedded database: the next start goes on where the last one stopped."""
    survive([ServerProcess(launcher, tmp_path)], sqlite_file(tmp_path), kills=KILLS, cases=CASES)


@pytest.mark.timeout(600)
def test_killed_while_investigating_on_postgresql(
    launcher: Launcher, tmp_path: Path, postgresql: str
) -> None:
    """Two servers that both work: the one that lives goes on with what the dead one had."""
    servers = [ServerProcess(launcher, tmp_path, postgresql, name=name) for name in ("a", "b")]
    survive(servers, postgresql, kills=KILLS - 1, cases=CASES)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_killed_very_often_while_investigating(launcher: Launcher, tmp_path: Path, postgresql: str) -> None:
    """Forty at a time, for long, on both."""
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    survive(
        [ServerProcess(launcher, tmp_path / "one")],
        sqlite_file(tmp_path / "one"),
        kills=SOAK_KILLS,
        cases=SOAK_CASES,
    )
    servers = [ServerProcess(launcher, tmp_path / "two", postgresql, name=name) for name in ("a", "b")]
    survive(servers, postgresql, kills=SOAK_KILLS, cases=SOAK_CASES)


@pytest.mark.timeout(300)
def test_a_worker_that_was_thought_dead_writes_no_more(
    launcher: Launcher, tmp_path: Path, postgresql: str
) -> None:
    """Split brain: one is stopped in the middle of its work, another takes it over, and the first wakes up."""
    first, second = (ServerProcess(launcher, tmp_path, postgresql, name=name) for name in ("a", "b"))
    with ExitStack() as stack:
        outside = stack.enter_context(ward())
        stack.enter_context(first)
        database = Database.open(postgresql)
        stack.callback(database.close)
        stack.callback(tell_logs, [first, second], 0)
        with first.client() as client:
            outside.set_up(client)
            begin(client, range(2))
        wait_until(lambda: sum(outside.looked.values()) > 0)
        first.signal(signal.SIGSTOP)
        try:
            stack.enter_context(second)
            wait_until(lambda: count(database, incidents.c.status != "completed") == 0)
        finally:
            first.signal(signal.SIGCONT)
        before = lines(database)
        # It makes the calls it was in, and finds that nothing of that is its own any more.
        time.sleep(2.0)
        assert lines(database) == before
        check(database, outside, 2)


def survive(servers: Sequence[ServerProcess], database_url: str, *, kills: int, cases: int) -> None:
    """Investigate, kill, start again; then compare every incident with one that nobody disturbed."""
    seed = int(os.environ.get("AKMATORI_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)
    moments = random.Random(seed)
    with ExitStack() as stack:
        outside = stack.enter_context(ward())
        for server in servers:
            stack.enter_context(server)
        database = Database.open(database_url)
        stack.callback(database.close)
        stack.callback(tell_logs, servers, seed)
        with servers[0].client() as client:
            token = client.headers["Authorization"].removeprefix("Bearer ")
            outside.set_up(client)
            begin(client, range(1))
            wait_until(lambda: count(database, incidents.c.status == "completed") == 1)
            begin(client, range(1, cases))
        with Approver([server.base_url for server in servers], token):
            for life in range(kills):
                server = servers[life % len(servers)]
                time.sleep(moments.uniform(0.2, LONGEST_LIFE_SECONDS))
                server.kill()
                server.begin_to_start()
                server.wait_until_ready()
            wait_until(lambda: count(database, incidents.c.status != "completed") == 0)
            wait_until(lambda: undecided(database) == 0)
        check(database, outside, cases)


def begin(client: httpx.Client, cases: range) -> None:
    """Have cases investigated."""
    for case in cases:
        client.post("/api/incidents", json={"task": f"Look after case-{case}"}).raise_for_status()


def check(database: Database, outside: Ward, cases: int) -> None:
    """Nothing lost, nothing twice."""
    with database.read() as connection:
        rows = list(connection.execute(sa.select(incidents).order_by(incidents.c.id)))
        actions = list(connection.execute(sa.select(proposals)))
    assert [row.status for row in rows] == ["completed"] * cases
    logs = lines(database)
    undisturbed = sorted(key for key, _ in logs[rows[0].id])
    for number, row in enumerate(rows):
        keys = [key for key, _ in logs[row.id]]
        assert sorted(set(keys)) == undisturbed, f"case-{number}"
        assert len(keys) == len(set(keys)), f"case-{number}"
        assert f"case-{number} is well" in row.response
        assert row.tokens_used == rows[0].tokens_used, f"case-{number}"
    assert len(actions) == cases
    done = sum(1 for action in actions if action.state == "done")
    unknown = sum(1 for action in actions if action.state == "unknown")
    made = outside.changed
    # One whose outcome is not known may have been made before its process died; none was made twice.
    assert max(made.values(), default=0) <= 1
    assert done <= sum(made.values()) <= done + unknown


def lines(database: Database) -> dict[int, list[tuple[str, str]]]:
    """Return the log of each incident; a line about a proposal has the proposal's own name in its key."""
    found: dict[int, list[tuple[str, str]]] = {}
    with database.read() as connection:
        for row in connection.execute(sa.select(incident_log).order_by(incident_log.c.id)):
            if not row.key.startswith("proposal:"):
                found.setdefault(row.incident_id, []).append((row.key, row.text))
    return found


def undecided(database: Database) -> int:
    """Count the actions that are not over."""
    with database.read() as connection:
        over = proposals.c.state.in_(["done", "failed", "unknown", "rejected", "expired"])
        query = sa.select(sa.func.count()).select_from(proposals).where(sa.not_(over))
        return connection.execute(query).scalar_one()

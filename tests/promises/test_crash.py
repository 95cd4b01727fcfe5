"""What was acknowledged is never lost, and nothing is done twice, though the server is killed under load.

Groups of alerts fire, repeat, end and come back without a pause, each told by two peers. At random moments the
process is killed with SIGKILL and started anew. In the end every alert that was answered with 200 is there once,
in one incident, as it was told last; the counts agree; every incident is investigated to its end, once; and
whoever followed the events has every one of them, in their order.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib.resources import files
from pathlib import Path

import pytest
import sqlalchemy as sa

from akmatori_server.database import Database
from akmatori_server.events.tables import events
from akmatori_server.incidents.tables import incidents
from tests.promises.accounts import STORM_THRESHOLD, Accounts, check, workflows
from tests.promises.listener import Listener
from tests.promises.load import Load
from tests.promises.serverprocess import Launcher, ServerProcess

KILLS = int(os.environ.get("AKMATORI_TEST_KILLS", "20"))
SOAK_KILLS = int(os.environ.get("AKMATORI_SOAK_KILLS", "200"))
POSTGRESQL_KILLS = 4
LONGEST_LIFE_SECONDS = 0.7
# Of so many lives one ends before the server is ready, and one lasts until some incident is completed.
STILLBORN_ONE_IN = 4
FRUITFUL_ONE_IN = 7
# On PostgreSQL the work of a dead worker is adopted after its heartbeat is old enough.
COMPLETE_WITHIN_SECONDS = 300.0


@pytest.fixture
def seed() -> int:
    """The seed of the load and of the moments of the kills; told when the test fails."""
    return int(os.environ.get("AKMATORI_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)


@pytest.mark.timeout(1200)
def test_killed_under_load_on_sqlite(launcher: Launcher, tmp_path: Path, seed: int) -> None:
    """The embedded database: the next start takes up what the last one left."""
    killed_under_load([ServerProcess(launcher, tmp_path)], sqlite_file(tmp_path), kills=KILLS, seed=seed)


@pytest.mark.timeout(1200)
def test_killed_under_load_on_postgresql(
    launcher: Launcher, tmp_path: Path, postgresql: str, seed: int
) -> None:
    """PostgreSQL: two servers, one for each peer, die in turns; who lives adopts what the dead ones left."""
    servers = [ServerProcess(launcher, tmp_path, postgresql, name=name) for name in ("a", "b")]
    killed_under_load(servers, postgresql, kills=POSTGRESQL_KILLS, seed=seed)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_killed_very_often_on_sqlite(launcher: Launcher, tmp_path: Path, seed: int) -> None:
    """The same for an hour."""
    killed_under_load([ServerProcess(launcher, tmp_path)], sqlite_file(tmp_path), kills=SOAK_KILLS, seed=seed)


def killed_under_load(servers: Sequence[ServerProcess], database_url: str, *, kills: int, seed: int) -> None:
    """Deliver, kill, start again; then compare what was acknowledged with what is there."""
    moments = random.Random(seed)
    with ExitStack() as stack:
        for server in servers:
            stack.enter_context(server)
        database = Database.open(database_url)
        stack.callback(database.close)
        stack.callback(tell_logs, servers, seed)
        calm, stormy = set_up(servers[0])
        listener = stack.enter_context(Listener(stack.enter_context(servers[0].client())))
        addresses = [server.base_url for server in servers]
        with Load(addresses, calm=calm, stormy=stormy, seed=seed) as load:
            for life in range(1, kills + 1):
                end_and_begin(life, servers[life % len(servers)], database, moments)
        for server in servers:
            server.wait_until_ready()
        wait_until(lambda: count(database, incidents.c.completed_at.is_(None)) == 0)
        # One may have been killed between the end of an incident and that of its workflow.
        wait_until(lambda: set(workflows(database)) == {"SUCCESS"})
        wait_until(lambda: max(listener.ids, default=0) >= last_event(database))
        for server in servers:
            server.stop()
        accounts = Accounts.of(database)
        print(f"seed {seed}: {load.told()}; {accounts.told()}")
        check(accounts, load, listener.ids)


def end_and_begin(life: int, server: ServerProcess, database: Database, moments: random.Random) -> None:
    """Kill the server after a while, and start it again; its next end may come before it is ready."""
    if life % FRUITFUL_ONE_IN == 0:
        wait_for_progress(database)
    time.sleep(moments.uniform(0.0, LONGEST_LIFE_SECONDS))
    server.kill()
    server.begin_to_start()
    if life % STILLBORN_ONE_IN:
        server.wait_until_ready()


def tell_logs(servers: Sequence[ServerProcess], seed: int) -> None:
    """Print what may explain a failure; pytest shows it then."""
    print(f"seed {seed}")
    for server in servers:
        print(server.log_end())


def set_up(server: ServerProcess) -> tuple[str, str]:
    """Make two alert sources and one runbook; return the webhooks' paths: the calm one's, the stormy one's."""
    text = files("akmatori_server").joinpath("demo/runbooks/disk-filling.md").read_text(encoding="utf-8")
    title, _, content = text.partition("\n")
    with server.client() as client:
        client.post(
            "/api/runbooks", json={"title": title.removeprefix("# "), "content": content}
        ).raise_for_status()
        uuids = [
            client.post(
                "/api/alert-sources",
                json={
                    "source_type_name": "alertmanager",
                    "name": name,
                    "settings": {"storm_threshold": threshold},
                },
            )
            .raise_for_status()
            .json()["uuid"]
            for name, threshold in (("calm", 1_000_000), ("stormy", STORM_THRESHOLD))
        ]
    calm, stormy = (f"/webhook/alert/{uuid}" for uuid in uuids)
    return calm, stormy


def sqlite_file(directory: Path) -> str:
    """Return the URL of the database in the server's data directory."""
    return f"sqlite:///{directory / 'data' / 'akmatori.db'}"


def wait_for_progress(database: Database) -> None:
    """Wait until one more incident is completed: on a slow machine no short life might complete any."""
    before = count(database, incidents.c.completed_at.is_not(None))
    wait_until(lambda: count(database, incidents.c.completed_at.is_not(None)) > before)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until something is so, or fail."""
    give_up = time.monotonic() + COMPLETE_WITHIN_SECONDS
    while not condition():
        assert time.monotonic() < give_up, "It did not come to an end."
        time.sleep(0.1)


def count(database: Database, condition: sa.ColumnElement[bool]) -> int:
    """Count incidents."""
    with database.read() as connection:
        query = sa.select(sa.func.count()).select_from(incidents).where(condition)
        return connection.execute(query).scalar_one()


def last_event(database: Database) -> int:
    """Return the number of the newest event."""
    with database.read() as connection:
        return connection.execute(sa.select(sa.func.max(events.c.id))).scalar_one() or 0

"""What was acknowledged is never lost, and nothing is done twice, though the server is killed under load.

Alerts are delivered without a pause. Whoever gets no answer sends the same alert again, as Alertmanager
does. At random moments the process is killed with SIGKILL and started anew. In the end every alert that was
answered with 200 has one incident, each is completed, and their logs read as if nothing had happened.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import attrs
import httpx
import pytest
import sqlalchemy as sa

from akmatori_server.alerts.tables import alerts
from akmatori_server.database import Database
from akmatori_server.incidents.tables import incident_log, incidents
from tests.promises.serverprocess import ServerProcess, alert_payload
from tests.support.databases import postgres_database

KILLS = int(os.environ.get("AKMATORI_TEST_KILLS", "10"))
SOAK_KILLS = int(os.environ.get("AKMATORI_SOAK_KILLS", "200"))
POSTGRESQL_KILLS = 3
SENDERS = 3
LONGEST_LIFE_SECONDS = 1.2
LIVES_UNTIL_SOMETHING_IS_DONE = 5
# On PostgreSQL the work of a dead worker is adopted after its heartbeat is old enough.
COMPLETE_WITHIN_SECONDS = 120.0


@attrs.define
class Deliveries:
    """Alerts sent by several senders at once, each until it is answered."""

    url: str
    acknowledged: set[int] = attrs.field(factory=set[int])
    unanswered: int = 0
    _next: int = 0
    _lock: threading.Lock = attrs.field(factory=threading.Lock)
    _stop: threading.Event = attrs.field(factory=threading.Event)
    _threads: list[threading.Thread] = attrs.field(factory=list[threading.Thread])

    def __enter__(self) -> Deliveries:
        for _ in range(SENDERS):
            thread = threading.Thread(target=self._send, daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _send(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                self._next += 1
                number = self._next
            while not self._stop.is_set() and not self._deliver(number):
                time.sleep(0.05)

    def _deliver(self, number: int) -> bool:
        try:
            status = httpx.post(self.url, content=alert_payload(number), timeout=30).status_code
        except httpx.HTTPError:
            with self._lock:
                self.unanswered += 1
            return False
        assert status == 200
        with self._lock:
            self.acknowledged.add(number)
        return True


@pytest.fixture
def seed() -> int:
    """The seed of the moments of the kills; told when the test fails."""
    return int(os.environ.get("AKMATORI_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 2**31)


@pytest.fixture
def postgresql(postgres_url: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    with postgres_database(postgres_url) as url:
        yield url


@pytest.mark.timeout(1200)
def test_killed_under_load_on_sqlite(tmp_path: Path, seed: int) -> None:
    """The embedded database: the next start takes up what the last one left."""
    killed_under_load(tmp_path, kills=KILLS, seed=seed)


@pytest.mark.timeout(1200)
def test_killed_under_load_on_postgresql(tmp_path: Path, postgresql: str, seed: int) -> None:
    """PostgreSQL: every start is another worker, which adopts what the dead ones left."""
    killed_under_load(tmp_path, kills=POSTGRESQL_KILLS, seed=seed, database_url=postgresql)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_killed_very_often_on_sqlite(tmp_path: Path, seed: int) -> None:
    """The same for an hour."""
    killed_under_load(tmp_path, kills=SOAK_KILLS, seed=seed)


def killed_under_load(directory: Path, *, kills: int, seed: int, database_url: str | None = None) -> None:
    """Deliver, kill, start again; then compare what was acknowledged with what is there."""
    moments = random.Random(seed)
    with ServerProcess(directory, database_url) as server:
        webhook = set_up(server)
        database = Database.open(database_url or f"sqlite:///{sqlite_file(directory)}")
        try:
            with Deliveries(webhook) as deliveries:
                for life in range(1, kills + 1):
                    if life % LIVES_UNTIL_SOMETHING_IS_DONE == 0:
                        wait_for_progress(database, server)
                    time.sleep(moments.uniform(0.02, LONGEST_LIFE_SECONDS))
                    server.kill()
                    server.start()
                time.sleep(LONGEST_LIFE_SECONDS)
            wait_until_closed(database, server)
            server.stop()
            check(database, deliveries.acknowledged, f"seed {seed}\n{server.log_end()}")
        finally:
            database.close()


def set_up(server: ServerProcess) -> str:
    """Make an alert source and one runbook; return the webhook's address."""
    text = files("akmatori_server").joinpath("demo/runbooks/disk-filling.md").read_text(encoding="utf-8")
    title, _, content = text.partition("\n")
    with server.client() as client:
        source = client.post("/api/alert-sources", json={"source_type_name": "alertmanager", "name": "prod"})
        client.post(
            "/api/runbooks", json={"title": title.removeprefix("# "), "content": content}
        ).raise_for_status()
        return f"{server.base_url}/webhook/alert/{source.raise_for_status().json()['uuid']}"


def sqlite_file(directory: Path) -> Path:
    """Return the one database file in the data directory."""
    (found,) = (directory / "data").glob("*.db")
    return found


def wait_until_closed(database: Database, server: ServerProcess) -> None:
    """Wait until no incident is pending or running."""
    wait_until(lambda: count(database, incidents.c.completed_at.is_(None)) == 0, server)


def wait_for_progress(database: Database, server: ServerProcess) -> None:
    """Wait until one more incident is completed: on a slow machine no short life might complete any."""
    before = count(database, incidents.c.completed_at.is_not(None))
    wait_until(lambda: count(database, incidents.c.completed_at.is_not(None)) > before, server)


def wait_until(condition: Callable[[], bool], server: ServerProcess) -> None:
    """Wait until something is so, or fail with the end of the server's log."""
    give_up = time.monotonic() + COMPLETE_WITHIN_SECONDS
    while not condition():
        assert time.monotonic() < give_up, f"Some incidents were not finished:\n{server.log_end()}"
        time.sleep(0.1)


def count(database: Database, condition: sa.ColumnElement[bool]) -> int:
    """Count incidents."""
    with database.read() as connection:
        query = sa.select(sa.func.count()).select_from(incidents).where(condition)
        return connection.execute(query).scalar_one()


def check(database: Database, acknowledged: set[int], story: str) -> None:
    """Compare what was answered with what is stored."""
    with database.read() as connection:
        stored = connection.execute(sa.select(alerts.c.fingerprint, alerts.c.incident_id)).all()
        rows = connection.execute(sa.select(incidents)).all()
        lines = connection.execute(
            sa.select(incident_log.c.incident_id, incident_log.c.key).order_by(incident_log.c.id)
        ).all()
        queue = "workflow_status" if database.is_sqlite else "dbos.workflow_status"
        finished = connection.execute(sa.text(f"SELECT workflow_uuid, status FROM {queue}")).all()  # noqa: S608  a constant
    print(
        f"{len(acknowledged)} acknowledged, {sum(row.fence > 1 for row in rows)} interrupted and taken again"
    )

    assert acknowledged, story
    by_alert = Counter(row.fingerprint for row in stored)
    assert {f"{number:016x}" for number in acknowledged} <= set(by_alert), story
    assert set(by_alert.values()) == {1}, story
    assert Counter(row.incident_id for row in stored) == Counter(row.id for row in rows), story
    assert {row.status for row in rows} == {"completed"}, story
    assert all("The runbook **Disk filling up** fits" in row.response for row in rows), story
    assert dict(Counter(status for _, status in finished)) == {"SUCCESS": len(rows)}, story
    logs: dict[int, list[str]] = {row.id: [] for row in rows}
    for line in lines:
        logs[line.incident_id].append(line.key)
    # All alerts are alike but for the host, so their logs have the same lines in the same order.
    assert len({tuple(keys) for keys in logs.values()}) == 1, story

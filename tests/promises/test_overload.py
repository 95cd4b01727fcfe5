"""Whoever is told to come again loses nothing: a database that is locked or away, a full queue, a rate limit.

The sender does as Alertmanager does: a 5xx makes it send the same again, after what `Retry-After` says.
"""

from __future__ import annotations

import functools
import io
import logging
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
import structlog

from akmatori_server.alerts import ingest, intake
from akmatori_server.alerts.tables import alerts
from akmatori_server.database import connection as database_connection
from akmatori_server.engine import MemoryEngine
from akmatori_server.engine.port import Handler
from akmatori_server.incidents.tables import incidents
from akmatori_server.logs import configure_logs
from tests.promises.load import Problem
from tests.support.databases import KINDS, copied_database
from tests.support.site import Site, logged_in, running_site

# In place of the half minute that a writer waits for SQLite's lock, and the minute that a sender waits.
PATIENCE_SECONDS = 1
WAITING = 4
SENDERS = range(14)
SEED = 1


class IdleEngine(MemoryEngine):
    """Queues incidents and investigates none: this engine's threads end when their database fails them."""

    def run(self, handler: Handler, concurrency: int, *, per_group: int | None = None) -> None:
        """Start nothing."""
        del handler, concurrency, per_group


@pytest.fixture
def logs() -> Generator[io.StringIO]:
    """The logs as the server writes them; what tests have without it draws each trace for seconds."""
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = list(root.handlers), root.level
    configure_logs(stream=stream)
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture(params=KINDS)
def site(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: io.StringIO
) -> Generator[Site]:
    """A server that waits for its database for a moment only, and lets few deliveries wait."""
    del logs
    monkeypatch.setattr(database_connection, "BUSY_TIMEOUT_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(ingest, "LONGEST_WAIT_SECONDS", float(PATIENCE_SECONDS))
    few = functools.partial(intake.Limits, waiting_deliveries=WAITING, batch_deliveries=1)
    monkeypatch.setattr(intake, "Limits", few)
    with (
        copied_database(request.param, tmp_path, request) as url,
        running_site(url, tmp_path, engine=IdleEngine()) as running,
    ):
        yield running


@pytest.fixture
def admin(site: Site) -> Generator[httpx.Client]:
    """The administrator."""
    yield from logged_in(site)


@pytest.fixture
def sender(site: Site) -> Generator[httpx.Client]:
    """Whoever sends alerts, as often at once as it takes."""
    with site.client() as client:
        yield client


@pytest.fixture
def webhook(admin: httpx.Client) -> str:
    """The path of the webhook of a source that never storms."""
    return new_webhook(admin, {"storm_threshold": 1_000_000})


def test_a_locked_database_puts_senders_off(
    site: Site, admin: httpx.Client, sender: httpx.Client, webhook: str
) -> None:
    """Some wait for a moment, the rest is told at once; when the lock is gone all of it is stored, once."""
    assert send(sender, webhook, 0).status_code == 200
    with locked(site):
        answers = send_all(sender, webhook, SENDERS)
        # What is known can be read all the while.
        (known,) = admin.get("/api/alerts").raise_for_status().json()["data"]
        assert known["fingerprint"] == Problem.numbered(0, SEED).fingerprint("a")

    assert {answer.status_code for answer in answers} == {503}
    assert {answer.headers["Retry-After"] for answer in answers} == {"5"}
    assert {answer.json()["code"] for answer in answers} == {"unavailable", "overloaded"}
    assert {answer.status_code for answer in send_all(sender, webhook, SENDERS, until_taken=True)} == {200}
    assert_stored_once(site, SENDERS)


@pytest.mark.parametrize("site", ["postgresql"], indirect=True)
def test_a_database_that_is_away_puts_senders_off(site: Site, sender: httpx.Client, webhook: str) -> None:
    """The server does not fall with it, and goes on when it is back."""
    assert send(sender, webhook, 0).status_code == 200
    with away(site):
        first = send(sender, webhook, 1)
        time.sleep(2.1)  # until the source is no longer at hand
        second = send(sender, webhook, 1)

    assert [answer.status_code for answer in (first, second)] == [503, 503]
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in (first, second))
    assert {answer.status_code for answer in send_all(sender, webhook, range(2), until_taken=True)} == {200}
    assert_stored_once(site, range(2))


@pytest.mark.parametrize("site", ["sqlite"], indirect=True)
def test_a_rate_limit_loses_nothing(site: Site, admin: httpx.Client, sender: httpx.Client) -> None:
    """Those above it are told when to come again, and then they are taken."""
    limited = new_webhook(admin, {"storm_threshold": 1_000_000, "rate_limit_per_minute": 60})
    answers = [send(sender, limited, number) for number in SENDERS]

    refused = [answer for answer in answers if answer.status_code != 200]
    assert refused
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(503, "rate_limited")}
    again = [number for number, answer in zip(SENDERS, answers, strict=True) if answer in refused]
    assert {answer.status_code for answer in send_all(sender, limited, again, until_taken=True)} == {200}
    assert_stored_once(site, SENDERS)


def new_webhook(admin: httpx.Client, settings: dict[str, int]) -> str:
    """Make an alert source and return the path of its webhook."""
    source = {"source_type_name": "alertmanager", "name": "prod", "settings": settings}
    return f"/webhook/alert/{admin.post('/api/alert-sources', json=source).raise_for_status().json()['uuid']}"


def send(sender: httpx.Client, webhook: str, number: int, *, until_taken: bool = False) -> httpx.Response:
    """Deliver the first alert of a problem; when told to come again, wait as long as it says, and do."""
    give_up = time.monotonic() + 60
    while True:
        answer = sender.post(webhook, content=Problem.numbered(number, SEED).body(0))
        if answer.status_code != 503 or not until_taken or time.monotonic() > give_up:
            return answer
        time.sleep(min(1, int(answer.headers["Retry-After"])))


def send_all(
    sender: httpx.Client, webhook: str, numbers: Sequence[int], *, until_taken: bool = False
) -> list[httpx.Response]:
    """Deliver all at once."""
    one = functools.partial(send, sender, webhook, until_taken=until_taken)
    with ThreadPoolExecutor(len(numbers)) as pool:
        return list(pool.map(one, numbers))


@contextmanager
def locked(site: Site) -> Generator[None]:
    """Keep everybody else from writing alerts; they may read."""
    database = site.installation.database
    if database.is_sqlite:
        with sa.create_engine(database.engine.url).connect() as holder:
            holder.exec_driver_sql("BEGIN IMMEDIATE")
            yield
            holder.rollback()
        return
    with database.engine.begin() as holder:
        holder.exec_driver_sql("LOCK TABLE alerts IN EXCLUSIVE MODE")
        yield


@contextmanager
def away(site: Site) -> Generator[None]:
    """Close all connections of the database, and let nobody connect."""
    url = site.installation.database.engine.url
    outside = sa.create_engine(
        url.set(database="postgres"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    with outside.connect() as connection:
        connection.exec_driver_sql(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false")
        terminate = sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
        connection.execute(terminate, {"name": url.database})
        try:
            yield
        finally:
            connection.exec_driver_sql(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true")
    outside.dispose()


def assert_stored_once(site: Site, numbers: Sequence[int]) -> None:
    """Each alert is there once, and has one incident of its own."""
    with site.installation.database.read() as connection:
        rows = connection.execute(sa.select(alerts.c.fingerprint, alerts.c.incident_id)).all()
        known = set(connection.execute(sa.select(incidents.c.id)).scalars())
    assert sorted(row.fingerprint for row in rows) == [
        Problem.numbered(number, SEED).fingerprint("a") for number in numbers
    ]
    assert {row.incident_id for row in rows} == known
    assert len(known) == len(rows)

"""Calling investigations off and asking for them once more, on both databases."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from akmatori_sdk._core.model import UNSET
from akmatori_sdk._generated.akmatori import models
from akmatori_server.audit.models import Entry
from akmatori_server.engine import DBOSEngine, Engine
from akmatori_server.errors import ApiError, Conflict, NotFound
from akmatori_server.events.tables import events
from akmatori_server.incidents.control import CANCELLED, InvestigationControl
from akmatori_server.incidents.handlers import IncidentHandlers
from akmatori_server.incidents.service import IncidentService
from akmatori_server.incidents.tables import incidents
from akmatori_server.investigation import Case, Fenced, Journal, Report, Runner
from akmatori_server.pagination import PageRequest
from tests.server.incidents.domain import Domain, call

SECONDS = 15.0


class Scripted:
    """An investigator that does what a test says."""

    def __init__(self) -> None:
        self.runs: list[int] = []
        self.begun = threading.Event()
        self.ended = threading.Event()
        self.hold = False

    def investigate(self, case: Case, journal: Journal) -> Report:
        """Write two lines, with a wait between them when a test holds."""
        self.runs.append(journal.run)
        journal.note("one", f"the first line of {journal.run}")
        self.begun.set()
        try:
            while self.hold:
                time.sleep(0.01)
                journal.check()
        finally:
            self.ended.set()
        journal.note("two", f"the second line of {journal.run}")
        return Report(headline=f"Report {journal.run}.", sections=(), tokens_used=5)


class Investigated:
    """The handlers over an engine that works, and what they lead to."""

    def __init__(self, domain: Domain, engine: Engine) -> None:
        self.domain = domain
        self.investigator = Scripted()
        self.engine = engine
        service = IncidentService(
            domain.database, queue=engine, data_directory=domain.data_directory, now=domain.clock
        )
        control = InvestigationControl(domain.database, queue=engine, events=domain.events, now=domain.clock)
        self.handlers = IncidentHandlers(service, control, domain.trail, domain.events)

    def begin(self) -> None:
        """Let the engine work."""
        runner = Runner(self.domain.database, self.investigator, now=self.domain.clock)
        self.engine.run(runner.run, 2)

    def create(self) -> str:
        """Open an incident."""
        body = models.CreateIncidentRequest(task="Check disk on db-1")
        return self.handlers.create_incident(call(), idempotency_key=UNSET, body=body).uuid

    def get(self, uuid: str) -> models.Incident:
        """Read it."""
        return self.handlers.get_incident(call(), uuid=uuid).body

    def cancel(self, uuid: str) -> models.Incident:
        """Call it off."""
        return self.handlers.cancel_incident(call(), uuid=uuid).body

    def retry(self, uuid: str) -> models.Incident:
        """Ask for it once more."""
        return self.handlers.retry_incident(call(), uuid=uuid).body

    def wait(self, uuid: str, status: str) -> models.Incident:
        """Wait until it has this status."""
        wait_for(lambda: self.get(uuid).status == status)
        return self.get(uuid)

    def told(self, uuid: str) -> list[tuple[str, str]]:
        """Return the kinds and the statuses of its events."""
        query = sa.select(events.c.kind, events.c.data).where(events.c.incident_uuid == uuid)
        with self.domain.database.read() as connection:
            return [(row.kind, row.data["status"]) for row in connection.execute(query.order_by(events.c.id))]

    def audited(self) -> list[Entry]:
        """Return the audit trail, the oldest first."""
        return self.domain.trail.page(PageRequest()).items[::-1]


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is so, or fail."""
    give_up = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < give_up, "it did not become so in time"
        time.sleep(0.02)


def at_once(do: Callable[[], object]) -> list[str]:
    """Do the same in two threads together; return how each ended."""
    together = threading.Barrier(2)

    def one() -> str:
        together.wait(SECONDS)
        try:
            do()
        except ApiError as refusal:
            return refusal.code
        return "done"

    with ThreadPoolExecutor(2) as threads:
        return sorted(future.result(SECONDS) for future in [threads.submit(one) for _ in range(2)])


@pytest.fixture
def site(domain: Domain) -> Iterator[Investigated]:
    """Over the durable engine."""
    engine = DBOSEngine(domain.database)
    engine.prepare()
    made = Investigated(domain, engine)
    yield made
    made.investigator.hold = False
    engine.stop()


@pytest.fixture
def queued(domain: Domain) -> Investigated:
    """Over the engine in memory, which does nothing by itself."""
    return Investigated(domain, domain.queue)


def drain(site: Investigated) -> None:
    """Do what is queued, here and now."""
    runner = Runner(site.domain.database, site.investigator, now=site.domain.clock)
    site.domain.queue.drain(runner.run)


def test_cancel_stops_what_runs_and_retry_does_it_again_once(site: Investigated) -> None:
    """Through the durable engine: the work ends at its next step, and the second run is a whole one."""
    site.begin()
    site.investigator.hold = True
    uuid = site.create()
    assert site.investigator.begun.wait(SECONDS)

    cancelled = site.cancel(uuid)

    assert (cancelled.status, cancelled.response) == ("failed", CANCELLED)
    assert cancelled.full_log.endswith(f"--- Final Response ---\n\n{CANCELLED}")
    assert site.investigator.ended.wait(SECONDS)
    site.investigator.hold = False
    assert (site.get(uuid).status, site.get(uuid).full_log) == ("failed", cancelled.full_log)

    retried = site.retry(uuid)
    done = site.wait(uuid, "completed")

    assert (retried.status, retried.completed_at, retried.response) == ("pending", UNSET, CANCELLED)
    assert site.investigator.runs == [1, 2]
    assert done.response.startswith("Report 2.")
    assert "the second line of 1" not in done.full_log
    assert [kind_and_status for kind_and_status in site.told(uuid) if kind_and_status[1] != "running"] == [
        ("incident.opened", "pending"),
        ("incident.completed", "failed"),
        ("incident.updated", "pending"),
        ("incident.completed", "completed"),
    ]


def test_an_incident_cancelled_while_it_waits_is_never_investigated(site: Investigated) -> None:
    """It was in the queue before anybody worked; the one after it is done."""
    cancelled, other = site.create(), site.create()
    site.cancel(cancelled)

    site.begin()

    assert site.wait(other, "completed").response.startswith("Report 1.")
    assert site.investigator.runs == [1]
    assert site.get(cancelled).status == "failed"
    assert CANCELLED in site.get(cancelled).full_log


def test_a_worker_that_missed_the_cancel_writes_nothing_more(queued: Investigated) -> None:
    """The engine could not be told: the fence alone keeps the close as it is."""
    uuid = queued.create()
    [incident] = queued.domain.rows(sa.select(incidents.c.id))
    journal = Journal.take(queued.domain.database, int(str(incident[0])), now=queued.domain.clock)
    assert journal is not None
    queued.cancel(uuid)
    queued.retry(uuid)

    with pytest.raises(Fenced):
        journal.note("late", "too late")

    assert Journal.take(queued.domain.database, journal.incident_id, now=queued.domain.clock) is None
    drain(queued)
    assert queued.investigator.runs == [2]
    assert "too late" not in queued.get(uuid).full_log


def test_the_runs_of_one_incident_add_up(queued: Investigated) -> None:
    """Log, tokens and time go on; the old report stays until the new one takes its place."""
    uuid = queued.create()
    drain(queued)
    first = queued.get(uuid)
    queued.domain.clock.tick(60)

    retried = queued.retry(uuid)
    drain(queued)
    second = queued.get(uuid)
    queued.retry(uuid)
    drain(queued)

    assert retried.response == first.response
    assert retried.full_log == f"{first.full_log}\n\n--- Run 2 ---\n\n"
    assert second.full_log == (
        f"{retried.full_log}📝 API Incident Task:\nCheck disk on db-1\n\n--- Execution Log ---\n\n"
        f"the first line of 2\nthe second line of 2\n\n--- Final Response ---\n\n{second.response}"
    )
    assert second.response.startswith("Report 2.")
    assert (first.tokens_used, second.tokens_used) == (5, 10)
    assert second.execution_time_ms >= first.execution_time_ms
    assert second.completed_at == queued.domain.clock.now
    assert (second.uuid, second.created_at, second.working_dir) == (
        first.uuid,
        first.created_at,
        first.working_dir,
    )
    assert queued.get(uuid).full_log.count("--- Run 3 ---") == 1
    assert queued.investigator.runs == [1, 2, 3]


def test_a_run_has_as_many_tries_as_the_first(queued: Investigated) -> None:
    """An incident given up because it was interrupted too often can be asked for again."""
    uuid = queued.create()
    with queued.domain.database.write() as connection:
        connection.execute(sa.update(incidents).values(fence=50))
    drain(queued)
    assert queued.get(uuid).status == "failed"

    queued.retry(uuid)
    drain(queued)

    assert queued.get(uuid).status == "completed"


def test_of_two_cancels_at_once_one_closes(queued: Investigated) -> None:
    """The other is told that it is over; the trail and the events have it once."""
    uuid = queued.create()

    assert at_once(lambda: queued.cancel(uuid)) == ["conflict", "done"]

    assert [entry.action for entry in queued.audited()].count("incident:cancelled") == 1
    assert queued.told(uuid).count(("incident.completed", "failed")) == 1
    drain(queued)
    assert queued.investigator.runs == []


def test_of_two_retries_at_once_one_runs(queued: Investigated) -> None:
    """One run more, not two."""
    uuid = queued.create()
    drain(queued)

    assert at_once(lambda: queued.retry(uuid)) == ["conflict", "done"]
    drain(queued)

    assert queued.investigator.runs == [1, 2]
    assert queued.get(uuid).full_log.count("--- Run") == 1


def test_what_is_over_is_not_cancelled_and_what_is_not_is_not_retried(queued: Investigated) -> None:
    """With a sentence each; an unknown one is 404."""
    uuid = queued.create()
    with pytest.raises(Conflict, match="this one is pending"):
        queued.retry(uuid)
    drain(queued)
    with pytest.raises(Conflict, match="over already: the incident is completed"):
        queued.cancel(uuid)
    unknown = "0b1f6c1e-6a0f-4a53-9f0c-0f6f3c1b2a77"
    for do in (queued.cancel, queued.retry):
        with pytest.raises(NotFound, match="No incident has this uuid"):
            do(unknown)

    assert [entry.action for entry in queued.audited()] == ["incident:created"]


def test_who_did_it_is_in_the_trail_without_the_log(queued: Investigated) -> None:
    """Before and after, as the API shows them."""
    uuid = queued.create()
    queued.cancel(uuid)
    queued.retry(uuid)

    _, cancelled, retried = queued.audited()

    assert (cancelled.action, cancelled.target, cancelled.actor) == (
        "incident:cancelled",
        f"incident:{uuid}",
        "admin",
    )
    assert cancelled.before is not None
    assert cancelled.after is not None
    assert (cancelled.before["status"], cancelled.after["status"]) == ("pending", "failed")
    assert "full_log" not in cancelled.before.keys() | cancelled.after.keys()
    assert (retried.action, retried.before, retried.after and retried.after["status"]) == (
        "incident:retried",
        cancelled.after,
        "pending",
    )

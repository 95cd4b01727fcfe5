"""The runner from a stored incident to its report, on real databases, with every way it can end."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from akmatori_server.database import Database
from akmatori_server.engine import MemoryEngine
from akmatori_server.incidents.models import Status
from akmatori_server.incidents.tables import incident_log, incidents
from akmatori_server.investigation import Case, Journal, Report, Runner
from akmatori_server.investigation.rules import RuleInvestigator
from akmatori_server.investigation.runner import MOST_TAKES
from akmatori_server.runbooks.tables import runbooks as runbook_table
from tests.server.investigation.cases import NOW, Text, disk_alert
from tests.server.investigation.test_journal import log_of, new_incident, row_of


def rules(database: Database, texts: list[Text]) -> RuleInvestigator:
    """The rule investigator, with these runbooks in the database to search."""
    rows = [
        {"title": text.title, "content": text.content, "created_at": NOW, "updated_at": NOW} for text in texts
    ]
    with database.write() as connection:
        connection.execute(sa.insert(runbook_table), rows)
    return RuleInvestigator(database, now=lambda: NOW)


def run(runner: Runner, incident_id: int) -> None:
    """Run an investigation to its end."""
    asyncio.run(runner.run(incident_id))


class Scripted:
    """An investigator that does what a test says."""

    def __init__(self, *, failure: BaseException | None = None) -> None:
        self.failure = failure
        self.calls = 0
        self.begun = threading.Event()
        self.released = threading.Event()
        self.released.set()

    def investigate(self, case: Case, journal: Journal) -> Report:
        """Write two lines, with a wait or a failure between them."""
        self.calls += 1
        journal.note("one", "the first line")
        self.begun.set()
        while not self.released.wait(0.01):
            journal.check()
        if self.failure is not None:
            raise self.failure
        journal.note("two", "the second line")
        return Report(headline=f"Seen {case.title}.", sections=(), tokens_used=5)


def test_an_alert_is_investigated_to_its_report(database: Database, runbooks: list[Text]) -> None:
    """The whole of it: status, log and report."""
    incident_id = new_incident(database, source="alertmanager", context=disk_alert())

    run(Runner(database, rules(database, runbooks), now=lambda: NOW), incident_id)

    row = row_of(database, incident_id)
    assert row.status == "completed"
    assert row.completed_at == NOW
    assert "The runbook **Disk filling up** fits" in row.response
    assert "⏱️ Time: " in row.response
    log = log_of(database, incident_id)
    assert log.startswith(
        "Alert Investigation: NodeFilesystemSpaceFillingUp\nHost: db-07.example.net:9100\nService: node\n"
        "Severity: critical\n\n--- Execution Log ---\n\nReading the alert: 8 labels, 2 annotations"
    )
    assert "The runbook “Disk filling up” fits (score 0.6" in log
    assert "Step 1: [Find what grows] See which filesystem it is" in log
    assert "    $ df -h" in log
    assert log.endswith(f"--- Final Response ---\n\n{row.response}")


def test_a_task_is_investigated(database: Database, runbooks: list[Text]) -> None:
    """What the API's caller wrote is what is searched for."""
    incident_id = new_incident(
        database, context={"task": "Certificate of shop.example.net expires?", "team": "web"}
    )

    run(Runner(database, rules(database, runbooks)), incident_id)

    row = row_of(database, incident_id)
    assert log_of(database, incident_id).startswith("📝 API Incident Task:\nCertificate of shop")
    assert "TLS certificate expires soon" in row.response
    assert "| `team` | web |" in row.response


def test_nothing_to_search_for_is_said(database: Database, runbooks: list[Text]) -> None:
    """An empty context is a case too."""
    incident_id = new_incident(database, context=None, title="")

    run(Runner(database, rules(database, runbooks)), incident_id)

    assert row_of(database, incident_id).status == "completed"
    assert "(nothing to search for)" in log_of(database, incident_id)


def test_running_again_changes_nothing(database: Database, runbooks: list[Text]) -> None:
    """The engine may hand out an incident that is closed."""
    incident_id = new_incident(database, context=disk_alert())
    runner = Runner(database, rules(database, runbooks))
    run(runner, incident_id)
    before = (row_of(database, incident_id), log_of(database, incident_id))

    run(runner, incident_id)
    run(runner, 999)

    assert (row_of(database, incident_id), log_of(database, incident_id)) == before


def test_after_a_crash_the_log_goes_on_without_repeating(database: Database) -> None:
    """A database error in the middle goes to the engine, which runs the incident again."""
    incident_id = new_incident(database)
    investigator = Scripted(failure=OperationalError("select 1", {}, Exception("away")))
    runner = Runner(database, investigator)

    with pytest.raises(OperationalError):
        run(runner, incident_id)
    assert row_of(database, incident_id).status == "running"
    investigator.failure = None
    run(runner, incident_id)

    assert row_of(database, incident_id).status == "completed"
    assert row_of(database, incident_id).tokens_used == 5
    with database.read() as connection:
        keys = connection.execute(sa.select(incident_log.c.key).order_by(incident_log.c.id)).scalars().all()
    assert keys == ["header", "one", "two", "final"]


def test_an_unexpected_error_closes_the_incident_with_a_sentence(database: Database) -> None:
    """The sentence names the kind of the error and keeps its message to the log file."""
    incident_id = new_incident(database)

    run(Runner(database, Scripted(failure=KeyError("password=hunter2"))), incident_id)

    row = row_of(database, incident_id)
    assert row.status == "failed"
    assert row.response.startswith(
        "❌ Error: the investigation stopped because of an unexpected error (KeyError)."
    )
    assert "hunter2" not in row.response + log_of(database, incident_id)
    assert row.completed_at is not None


def test_an_incident_that_ends_the_process_each_time_is_given_up(database: Database) -> None:
    """After many takes it is closed without another try."""
    incident_id = new_incident(database, fence=MOST_TAKES)
    investigator = Scripted()

    run(Runner(database, investigator), incident_id)

    assert investigator.calls == 0
    assert row_of(database, incident_id).status == "failed"
    assert f"interrupted {MOST_TAKES} times" in row_of(database, incident_id).response


def test_cancelling_the_handler_stops_at_the_next_step_and_leaves_the_incident(database: Database) -> None:
    """What an ordinary stop of the server does: the next start takes the incident up again."""
    incident_id = new_incident(database)
    investigator = Scripted()
    investigator.released.clear()
    runner = Runner(database, investigator)

    async def cancelled() -> None:
        task = asyncio.create_task(runner.run(incident_id))
        await asyncio.to_thread(investigator.begun.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert row_of(database, incident_id).status == "running"
    investigator.released.set()
    run(runner, incident_id)

    assert row_of(database, incident_id).status == "completed"


def test_from_the_commit_to_the_report_through_an_engine(database: Database, runbooks: list[Text]) -> None:
    """An incident that is rolled back is never investigated; a committed one once."""
    engine = MemoryEngine()
    runner = Runner(database, rules(database, runbooks))
    with contextlib.suppress(ZeroDivisionError), database.write() as connection:
        engine.enqueue(connection, 1)
        raise ZeroDivisionError
    incident_id = new_incident(database, context=disk_alert())
    with database.write() as connection:
        engine.enqueue(connection, incident_id)
        engine.enqueue(connection, incident_id)

    engine.drain(runner.run)

    with database.read() as connection:
        statuses = connection.execute(sa.select(incidents.c.status, incidents.c.fence)).all()
    assert [tuple(status) for status in statuses] == [(Status.COMPLETED.value, 1)]


def test_as_many_work_at_once_as_the_engine_lets_begin(database: Database) -> None:
    """None waits for a thread of a pool that is smaller than the concurrency."""
    together = 24
    barrier = threading.Barrier(together)

    class Waiting:
        def investigate(self, case: Case, journal: Journal) -> Report:
            del case, journal
            barrier.wait(20)
            return Report(headline="done", sections=())

    runner = Runner(database, Waiting(), now=lambda: NOW)
    ids = [new_incident(database, uuid=str(uuid.uuid4())) for _ in range(together)]

    async def main() -> None:
        await asyncio.gather(*(runner.run(incident_id) for incident_id in ids))

    asyncio.run(main())
    assert {row_of(database, incident_id).status for incident_id in ids} == {"completed"}

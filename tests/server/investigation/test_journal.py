"""The journal's promise: each line once, nothing late, all of a close or none of it."""

from __future__ import annotations

import threading
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa

from akmatori_server.database import Database
from akmatori_server.events import EventLog, store
from akmatori_server.incidents.log import LineKind, LogLine, assemble, read_log
from akmatori_server.incidents.models import Status
from akmatori_server.incidents.tables import incidents
from akmatori_server.investigation import Fenced, Journal, Stopped
from tests.server.investigation.cases import NOW


def new_incident(database: Database, **columns: Any) -> int:
    """Store a pending incident and return its id."""
    values: dict[str, Any] = {
        "uuid": "0b1f6c1e-6a0f-4a53-9f0c-0f6f3c1b2a77",
        "source": "api",
        "source_id": "api-1",
        "title": "A title",
        "status": "pending",
        "context": {"task": "Look at db-1"},
        "working_dir": "/nowhere",
        "started_at": NOW,
        "created_at": NOW,
        "updated_at": NOW,
        **columns,
    }
    with database.write() as connection:
        stored: int = connection.execute(
            sa.insert(incidents).values(values).returning(incidents.c.id)
        ).scalar_one()
        return stored


def row_of(database: Database, incident_id: int) -> Any:
    """Return the stored incident."""
    with database.read() as connection:
        return connection.execute(sa.select(incidents).where(incidents.c.id == incident_id)).one()


def log_of(database: Database, incident_id: int) -> str:
    """Return the incident's full log."""
    with database.read() as connection:
        return read_log(connection, incident_id)


def take(database: Database, incident_id: int, stop: threading.Event | None = None) -> Journal:
    """Take an incident that is to be had."""
    journal = Journal.take(database, incident_id, now=lambda: NOW, stop=stop)
    assert journal is not None
    return journal


def test_taking_makes_the_incident_run_and_raises_its_fence(database: Database) -> None:
    """Each take counts."""
    incident_id = new_incident(database)

    assert [take(database, incident_id).fence for _ in range(3)] == [1, 2, 3]

    row = row_of(database, incident_id)
    assert (row.status, row.fence, row.session_id) == ("running", 3, row.uuid)


def test_whoever_was_overtaken_can_write_nothing(database: Database) -> None:
    """A worker thought dead wakes up: no line, no close."""
    incident_id = new_incident(database)
    late, current = take(database, incident_id), take(database, incident_id)

    with pytest.raises(Fenced):
        late.note("late", "too late")
    with pytest.raises(Fenced):
        late.close(Status.FAILED, "too late")
    current.close(Status.COMPLETED, "in time")

    row = row_of(database, incident_id)
    assert (row.status, row.response) == ("completed", "in time")
    assert "too late" not in log_of(database, incident_id)


def test_a_line_is_written_once_and_its_first_text_stays(database: Database) -> None:
    """The work begins again after a crash; its lines do not."""
    incident_id = new_incident(database)
    for attempt in ("first", "second"):
        journal = take(database, incident_id)
        journal.header(f"{attempt} header")
        journal.write(
            LogLine("a", LineKind.NOTE, f"{attempt} a"), LogLine("b", LineKind.FINDING, f"{attempt} b")
        )

    assert log_of(database, incident_id) == "first header\n\n--- Execution Log ---\n\nfirst a\n🔎 first b"


def test_a_closed_incident_is_not_taken_again(database: Database) -> None:
    """Nor is one that is gone, and who closed it cannot write on."""
    incident_id = new_incident(database)
    journal = take(database, incident_id)
    journal.close(Status.COMPLETED, "done")

    assert Journal.take(database, incident_id, now=lambda: NOW) is None
    assert Journal.take(database, 999, now=lambda: NOW) is None
    with pytest.raises(Fenced):
        journal.note("after", "after the end")


def test_closing_writes_everything_together(database: Database) -> None:
    """Status, answer, times, tokens and the end of the log; text no database takes is made storable."""
    incident_id = new_incident(database, execution_time_ms=5000)
    journal = take(database, incident_id)
    journal.header("Header")
    journal.note("n", "a NUL \x00 in it")
    journal.close(Status.COMPLETED, "The \x00 answer", tokens_used=12)

    row = row_of(database, incident_id)
    assert (row.status, row.response, row.tokens_used) == ("completed", "The \ufffd answer", 12)
    assert row.completed_at == NOW
    assert row.execution_time_ms >= 5000
    assert log_of(database, incident_id).endswith("--- Final Response ---\n\nThe \ufffd answer")


def test_a_stopped_worker_writes_nothing_more(database: Database) -> None:
    """The incident stays as it is, for whoever takes it next."""
    incident_id = new_incident(database)
    stop = threading.Event()
    journal = take(database, incident_id, stop)
    stop.set()

    with pytest.raises(Stopped):
        journal.check()
    with pytest.raises(Stopped):
        journal.note("n", "late")
    with pytest.raises(Stopped):
        journal.close(Status.FAILED, "late")

    assert row_of(database, incident_id).status == "running"


def test_neither_exception_can_be_swallowed_by_a_tool() -> None:
    """A wrapper that catches every Exception lets them pass."""
    assert not issubclass(Fenced, Exception)
    assert not issubclass(Stopped, Exception)


def test_the_log_only_grows_at_its_end(database: Database) -> None:
    """A reader that shows what is new never has to go back."""
    incident_id = new_incident(database)
    journal = take(database, incident_id)
    texts = [log_of(database, incident_id)]
    journal.header("Header")
    texts.append(log_of(database, incident_id))
    for number in range(3):
        journal.note(f"n{number}", f"line {number}\nof two")
        texts.append(log_of(database, incident_id))
    journal.close(Status.COMPLETED, "Answer")
    texts.append(log_of(database, incident_id))

    assert texts[0] == ""
    assert all(after.startswith(before) and after != before for before, after in pairwise(texts))


def test_a_kind_of_a_newer_version_is_shown_plainly() -> None:
    """Reading is lenient."""
    assert assemble([("header", "H"), ("novelty", "n"), ("final", "F")]) == (
        "H\n\n--- Execution Log ---\n\nn\n\n--- Final Response ---\n\nF"
    )


def test_a_very_long_key_is_cut(database: Database) -> None:
    """The column has a limit, and PostgreSQL keeps it."""
    incident_id = new_incident(database)
    take(database, incident_id).note("k" * 500, "text")

    assert "text" in log_of(database, incident_id)


def test_times_pass_between_writes(database: Database) -> None:
    """The row tells when it was last worked on."""
    incident_id = new_incident(database)
    journal = Journal.take(database, incident_id, now=lambda: NOW + timedelta(minutes=1))
    assert journal is not None
    journal.note("n", "text")

    assert row_of(database, incident_id).updated_at == NOW + timedelta(minutes=1)


def test_those_who_watch_are_told_of_every_step(database: Database) -> None:
    """In the transaction of the step, and woken after it; a worker that is fenced off tells nothing."""
    woken: list[int] = []
    log = EventLog()
    log.listen(lambda: woken.append(len(told(database))))
    incident_id = new_incident(database)

    old = Journal.take(database, incident_id, now=lambda: NOW, events=log)
    journal = Journal.take(database, incident_id, now=lambda: NOW, events=log)
    assert old is not None
    assert journal is not None
    journal.note("step", "Looking.")
    with pytest.raises(Fenced):
        old.note("step", "Looking, too.")
    journal.close(Status.COMPLETED, "Found.")

    uuid = row_of(database, incident_id).uuid
    assert told(database) == [
        ("incident.updated", uuid, "running"),
        ("incident.updated", uuid, "running"),
        ("incident.updated", uuid, "running"),
        ("incident.completed", uuid, "completed"),
    ]
    assert woken == [1, 2, 3, 4]


def told(database: Database) -> list[tuple[str, str | None, object]]:
    """Return the events as (kind, incident, status)."""
    with database.read() as connection:
        events = store.after(connection, 0, limit=100)
    return [(event.kind, event.incident_uuid, event.data["status"]) for event in events]

"""Runs investigations: takes the incident, lets the investigator work, closes it. The engine's handler."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import structlog
from sqlalchemy.exc import OperationalError

from akmatori_server.database import Database
from akmatori_server.events import EventLog
from akmatori_server.incidents.models import Status
from akmatori_server.investigation.case import Case, read_case
from akmatori_server.investigation.clock import utc_now
from akmatori_server.investigation.facts import read_facts
from akmatori_server.investigation.journal import Fenced, Journal, Stopped
from akmatori_server.investigation.ports import Investigator
from akmatori_server.investigation.report import render

# An investigation that takes the process down with it would do so at every restart. Innocent ones beside it
# are interrupted too, so the limit is generous.
MOST_TAKES = 50
# How many one process may be told to work on: the upper bound of AKMATORI_CONCURRENCY.
MOST_AT_ONCE = 100

TAKEN_TOO_OFTEN = (
    f"❌ Error: the investigation was interrupted {MOST_TAKES} times, most likely because it ends the "
    "server's process each time. It is not tried again; the server's log says what happened."
)

log = structlog.get_logger(__name__)


class Runner:
    """Works on incidents, one call of `run` each."""

    def __init__(
        self,
        database: Database,
        investigator: Investigator,
        *,
        now: Callable[[], datetime] = utc_now,
        events: EventLog | None = None,
    ) -> None:
        self._database = database
        self._investigator = investigator
        self._now = now
        self._events = events or EventLog()
        # The loop's own pool has a handful of threads; an investigation would wait in it without a word. Here
        # there is one for each that the engine lets begin, made when it is needed.
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="investigation")

    async def run(self, incident_id: int, run: int = 1) -> None:
        """Investigate an incident to the end of this run. Nothing happens when the run is over.

        When cancelled, the work stops at its next step; the incident stays as it is, for whoever takes it
        next.
        """
        stop = threading.Event()
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._work, incident_id, run, stop)
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            stop.set()
            # The thread may be inside a transaction; when we return, it is not.
            await asyncio.wait({work})
            raise

    def _work(self, incident_id: int, run: int, stop: threading.Event) -> None:
        events = log.bind(incident_id=incident_id, run=run)
        journal = Journal.take(
            self._database, incident_id, run, now=self._now, stop=stop, events=self._events
        )
        if journal is None:
            events.info("investigation_not_needed")
            return
        try:
            self._investigate(journal)
        except Fenced:
            events.warning("investigation_taken_over", fence=journal.fence)
        except Stopped:
            events.info("investigation_interrupted")

    def _investigate(self, journal: Journal) -> None:
        if journal.takes > MOST_TAKES:
            journal.close(Status.FAILED, TAKEN_TOO_OFTEN)
            return
        try:
            with self._database.read() as connection:
                case = read_case(connection, journal.incident_id)
            journal.header(header(case))
            report = self._investigator.investigate(case, journal)
            response = render(report, elapsed_ms=journal.elapsed_ms)
            unbooked = report.tokens_used - report.tokens_booked
            journal.close(Status.COMPLETED, response, tokens_used=unbooked)
        except OperationalError:
            # The database is away or busy: the engine tries the whole incident again.
            raise
        except Exception as failure:
            log.exception("investigation_failed", incident_id=journal.incident_id)
            journal.close(Status.FAILED, _failed(failure))


def header(case: Case) -> str:
    """Return how the log of a case begins."""
    facts = read_facts(case)
    if not facts.is_alert:
        return f"📝 API Incident Task:\n{facts.task or case.title}"
    lines = [f"Alert Investigation: {facts.name}"]
    lines += [
        f"{name}: {value}"
        for name, value in (("Host", facts.host), ("Service", facts.service), ("Severity", facts.severity))
        if value
    ]
    return "\n".join(lines)


def _failed(failure: Exception) -> str:
    # The message of an unexpected error may quote data or secrets; its kind does not.
    return (
        f"❌ Error: the investigation stopped because of an unexpected error ({type(failure).__name__}). "
        "Nothing was changed on any system. The server's log has the details under this incident's number."
    )

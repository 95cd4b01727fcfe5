"""A burst of one source leaves places to the others: from the incident's row to the engine's places."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import sqlalchemy as sa

from akmatori_server.database import Database
from akmatori_server.engine import DBOSEngine
from akmatori_server.incidents.control import InvestigationControl
from akmatori_server.incidents.models import Incident, NewIncident
from akmatori_server.incidents.service import IncidentService
from akmatori_server.incidents.tables import incidents
from akmatori_server.investigation import Case, Journal, Report, Runner
from tests.server.engine.test_dbos_engine import wait_for
from tests.server.incidents.domain import make_domain


class Held:
    """An investigator that waits until the test lets go."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.released = threading.Event()

    def investigate(self, case: Case, journal: Journal) -> Report:
        """Wait."""
        self.begun.append(case.incident_id)
        while not self.released.wait(0.01):
            journal.check()
        return Report(headline="Seen.", sections=())


def unrecorded(_connection: sa.Connection, _before: Incident, _after: Incident) -> None:
    """Write nothing down."""


def new(source: str, alert_source_id: int | None = None) -> NewIncident:
    """Describe an incident."""
    return NewIncident(
        source=source, source_id="s", title="t", context={"task": "x"}, alert_source_id=alert_source_id
    )


def test_a_burst_waits_as_pending_and_others_go_before_it(database: Database, tmp_path: Path) -> None:
    """Two sources of one kind are two; what waits can be cancelled; a retry is of its source, too."""
    domain, investigator = make_domain(database, tmp_path / "data"), Held()
    engine = DBOSEngine(database, polling_seconds=0.05)
    engine.prepare()
    service = IncidentService(database, queue=engine, data_directory=tmp_path / "data", now=domain.clock)
    control = InvestigationControl(database, queue=engine, events=domain.events, now=domain.clock)

    def status(incident_id: int) -> str:
        with database.read() as connection:
            query = sa.select(incidents.c.status).where(incidents.c.id == incident_id)
            return str(connection.execute(query).scalar_one())

    with service.opening() as opening:
        burst = opening.open_all([new("alertmanager", 1)] * 6)
    engine.run(Runner(database, investigator, now=domain.clock).run, 4, per_group=2)
    try:
        wait_for(lambda: len(investigator.begun) == 2)
        with service.opening() as opening:
            [other, api] = opening.open_all([new("alertmanager", 2), new("api")])
        wait_for(lambda: {other.id, api.id} <= set(investigator.begun))
        time.sleep(0.2)  # some polls of the queue
        waiting = [one for one in burst if one.id not in investigator.begun]
        assert [status(one.id) for one in waiting] == ["pending"] * 4

        control.cancel(waiting[0].uuid, unrecorded)
        control.cancel(waiting[1].uuid, unrecorded)
        control.retry(waiting[1].uuid, unrecorded)
        time.sleep(0.2)
        assert len(investigator.begun) == 4
        investigator.released.set()

        wait_for(lambda: all(status(one.id) == "completed" for one in [*waiting[1:], other, api]))
        assert status(waiting[0].id) == "failed"
        assert len(investigator.begun) == 7
    finally:
        investigator.released.set()
        engine.stop()

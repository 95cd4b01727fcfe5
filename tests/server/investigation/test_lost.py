"""No incident stays open without somebody who works on it, or will."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import attrs
import pytest
import sqlalchemy as sa

from akmatori_server.database import Database
from akmatori_server.engine import DBOSEngine
from akmatori_server.incidents.groups import group_of, places_of_group
from akmatori_server.incidents.models import NewIncident, Status
from akmatori_server.incidents.service import IncidentService
from akmatori_server.incidents.tables import incidents
from akmatori_server.investigation import Journal, Runner
from akmatori_server.investigation.lost import GRACE, LostInvestigations
from tests.server.engine.test_dbos_engine import wait_for
from tests.server.incidents.domain import Domain, make_domain
from tests.server.investigation.test_journal import log_of, row_of
from tests.server.investigation.test_runner import Scripted


@attrs.frozen
class Site:
    """A worker with its engine, and the check."""

    domain: Domain
    engine: DBOSEngine
    check: LostInvestigations
    investigator: Scripted

    def open(self, number: int = 1) -> list[int]:
        """Open incidents as the API does."""
        service = IncidentService(
            self.domain.database,
            queue=self.engine,
            data_directory=self.domain.data_directory,
            now=self.domain.clock,
        )
        new = NewIncident(source="api", source_id="s", title="t", context={"task": "x"})
        with service.opening() as opening:
            return [one.id for one in opening.open_all([new] * number)]

    def status(self, incident_id: int) -> str:
        """Return where an incident stands."""
        return str(row_of(self.domain.database, incident_id).status)

    def entry(self, incident_id: int, status: str | None) -> None:
        """Change an entry of the queue behind the engine's back; None deletes it."""
        schema = None if self.domain.database.is_sqlite else "dbos"
        entries = sa.table("workflow_status", sa.column("workflow_uuid"), sa.column("status"), schema=schema)
        change = sa.delete(entries) if status is None else sa.update(entries).values(status=status)
        with self.domain.database.write() as connection:
            connection.execute(change.where(entries.c.workflow_uuid == f"incident-{incident_id}"))


@pytest.fixture
def site(database: Database, tmp_path: Path) -> Iterator[Site]:
    """An engine that does not work yet."""
    domain = make_domain(database, tmp_path / "data")
    engine = DBOSEngine(domain.database, polling_seconds=0.05)
    engine.prepare()
    check = LostInvestigations(domain.database, engine, now=domain.clock)
    yield Site(domain, engine, check, Scripted())
    engine.stop()


def work(site: Site) -> None:
    """Let the worker begin."""
    runner = Runner(site.domain.database, site.investigator, now=site.domain.clock)
    site.engine.run(runner.run, 4)


def test_lost_entries_are_queued_again_and_others_left_alone(site: Site) -> None:
    """Deleted, ended in an error, or over while the incident is not: all come to their end."""
    deleted, failed, half, waiting, over = site.open(5)
    journal = Journal.take(site.domain.database, half, now=site.domain.clock)
    assert journal is not None
    journal.note("one", "the first line")
    site.entry(deleted, None)
    site.entry(failed, "ERROR")
    site.entry(half, "SUCCESS")
    site.entry(over, "SUCCESS")
    with site.domain.database.write() as connection:
        done = sa.update(incidents).where(incidents.c.id == over).values(status=Status.COMPLETED.value)
        connection.execute(done)
    lost = [(deleted, 1), (failed, 1), (half, 1)]
    entries = [(number, 1) for number in (deleted, failed, half, waiting)]
    assert site.engine.lost(entries) == lost

    site.check.run()  # somebody may be on the way
    assert site.engine.lost(entries) == lost
    site.domain.clock.tick(GRACE.total_seconds())
    site.check.run()
    assert site.engine.lost(entries) == []
    assert site.engine.lost([(over, 1)]) == [(over, 1)]
    work(site)

    wait_for(lambda: all(site.status(number) == "completed" for number in (deleted, failed, half, waiting)))
    assert site.investigator.calls == 4
    assert log_of(site.domain.database, half).count("the first line") == 1
    site.domain.clock.tick(GRACE.total_seconds())
    site.check.run()
    assert site.engine.lost([(number, 1) for number in (deleted, failed, half, waiting)]) != []


def test_a_second_run_is_found_too_and_a_working_one_is_not_disturbed(site: Site) -> None:
    """The run counts, not the incident; what is slow but worked on goes on."""
    (slow, again) = site.open(2)
    site.entry(again, None)
    with site.domain.database.write() as connection:
        connection.execute(sa.update(incidents).where(incidents.c.id == again).values(run=2))
    site.investigator.released.clear()
    work(site)
    assert site.investigator.begun.wait(15)
    site.domain.clock.tick(timedelta(hours=1).total_seconds())

    site.check.run()
    site.investigator.released.set()

    wait_for(lambda: site.status(again) == site.status(slow) == "completed")
    assert row_of(site.domain.database, slow).fence == 1
    assert site.investigator.calls == 2


def test_places_and_groups() -> None:
    """Three quarters, at least one, never more than there are."""
    assert [places_of_group(places) for places in (1, 2, 4, 10)] == [1, 1, 3, 7]
    assert [places_of_group(4, wanted) for wanted in (1, 4, 9)] == [1, 4, 4]
    assert (group_of("api", None), group_of("alertmanager", 7)) == ("api", "alert-source-7")

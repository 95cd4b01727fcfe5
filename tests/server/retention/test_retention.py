"""The cleanup: what it deletes, what it leaves alone and what it reports, on both databases and a real disk."""

from __future__ import annotations

import os
import uuid
from datetime import datetime, timedelta
from pathlib import Path

import attrs
import pytest
import sqlalchemy as sa

from akmatori_server.alert_sources.models import NewAlertSource
from akmatori_server.alerts.tables import alerts
from akmatori_server.audit import AuditTrail
from akmatori_server.audit.models import Filter
from akmatori_server.engine import Engine
from akmatori_server.incidents.tables import incident_log, incidents
from akmatori_server.pagination import PageRequest
from akmatori_server.retention import RetentionJob, RetentionReport
from akmatori_server.retention.tables import retention_runs
from akmatori_server.settings.service import SettingsService
from akmatori_server.silences.tables import silences
from tests.server.incidents.domain import Domain, domain

__all__ = ["domain"]

BATCH = 3


@attrs.frozen
class Archive:
    """Incidents of every age, and the job that cleans them up."""

    domain: Domain
    settings: SettingsService
    trail: AuditTrail
    job: RetentionJob

    @property
    def root(self) -> Path:
        """Where the directories of incidents are."""
        return self.domain.data_directory / "incidents"

    def add(
        self,
        *,
        status: str = "completed",
        days: float | None = 91,
        directory: Path | None = None,
        alert: str = "resolved",
    ) -> str:
        """Store an incident that finished so many days ago, with two log lines, an alert and files."""
        now, name = self.domain.clock.now, str(uuid.uuid4())
        place = self.root / name if directory is None else directory
        completed = None if days is None else now - timedelta(days=days)
        stamps = {"started_at": now, "created_at": now, "updated_at": now, "completed_at": completed}
        texts = {"source": "api", "source_id": "x", "title": "t", "status": status}
        with self.domain.database.write() as connection:
            insert = sa.insert(incidents).values(uuid=name, working_dir=str(place), **texts, **stamps)
            incident_id = connection.execute(insert.returning(incidents.c.id)).scalar_one()
            for key in ("a", "b"):
                line = {"key": key, "kind": "note", "text": "x", "created_at": now}
                connection.execute(sa.insert(incident_log).values(incident_id=incident_id, **line))
            told = {"fingerprint": name, "status": alert, "alert_name": "n", "severity": "high"}
            seen = {"payload": {}, "first_seen_at": now, "last_seen_at": now}
            connection.execute(sa.insert(alerts).values(uuid=name, incident_id=incident_id, **told, **seen))
        if directory is None:
            self.directory(name)
        return name

    def directory(self, name: str, *, hours: float = 2) -> Path:
        """Make a directory with files that nobody has touched for so many hours."""
        place = self.root / name
        (place / "tool_outputs").mkdir(parents=True)
        (place / "tool_outputs" / "1.txt").write_text("output")
        moment = (self.domain.clock.now - timedelta(hours=hours)).timestamp()
        os.utime(place, (moment, moment))
        return place

    def change(
        self, *, enabled: bool | None = None, days: int | None = None, hours: int | None = None
    ) -> None:
        """Change the retention settings."""
        with self.settings.writing() as write:
            changed = write.retention().changed(
                enabled=enabled, retention_days=days, cleanup_interval_hours=hours
            )
            write.put_retention(changed)

    def left(self) -> set[str]:
        """The incidents that are still stored."""
        return {str(row[0]) for row in self.domain.rows(sa.select(incidents.c.uuid))}

    def on_disk(self) -> set[str]:
        """The names in the incidents' directory."""
        return {path.name for path in self.root.iterdir()}

    def run(self) -> RetentionReport:
        """Clean up now."""
        return self.job.run(self.domain.clock.now)


@pytest.fixture
def archive(domain: Domain) -> Archive:
    """No incidents yet; batches are small, so that a few incidents need several."""
    settings = SettingsService(domain.database, domain.secrets, now=domain.clock)
    settings.seed()
    trail = AuditTrail(domain.database, now=domain.clock)
    job = RetentionJob(
        domain.database,
        settings,
        trail,
        data_directory=domain.data_directory,
        now=domain.clock,
        batch=BATCH,
    )
    return Archive(domain, settings, trail, job)


@pytest.mark.parametrize("status", ["completed", "failed", "diagnosed"])
def test_an_old_finished_incident_is_gone_with_all_that_is_its_own(archive: Archive, status: str) -> None:
    """Row, log, alerts and files."""
    name = archive.add(status=status)
    report = archive.run()

    assert archive.left() == set()
    assert archive.on_disk() == set()
    assert archive.domain.rows(sa.select(incident_log.c.id)) == []
    assert archive.domain.rows(sa.select(alerts.c.id)) == []
    assert (report.incidents, report.alerts, report.log_lines, report.directories) == (1, 1, 2, 1)
    assert name not in archive.on_disk()


def test_what_is_young_or_not_finished_stays(archive: Archive) -> None:
    """However old a running one is; one that finished at the bound to the second stays too."""
    kept = {
        archive.add(days=89),
        archive.add(days=90),
        archive.add(status="pending", days=None),
        archive.add(status="running", days=None),
        archive.add(status="running", days=500),
        archive.add(status="pending", days=500),
    }
    archive.add(days=90.001)
    report = archive.run()

    assert archive.left() == archive.on_disk() == kept
    assert len(archive.domain.rows(sa.select(incident_log.c.id))) == 2 * len(kept)
    assert report.incidents == 1


def test_an_incident_whose_alert_still_fires_stays(archive: Archive) -> None:
    """Without it, the next repeat of the alert would open another one; one nobody tells of any more is past."""
    firing, silent = archive.add(alert="firing"), archive.add(alert="firing")
    with archive.domain.database.write() as connection:
        old = archive.domain.clock.now - timedelta(days=91)
        connection.execute(sa.update(alerts).where(alerts.c.uuid == silent).values(last_seen_at=old))
    archive.run()

    assert archive.left() == archive.on_disk() == {firing}


def test_the_window_is_the_operators(archive: Archive) -> None:
    """As it is set now."""
    kept, _gone = archive.add(days=6), archive.add(days=8)
    archive.change(days=7)
    archive.run()

    assert archive.left() == {kept}


def test_everything_goes_batch_by_batch(archive: Archive) -> None:
    """Also when the last batch is a full one."""
    for _number in range(2 * BATCH):
        archive.add()
    kept = archive.add(days=1)
    first, second = archive.run(), archive.run()

    assert (first.incidents, first.directories) == (2 * BATCH, 2 * BATCH)
    assert (second.incidents, second.directories, second.orphans) == (0, 0, 0)
    assert archive.left() == archive.on_disk() == {kept}


def test_a_directory_without_an_incident_is_removed_after_an_hour(archive: Archive) -> None:
    """A younger one may be about to get its row; other names are not ours."""
    kept = archive.add(days=1)
    old = [str(uuid.uuid4()) for _number in range(BATCH + 1)]
    for name in old:
        archive.directory(name)
    young = archive.directory(str(uuid.uuid4()), hours=0.9).name
    other = archive.directory("notes", hours=99).name
    file = archive.root / str(uuid.uuid4())
    file.write_text("a file")
    os.utime(file, (0, 0))
    report = archive.run()

    assert report.orphans == len(old)
    assert archive.on_disk() == {kept, young, other, file.name}


def test_links_are_not_followed(archive: Archive, tmp_path: Path) -> None:
    """Neither in place of an incident's directory, nor below it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    (archive.root).mkdir(parents=True)
    link = archive.root / str(uuid.uuid4())
    link.symlink_to(outside)
    archive.add(directory=link)
    inside = archive.add()
    (archive.root / inside / "link").symlink_to(outside)
    orphan = archive.root / str(uuid.uuid4())
    orphan.symlink_to(outside)
    report = archive.run()

    assert (outside / "precious").read_text() == "x"
    assert (report.refused, report.directories, report.orphans) == (1, 1, 0)
    assert archive.left() == set()


@pytest.mark.parametrize("place", ["../precious", "../../elsewhere", ".", "", "a/b"])
def test_nothing_outside_the_directory_is_touched(archive: Archive, place: str) -> None:
    """Whatever the row says; the row goes all the same."""
    directory = archive.root / place
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "file").write_text("x")
    archive.add(directory=directory)
    report = archive.run()

    assert (directory / "file").read_text() == "x"
    assert (report.incidents, report.refused, report.directories) == (1, 1, 0)


def test_a_missing_directory_is_no_failure(archive: Archive) -> None:
    """Somebody was faster."""
    archive.add(directory=archive.root / str(uuid.uuid4()))
    report = archive.run()

    assert (report.incidents, report.directories, report.refused, report.failed) == (1, 0, 0, 0)


def test_a_directory_that_cannot_be_removed_is_reported_and_tried_again(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is gone; the next cleanup finds the directory."""
    name = archive.add()
    with monkeypatch.context() as patch:

        def refuse(_directory: Path) -> None:
            raise PermissionError(13, "Permission denied")

        patch.setattr("akmatori_server.retention.directories.shutil.rmtree", refuse)
        first = archive.run()
    second = archive.run()

    assert (first.incidents, first.directories, first.failed) == (1, 0, 1)
    assert (second.orphans, second.failed) == (1, 0)
    assert name not in archive.on_disk()


def test_switched_off_it_does_nothing(archive: Archive) -> None:
    """Not even to directories without an incident."""
    kept = archive.add()
    orphan = archive.directory(str(uuid.uuid4())).name
    archive.change(enabled=False)
    report = archive.run()
    archive.job.run_if_due()

    assert report.enabled is False
    assert archive.left() == {kept}
    assert archive.on_disk() == {kept, orphan}
    assert archive.domain.rows(sa.select(retention_runs.c.id)) == []


def test_what_it_did_is_in_the_trail(archive: Archive) -> None:
    """By the server itself, with its numbers."""
    archive.add()
    archive.run()
    (entry,) = archive.trail.page(PageRequest(), wanted=Filter(action="retention")).items

    assert (entry.actor, entry.action, entry.target, entry.before) == (
        "system",
        "retention:ran",
        "retention",
        None,
    )
    assert entry.after == {
        "started_at": "2026-05-15T10:00:00Z",
        "cutoff": "2026-02-14T10:00:00Z",
        "incidents": 1,
        "alerts": 1,
        "log_lines": 2,
        "silences": 0,
        "directories": 1,
        "orphans": 0,
        "refused": 0,
        "failed": 0,
    }


def test_what_silences_held_goes_with_the_silences(archive: Archive) -> None:
    """Those long over, and the alerts that ended without an incident; nothing that may still matter."""
    now = archive.domain.clock.now
    long_ago, lately = now - timedelta(days=91), now - timedelta(days=89)

    def silence(name: str, ended: datetime, released: datetime | None) -> None:
        texts = {
            "matchers": [],
            "created_by": "admin",
            "comment": "x",
            "created_at": ended,
            "updated_at": ended,
        }
        times = {"starts_at": ended - timedelta(hours=1), "ends_at": ended, "released_at": released}
        with archive.domain.database.write() as connection:
            connection.execute(sa.insert(silences).values(uuid=name, **texts, **times))

    source = archive.domain.sources.create(NewAlertSource(source_type_name="alertmanager", name="prom")).id

    def held(name: str, status: str, seen: datetime, source_id: int | None = source) -> None:
        texts = {"fingerprint": name, "status": status, "alert_name": "n", "severity": "high", "payload": {}}
        times = {"first_seen_at": seen, "last_seen_at": seen}
        with archive.domain.database.write() as connection:
            connection.execute(
                sa.insert(alerts).values(uuid=name, alert_source_id=source_id, silence_id=1, **texts, **times)
            )

    silence("old", long_ago, long_ago)
    silence("young", lately, lately)
    silence("not released", long_ago, None)
    for number in range(BATCH + 1):
        held(f"old {number}", "resolved", long_ago)
    held("young", "resolved", lately)
    held("firing", "firing", long_ago)
    held("of a source that is gone", "firing", long_ago, None)

    report = archive.run()

    assert (report.silences, report.alerts) == (1, BATCH + 2)
    assert {row[0] for row in archive.domain.rows(sa.select(silences.c.uuid))} == {"young", "not released"}
    assert {row[0] for row in archive.domain.rows(sa.select(alerts.c.uuid))} == {"young", "firing"}


def test_it_runs_at_the_start_and_then_at_its_interval(archive: Archive) -> None:
    """The engine asks every hour; a changed interval counts at once."""
    engine: Engine = archive.domain.queue
    archive.job.declare(engine)
    tick = archive.domain.queue.jobs["retention"]

    def runs_after(hours: float) -> int:
        archive.domain.clock.tick(hours * 3600)
        tick()
        return len(archive.domain.rows(sa.select(retention_runs.c.id)))

    assert runs_after(0) == 1
    assert [runs_after(1) for _hour in range(5)] == [1] * 5
    assert runs_after(0.999) == 2
    archive.change(hours=1)
    assert runs_after(1) == 3


def test_a_run_that_died_does_not_count(archive: Archive) -> None:
    """Once it cannot be at work any more."""
    with archive.domain.database.write() as connection:
        connection.execute(sa.insert(retention_runs).values(started_at=archive.domain.clock.now))
    archive.add()
    archive.domain.clock.tick(1800)
    archive.job.run_if_due()
    assert len(archive.left()) == 1

    archive.domain.clock.tick(1801)
    archive.job.run_if_due()
    assert archive.left() == set()


def test_old_runs_are_forgotten(archive: Archive) -> None:
    """With the incidents of their time."""
    archive.run()
    archive.domain.clock.tick(91 * 86400)
    archive.run()

    assert len(archive.domain.rows(sa.select(retention_runs.c.id))) == 1

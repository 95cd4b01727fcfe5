"""The cleanup: finished incidents beyond the window, with their alerts, logs and files; silences long over.

Rows go first, in batches, each in one transaction; their directories after it. A crash in between leaves
directories without a row, which the next cleanup finds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import structlog

from akmatori_server.audit import Action, AuditTrail
from akmatori_server.database import Database
from akmatori_server.engine.port import Schedule
from akmatori_server.retention import store
from akmatori_server.retention.directories import IncidentDirectories, Removal
from akmatori_server.retention.report import RetentionReport
from akmatori_server.settings.service import SettingsService
from akmatori_server.silences.store import delete_expired_before

_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

NAME = "retention"
# Hours between cleanups cannot be said in cron, and may change: the job looks every hour whether it is due.
EVERY_HOUR = "17 * * * *"
# The clock ticks a little early or late; without this a cleanup would slip by an hour each time.
TOLERANCE = timedelta(minutes=5)
BATCH = 500


class RetentionJob:
    """Deletes what is older than the operator wants to keep."""

    def __init__(
        self,
        database: Database,
        settings: SettingsService,
        trail: AuditTrail,
        *,
        data_directory: Path,
        now: Callable[[], datetime],
        batch: int = BATCH,
    ) -> None:
        self._database = database
        self._settings = settings
        self._trail = trail
        self._directories = IncidentDirectories(data_directory / "incidents")
        self._now = now
        self._batch = batch

    def declare(self, engine: Schedule) -> None:
        """Have the engine look every hour whether a cleanup is due."""
        engine.schedule(NAME, EVERY_HOUR, self.run_if_due)

    def run_if_due(self) -> None:
        """Clean up, if it is switched on and the interval has passed. Also to be called at the start."""
        now = self._now()
        with self._settings.writing() as write:
            # The row is locked: of several servers that look at once, one begins.
            settings = write.retention()
            last = store.last_run(write.connection, now=now)
            if not settings.enabled or (last is not None and now - last < settings.interval - TOLERANCE):
                return
            run_id = store.begin(write.connection, now=now)
        self._run(run_id, now, settings.window)

    def run(self, now: datetime) -> RetentionReport:
        """Clean up now, due or not; nothing is done when it is switched off."""
        settings = self._settings.retention()
        if not settings.enabled:
            return RetentionReport(started_at=now, enabled=False, cutoff=now - settings.window)
        with self._database.write() as connection:
            run_id = store.begin(connection, now=now)
        return self._run(run_id, now, settings.window)

    def _run(self, run_id: int, now: datetime, window: timedelta) -> RetentionReport:
        cutoff = now - window
        # Before the rows: a directory that cannot be removed with its row is not counted twice.
        orphans = self._remove_orphans(now)
        rows, directories = self._delete_finished(cutoff)
        report = RetentionReport(
            started_at=now,
            enabled=True,
            cutoff=cutoff,
            incidents=rows["incidents"],
            alerts=rows["alerts"] + self._delete_silenced(cutoff),
            log_lines=rows["log_lines"],
            silences=self._delete_silences(cutoff),
            directories=directories[Removal.REMOVED],
            orphans=orphans[Removal.REMOVED],
            refused=directories[Removal.REFUSED] + orphans[Removal.REFUSED],
            failed=directories[Removal.FAILED] + orphans[Removal.FAILED],
        )
        self._report(run_id, report)
        return report

    def _delete_finished(self, cutoff: datetime) -> tuple[Counter[str], Counter[Removal]]:
        rows: Counter[str] = Counter()
        removals: Counter[Removal] = Counter()
        while True:
            with self._database.write() as connection:
                found = store.finished_before(connection, cutoff, limit=self._batch)
                deleted = store.delete(connection, [incident.id for incident in found])
            rows.update(incidents=deleted.incidents, alerts=deleted.alerts, log_lines=deleted.log_lines)
            removals += self._remove(incident.directory for incident in found)
            if len(found) < self._batch:
                return rows, removals

    def _delete_silenced(self, cutoff: datetime) -> int:
        """Delete the alerts that never had an incident, because a silence held them to their end."""
        total = 0
        while True:
            with self._database.write() as connection:
                deleted = store.delete_silenced(connection, cutoff, limit=self._batch)
            total += deleted
            if deleted < self._batch:
                return total

    def _delete_silences(self, cutoff: datetime) -> int:
        with self._database.write() as connection:
            return delete_expired_before(connection, cutoff)

    def _remove_orphans(self, now: datetime) -> Counter[Removal]:
        removals: Counter[Removal] = Counter()
        candidates = self._directories.named_by_uuid(now=now)
        while names := list(islice(candidates, self._batch)):
            with self._database.read() as connection:
                known = store.known_uuids(connection, names)
            removals += self._remove(self._directories.at(name) for name in names if name not in known)
        return removals

    def _remove(self, directories: Iterable[Path]) -> Counter[Removal]:
        return Counter(self._directories.remove(directory) for directory in directories)

    def _report(self, run_id: int, report: RetentionReport) -> None:
        with self._database.write() as connection:
            store.finish(connection, run_id, finished_at=self._now(), forget_before=report.cutoff)
            after = {"started_at": report.started_at, "cutoff": report.cutoff, **report.counts()}
            self._trail.record(connection, None, Action.RETENTION_RAN, NAME, None, after)
        _log.info("retention_ran", **report.counts())

"""A process that runs scans of a folder, slowly if it is told; run by the test of kills.

`python -m tests.server.kubernetes.reports.worker DATABASE_URL FOLDER WORKER_ID SECONDS`
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import attrs

from akmatori_server.audit.trail import AuditTrail
from akmatori_server.database import Database
from akmatori_server.engine import DBOSEngine
from akmatori_server.kubernetes.clusters.access import Feature
from akmatori_server.kubernetes.reports.service import ReportOptions, ScanService
from akmatori_server.kubernetes.site import KubernetesSite
from akmatori_server.kubernetes.targets import FolderTarget, Mode, Reading


@attrs.frozen
class Slow:
    """The last of two targets: what the first one has is stored already when it is read."""

    seconds: float
    inner: FolderTarget
    name: str = "slow"
    mode: Mode = Mode.MANIFESTS

    @contextmanager
    def reading(self, feature: Feature) -> Generator[Reading]:
        """Take a while, and read."""
        print("in the middle", flush=True)
        time.sleep(self.seconds)
        with self.inner.reading(feature) as reading:
            yield reading


def now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


def service_of(database: Database, engine: DBOSEngine, folder: Path, seconds: float) -> ScanService:
    """Return the service of scans over a folder and a slow one."""
    quick = FolderTarget("quick", (folder,))
    site = KubernetesSite(
        database=database,
        engine=engine,
        now=now,
        targets=(quick, Slow(seconds, FolderTarget("slow", (folder,)))),
    )
    return ScanService(site, ReportOptions(), AuditTrail(database, now=now))


def main(url: str, folder: str, worker_id: str, seconds: str) -> None:
    """Work until killed."""
    database = Database.open(url)
    engine = DBOSEngine(database, worker_id=worker_id, polling_seconds=0.05, heartbeat_ttl_seconds=0.9)
    service_of(database, engine, Path(folder), float(seconds)).declare(engine)

    async def no_incident(_incident_id: int, _run: int) -> None:
        """Handle no incident."""

    engine.run(no_incident, 1)
    print("working", flush=True)
    time.sleep(600)


if __name__ == "__main__":
    main(*sys.argv[1:])

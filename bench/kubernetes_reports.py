"""Storing what a scan found, once and again, and the first page of it: in a process of its own."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from akmatori_sdk._generated.aotanami.models import Category, Finding, Framework, ResourceRef, Severity
from akmatori_server.audit.trail import AuditTrail
from akmatori_server.database import Database
from akmatori_server.database.migrate import migrate
from akmatori_server.engine.memory_engine import MemoryEngine
from akmatori_server.kubernetes.reports.finding_queries import FindingFilter
from akmatori_server.kubernetes.reports.finding_store import FindingWriter
from akmatori_server.kubernetes.reports.outcome import TargetOutcome, Totals
from akmatori_server.kubernetes.reports.scan_store import begin
from akmatori_server.kubernetes.reports.service import ReportOptions, ScanService
from akmatori_server.kubernetes.site import KubernetesSite
from akmatori_server.kubernetes.targets import FolderTarget

FINDINGS = 100_000
CHECKS = 60


def findings(count: int, *, scan: int) -> Iterator[Finding]:
    """Yield findings as a scan gives them; from one scan to the next a hundredth changes."""
    severities = list(Severity)
    for number in range(count):
        check = number % CHECKS
        shown = number if number % 100 else number + scan * count
        yield Finding(
            id=f"{shown:032x}",
            severity=severities[check % 5],
            category=list(Category)[check % 8],
            title=f"Check {check}",
            description="What is wrong, and what it can lead to. " * 4,
            resource=ResourceRef(
                kind="Deployment",
                name=f"web-{number // 10}",
                namespace=f"shop-{number % 50}",
                api_version="apps/v1",
            ),
            recommendation="What to do about it. " * 4,
            check_id=f"check-{check}",
            container="web",
            field_path="spec.template.spec.containers[0].securityContext.privileged",
            evidence="true",
            cluster="prod",
            occurrences=1,
            suppressed=False,
        )


def main() -> None:
    """Measure, and print one object of JSON."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else FINDINGS
    with tempfile.TemporaryDirectory() as folder:
        url = sys.argv[2] if len(sys.argv) > 2 else f"sqlite:///{folder}/bench.db"
        database = Database.open(url)
        migrate(database)
        print(json.dumps(_measured(database, Path(folder), count)))
        database.close()


def _measured(database: Database, folder: Path, count: int) -> dict[str, float]:
    now = datetime(2026, 5, 15, tzinfo=UTC)
    site = KubernetesSite(
        database=database, engine=MemoryEngine(), now=lambda: now, targets=(FolderTarget("prod", (folder,)),)
    )
    service = ScanService(site, ReportOptions(), AuditTrail(database, now=lambda: now))
    found: dict[str, float] = {}
    before = _megabytes()
    for scan in (1, 2):
        found[f"scan {scan} s"] = _seconds(lambda scan=scan: _store(service, database, count, scan, now))
    found["memory MB"] = _megabytes() - before
    for name, ask in {
        "first page ms": lambda: service.findings(FindingFilter(), None, offset=0, limit=20),
        "last page ms": lambda: service.findings(FindingFilter(), None, offset=count - 20, limit=20),
        "text ms": lambda: service.findings(FindingFilter(text="web-77"), None, offset=0, limit=20),
        "summary ms": lambda: service.summary(FindingFilter(), None),
    }.items():
        found[name] = min(_seconds(ask) for _ in range(3)) * 1000
    return {name: round(value, 1) for name, value in found.items()}


def _store(service: ScanService, database: Database, count: int, scan: int, now: datetime) -> None:
    runner: Any = service._run  # pyright: ignore[reportPrivateUsage]  # what is measured has no other door
    scan_id = service.trigger(None, service.plan(), frameworks=[Framework.CIS]).id
    with database.write() as connection:
        begun = begin(connection, scan_id, now)
    if begun is None:
        raise RuntimeError("The scan cannot be begun.")
    writer = FindingWriter(database, begun, scan, lambda: now + timedelta(minutes=scan))
    for _ in writer.store(findings(count, scan=scan)):
        pass
    runner._end(begun, scan, [TargetOutcome(target="prod", objects=count // 10)], Totals())


def _seconds(action: Callable[[], object]) -> float:
    begin_at = time.perf_counter()
    action()
    return time.perf_counter() - begin_at


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()

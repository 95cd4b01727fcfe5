"""Scans: asked for, begun by the clock, run by the engine, and read."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import structlog

from akmatori_sdk._generated.aotanami import models
from akmatori_sdk._generated.aotanami.codec import encode_scan
from akmatori_server.audit.actions import Action
from akmatori_server.audit.trail import AuditTrail
from akmatori_server.engine import Engine
from akmatori_server.errors import Conflict, TooManyRequests
from akmatori_server.http.call import Call
from akmatori_server.kubernetes.reports import reader, scan_store
from akmatori_server.kubernetes.reports.answers import scan_of
from akmatori_server.kubernetes.reports.finding_queries import FindingFilter
from akmatori_server.kubernetes.reports.plan import Plan
from akmatori_server.kubernetes.reports.reader import ReportPage
from akmatori_server.kubernetes.reports.running import ScanRun, failing
from akmatori_server.kubernetes.reports.scan_store import NewScan, Wanted
from akmatori_server.kubernetes.scans.model import CheckOptions
from akmatori_server.kubernetes.site import KubernetesSite

TASK = "k8s-scan"
MOST_ACTIVE = 10
FRAMEWORKS = (models.Framework.CIS,)
SCHEDULED_FRAMEWORKS = (
    models.Framework.CIS,
    models.Framework.NSA_CISA,
    models.Framework.PSS_BASELINE,
    models.Framework.PSS_RESTRICTED,
)
SWEEP = "*/5 * * * *"
# A scan that beats no more has no process; one that waits so long was lost with its queue.
SILENCE = timedelta(minutes=15)
LONGEST_WAIT = timedelta(hours=24)
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"

_log = structlog.stdlib.get_logger("akmatori_server.kubernetes.reports")


@attrs.frozen(kw_only=True)
class ReportOptions:
    """When scans are begun by themselves (None: never), what is accepted, and what is checked."""

    schedule: str | None = None
    exceptions_file: Path | None = None
    checks: CheckOptions = attrs.field(factory=CheckOptions)


class ScanService:
    """Starts scans, has them run, and reads what they found."""

    def __init__(self, site: KubernetesSite, options: ReportOptions, audit: AuditTrail) -> None:
        self._site = site
        self._options = options
        self._audit = audit
        self._run = ScanRun(site, exceptions_file=options.exceptions_file, checks=options.checks)

    def declare(self, engine: Engine) -> None:
        """Tell the engine who runs scans, and when they begin by themselves."""
        engine.task(TASK, self.run)
        engine.schedule("k8s-scan-sweep", SWEEP, self.sweep)
        if self._options.schedule is not None and self._site.targets:
            engine.schedule("k8s-scan-schedule", self._options.schedule, self.begin_scheduled)

    async def run(self, scan_id: str) -> None:
        """Run a scan in a thread; when it is broken off, the engine calls again."""
        stopping = threading.Event()
        try:
            await asyncio.to_thread(self._run.run, scan_id, stopping)
        except asyncio.CancelledError:
            stopping.set()
            raise

    def begin_scheduled(self) -> None:
        """Begin the scan that the clock asks for, unless it runs already."""
        try:
            self.trigger(None, Plan(targets=self._targets()), frameworks=SCHEDULED_FRAMEWORKS)
        except (Conflict, TooManyRequests) as error:
            _log.info("scheduled_scan_not_begun", reason=error.message)

    def sweep(self) -> None:
        """End the scans that nobody runs any more."""
        now = self._site.now()
        ending = failing(
            "The server that ran it is gone, and no other took it over.",
            frozenset(models.Category),
            self._site,
        )
        with self._site.database.write() as connection:
            number = scan_store.give_up(
                connection, silent_since=now - SILENCE, waits_since=now - LONGEST_WAIT, ending=ending
            )
        if number:
            _log.warning("scans_given_up", scans=number)

    def plan(self, **chosen: Any) -> Plan:
        """Return the plan of everything that is configured, but for what is chosen."""
        return Plan(targets=self._targets(), **chosen)

    def trigger(
        self, call: Call | None, plan: Plan, *, frameworks: Sequence[models.Framework], name: str = ""
    ) -> models.Scan:
        """Begin a scan; without a call it is the clock that asks.

        Raises:
            Conflict: a scan of the same scope waits or runs, or there is nothing to scan.
            TooManyRequests: too many wait or run.
        """
        if not plan.targets:
            raise Conflict(
                "There is nothing to scan; set AKMATORI_CLUSTERS, AKMATORI_IN_CLUSTER or AKMATORI_MANIFESTS.",
                code="SourceNotConfigured",
            )
        now = self._site.now()
        scan_id = _new_id(int(now.timestamp() * 1000))
        new = NewScan(
            scan_id=scan_id,
            plan=plan,
            frameworks=frameworks,
            trigger=models.ScanTrigger.SCHEDULE if call is None else models.ScanTrigger.MANUAL,
            triggered_by="" if call is None else call.caller.name[:300],
            name=name,
            schedule=(self._options.schedule or "") if call is None else "",
            created_at=now,
        )
        with self._site.database.write() as connection:
            running = scan_store.active_scan(connection, plan.key)
            if running is None and scan_store.active(connection) >= MOST_ACTIVE:
                raise TooManyRequests(
                    f"{MOST_ACTIVE} scans wait or run already; try again in half a minute.", retry_after=30
                )
            if running is not None or not scan_store.create(connection, new):
                raise Conflict(
                    f"{running or 'A scan'} looks at the same scope, and has not ended yet; wait for it."
                )
            self._site.engine.submit(connection, TASK, scan_id)
            scan = scan_of(reader.scan_row(connection, scan_id))
            self._audit.record(
                connection, call, Action.SCAN_TRIGGERED, f"scan:{scan_id}", None, encode_scan(scan)
            )
        return scan

    def get(self, scan_id: str) -> models.Scan:
        """Return a scan.

        Raises:
            NotFound: there is none of this id.
        """
        with self._site.database.read() as connection:
            return scan_of(reader.scan_row(connection, scan_id))

    def page(self, wanted: Wanted, *, offset: int, limit: int) -> tuple[list[models.Scan], int]:
        """Return a part of the scans, newest first, and how many there are."""
        with self._site.database.read() as connection:
            rows, total = scan_store.page(connection, wanted, offset=offset, limit=limit)
        return [scan_of(row) for row in rows], total

    def report_version(self, scan_id: str) -> tuple[object, ...]:
        """Return what the report of a scan changes with.

        Raises:
            NotFound: there is no scan of this id.
        """
        with self._site.database.read() as connection:
            return reader.version_of(connection, reader.scan_row(connection, scan_id))

    def report(self, scan_id: str, wanted: FindingFilter, *, offset: int, limit: int) -> ReportPage:
        """Return a part of what a scan found.

        Raises:
            NotFound: there is no scan of this id.
        """
        with self._site.database.read() as connection:
            scan = reader.scan_row(connection, scan_id)
            return reader.report_page(connection, scan, wanted, offset=offset, limit=limit)

    def findings(
        self, wanted: FindingFilter, scan_id: str | None, *, offset: int, limit: int
    ) -> tuple[list[models.Finding], int]:
        """Return a part of the findings, the worst first, and how many there are.

        Raises:
            NotFound: there is no scan of the id asked for.
        """
        with self._site.database.read() as connection:
            return reader.findings_page(
                connection, self._targets(), wanted, scan_id, offset=offset, limit=limit
            )

    def summary(self, wanted: FindingFilter, scan_id: str | None) -> models.FindingsSummary:
        """Return the findings in numbers.

        Raises:
            NotFound: there is no scan of the id asked for.
        """
        with self._site.database.read() as connection:
            return reader.findings_summary(connection, self._targets(), wanted, scan_id)

    def _targets(self) -> frozenset[str]:
        return frozenset(target.name for target in self._site.targets)


def _new_id(milliseconds: int) -> str:
    """Return an identifier that sorts by the time it was made at."""
    number = (milliseconds << 80) | secrets.randbits(80)
    return "scan-" + "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))

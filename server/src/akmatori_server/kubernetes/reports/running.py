"""Running one scan: reading every target, checking it, storing what is found, and ending."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import attrs
import structlog

from akmatori_sdk._generated.aotanami.models import Category, ScannerError, ScanPhase, ScanSummary
from akmatori_server.kubernetes.check_options import for_release
from akmatori_server.kubernetes.clusters.access import Feature
from akmatori_server.kubernetes.clusters.connection import ClusterError
from akmatori_server.kubernetes.clusters.facts import minor_version
from akmatori_server.kubernetes.manifests import ManifestObject, Problem, ProblemKind
from akmatori_server.kubernetes.reports import finding_store, history, scan_store
from akmatori_server.kubernetes.reports.finding_store import FindingWriter
from akmatori_server.kubernetes.reports.outcome import (
    TargetOutcome,
    Totals,
    errors_of,
    failed_outcome,
    is_out_of_scope,
    merged_compliance,
    out_of_scope,
    outcome_of,
    phase_of,
    warnings_of,
)
from akmatori_server.kubernetes.reports.scan_store import Begun, Ending, SupersededError
from akmatori_server.kubernetes.scans.exceptions import ExceptionsError, ScopedException, read_exceptions
from akmatori_server.kubernetes.scans.model import CheckOptions, ScanOptions
from akmatori_server.kubernetes.scans.scan import scan_objects
from akmatori_server.kubernetes.site import KubernetesSite
from akmatori_server.kubernetes.targets import Mode, Reading, Target

# A scan that breaks the process each time is not begun for ever.
MOST_ATTEMPTS = 3
BEAT_SECONDS = 10.0

_log = structlog.stdlib.get_logger("akmatori_server.kubernetes.reports")


class InterruptedScanError(Exception):
    """The process ends; the scan is begun again by the next one."""


@attrs.define
class _Pulse:
    """Tells the database that the scan goes on, and the scan that it is not to."""

    _site: KubernetesSite
    _begun: Begun
    _stopping: threading.Event
    _next: float = attrs.field(factory=lambda: time.monotonic() + BEAT_SECONDS)
    read: int = 0
    unreadable: str = ""
    """Why the first thing that could not be read was not."""

    def watch(self, found: Iterator[ManifestObject | Problem]) -> Iterator[ManifestObject | Problem]:
        """Pass on what is read, without what the plan does not ask for being missed, and beat now and then."""
        for one in found:
            self.beat()
            if isinstance(one, Problem):
                if one.kind in (ProblemKind.NOT_READ, ProblemKind.UNREADABLE):
                    self.unreadable = self.unreadable or str(one)
                if not self._begun.plan.needs_not(one.known_in):
                    yield one
                continue
            self.read += 1
            yield one

    def beat(self) -> None:
        """Beat, when it is time."""
        if self._stopping.is_set():
            raise InterruptedScanError
        now = time.monotonic()
        if now >= self._next:
            self._next = now + BEAT_SECONDS
            with self._site.database.write() as connection:
                scan_store.beat(connection, self._begun, self._site.now())


class ScanRun:
    """Runs scans, each to its end."""

    def __init__(self, site: KubernetesSite, *, exceptions_file: Path | None, checks: CheckOptions) -> None:
        self._site = site
        self._exceptions_file = exceptions_file
        self._checks = checks

    def run(self, scan_id: str, stopping: threading.Event) -> None:
        """Run a scan. Called again for one that was broken off, it begins anew; for one that ended, it does nothing.

        Raises:
            InterruptedScanError: `stopping` was set before the end.
            Exception: something nobody foresaw; the engine calls again, until the scan has had its attempts.
        """
        with self._site.database.write() as connection:
            begun = scan_store.begin(connection, scan_id, self._site.now())
        if begun is None:
            return
        try:
            if begun.attempt > MOST_ATTEMPTS:
                self._fail(begun, f"It was broken off {MOST_ATTEMPTS} times; see the log of the server.")
                return
            self._scan(begun, stopping)
        except SupersededError:
            _log.info("scan_superseded", scan=scan_id)
            return
        except ExceptionsError as error:
            self._fail(begun, f"The exceptions cannot be used: {error}")
            return
        history.shorten(self._site.database, begun.scope_id)
        history.drop_unused(self._site.database)

    def _scan(self, begun: Begun, stopping: threading.Event) -> None:
        database, now = self._site.database, self._site.now()
        exceptions = () if self._exceptions_file is None else read_exceptions(self._exceptions_file)
        with database.write() as connection:
            scan_store.beat(connection, begun, now)
            scope = scan_store.scope(connection, begun.scope_id)
            finding_store.undo(connection, scope.id, scope.newest_seq, scope.newest_at)
        seq, totals = scope.newest_seq + 1, Totals()
        writer = FindingWriter(database, begun, seq, self._site.now)
        outcomes = [
            self._target(name, begun, _Pulse(self._site, begun, stopping), writer, totals, exceptions)
            for name in sorted(begun.plan.targets)
        ]
        self._end(begun, seq, outcomes, totals, warnings_of(outcomes, exceptions, now.date()))

    def _target(
        self,
        name: str,
        begun: Begun,
        pulse: _Pulse,
        writer: FindingWriter,
        totals: Totals,
        exceptions: tuple[ScopedException, ...],
    ) -> TargetOutcome:
        target, scanners = self._site.target(name), begun.plan.scanners
        if target is None:
            return failed_outcome(name, "It is not configured any more.", scanners)
        try:
            with target.reading(Feature.SCANS) as reading:
                options = self._options(begun, target, reading, exceptions)
                context = reading.context()
                result = scan_objects(pulse.watch(reading.each()), context, options, picks=begun.plan.picks)
        except ClusterError as error:
            return failed_outcome(name, str(error), scanners)
        if pulse.read == 0 and (pulse.unreadable or target.mode is Mode.LIVE):
            return failed_outcome(
                name, f"No object of it could be read. {pulse.unreadable}".strip(), scanners
            )
        for stored in writer.store(result.findings):
            totals.add(stored)
            pulse.beat()
        return outcome_of(name, result, options, context.unread)

    def _options(
        self, begun: Begun, target: Target, reading: Reading, exceptions: tuple[ScopedException, ...]
    ) -> ScanOptions:
        options = ScanOptions(
            today=self._site.now().date(),
            categories=begun.plan.scanners,
            min_severity=begun.plan.min_severity,
            exceptions=exceptions,
            cluster=target.name,
            frameworks=begun.frameworks,
            live=target.mode is Mode.LIVE,
            skipped=self._checks.skipped,
            registries=self._checks.registries,
        )
        version = self._checks.release if target.mode is Mode.MANIFESTS else minor_version(reading.version)
        return attrs.evolve(for_release(options, version), release=self._checks.release or version)

    def _end(
        self, begun: Begun, seq: int, outcomes: list[TargetOutcome], totals: Totals, warnings: list[str]
    ) -> None:
        is_empty = is_out_of_scope(outcomes, begun.plan)
        phase = phase_of(outcomes, is_out_of_scope=is_empty, was_scanned=seq > 1)
        ending = Ending(
            phase=phase,
            errors=[*([out_of_scope(begun.plan)] if is_empty else ()), *errors_of(outcomes)],
            warnings=warnings,
            at=self._site.now(),
            seq=None if phase is ScanPhase.FAILED else seq,
            summary=totals.summary(outcomes),
            compliance=merged_compliance(outcomes),
        )
        with self._site.database.write() as connection:
            scan_store.end(connection, begun, ending)
            if phase is not ScanPhase.FAILED:
                finding_store.forget(connection, begun.scope_id, seq, self._checks.unwanted)
            for outcome in outcomes if phase is not ScanPhase.FAILED else ():
                if outcome.failed or outcome.unsure:
                    unsure = None if outcome.failed else outcome.unsure
                    finding_store.hold(connection, begun.scope_id, seq, outcome.target, unsure)
        _log.info(
            "scan_ended",
            scan=begun.scan_id,
            phase=phase.value,
            findings=0 if ending.summary is None else ending.summary.total_findings,
            errors=len(ending.errors),
        )

    def _fail(self, begun: Begun, reason: str) -> None:
        with self._site.database.write() as connection:
            scan_store.end(connection, begun, failing(reason, begun.plan.scanners, self._site))


def failing(reason: str, scanners: frozenset[Category], site: KubernetesSite) -> Ending:
    """Return the end of a scan that came to nothing."""
    return Ending(
        phase=ScanPhase.FAILED,
        errors=[
            # It is the same for all of them.
            ScannerError(scanner=names[0], message=reason[:2000], scanners=names)
            for names in [[one for one in Category if one in scanners]]
            if names
        ],
        at=site.now(),
        summary=ScanSummary(
            total_findings=0, critical=0, high=0, medium=0, low=0, info=0, resources_scanned=0
        ),
    )

"""One scan: objects in, findings out. What was checked is not kept, so memory does not follow what is read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import attrs

from akmatori_sdk._generated.aotanami.models import Finding, Severity
from akmatori_server.kubernetes.checks.context import MENTIONS_CONTEXT, Context, read_context
from akmatori_server.kubernetes.checks.model import Check, EndCheck, Question
from akmatori_server.kubernetes.compliance import Tally, evaluate
from akmatori_server.kubernetes.links import Sightings
from akmatori_server.kubernetes.manifests import (
    ManifestFile,
    ManifestObject,
    Problem,
    ProblemKind,
    Source,
    read_file,
    read_manifests,
)
from akmatori_server.kubernetes.pod_security import POD_SECURITY_LATEST, Level, judge, read_enforcement
from akmatori_server.kubernetes.scans.doubts import doubtful_exceptions
from akmatori_server.kubernetes.scans.exceptions import Accepted, annotated
from akmatori_server.kubernetes.scans.findings import FindingMaker, FoundHit, Place, resource_of
from akmatori_server.kubernetes.scans.model import (
    ScanOptions,
    ScanResult,
    WorkloadVerdict,
    rank,
    reaches,
)
from akmatori_server.kubernetes.scans.owners import Owners
from akmatori_server.kubernetes.scans.selection import Selection
from akmatori_server.kubernetes.scans.spool import FindingSpool
from akmatori_server.kubernetes.scans.standing import count_findings, count_verdict
from akmatori_server.kubernetes.scans.summary import Counts
from akmatori_server.kubernetes.unread import Unread
from akmatori_server.kubernetes.workloads import Reference, Workload, read_workload, reference_of

# Questions that may be open without being looked through.
_FEW = 100
# Kubernetes makes these roles and bindings itself, and repairs them.
_BOOTSTRAPPING = ("kubernetes.io/bootstrapping", "rbac-defaults")


def scan_folders(
    paths: Sequence[Path],
    options: ScanOptions,
    *,
    piped: ManifestFile | None = None,
    exclude: Sequence[str] = (),
    on_verdict: Callable[[WorkloadVerdict], None] | None = None,
) -> ScanResult:
    """Scan manifests: files, and folders with everything below them.

    They are read twice: first those files that may hold what other objects are judged by (service accounts, limit
    ranges, network policies, roles, namespaces), then all of them.

    Args:
        paths: The files and folders.
        options: What to check.
        piped: A file with what came from the standard input, and the name that findings have for it.
        exclude: Patterns of what is passed over below the folders.
        on_verdict: Called with the Pod Security verdict on every workload that is checked.
    """

    def read(only: re.Pattern[bytes] | None = None) -> Iterator[ManifestObject | Problem]:
        yield from read_manifests(paths, only=only, exclude=exclude)
        if piped is not None:
            yield from read_file(piped, only=only)

    return scan_objects(read(), read_context(read(MENTIONS_CONTEXT)), options, on_verdict=on_verdict)


def scan_objects(
    objects: Iterable[ManifestObject | Problem],
    context: Context,
    options: ScanOptions,
    *,
    picks: Callable[[ManifestObject], bool] = lambda _: True,
    on_verdict: Callable[[WorkloadVerdict], None] | None = None,
) -> ScanResult:
    """Check objects, each once, as they come.

    Args:
        objects: The objects, with problems in the place of those that cannot be read.
        context: What is known of all objects.
        options: What to check.
        picks: Whether an object is to be checked; others may still point at those that are not.
        on_verdict: Called with the Pod Security verdict on every workload that is checked.
    """
    context = attrs.evolve(
        context,
        pod_security=options.pod_security,
        release=options.release or POD_SECURITY_LATEST,
        release_is_known=options.release is not None,
        registries=options.registries,
    )
    scan = _Scan(context, options, picks, on_verdict)
    for found in objects:
        scan.take(found)
    return scan.result()


@attrs.frozen
class _Open:
    """A question that is answered at the end."""

    check: EndCheck
    place: Place
    question: Question
    line: int


@attrs.define
class _Scan:
    _context: Context
    _options: ScanOptions
    _picks: Callable[[ManifestObject], bool]
    _on_verdict: Callable[[WorkloadVerdict], None] | None
    _maker: FindingMaker = attrs.field(init=False)
    _selection: Selection = attrs.field(init=False)
    _findings: FindingSpool = attrs.field(init=False)
    _sightings: Sightings = attrs.field(init=False)
    _open: list[_Open] = attrs.field(factory=list[_Open])
    """What is decided at the end; no more than there are objects that point at others."""
    _tidied: int = 0
    _counts: Counts = attrs.field(factory=Counts)
    _tally: Tally = attrs.field(factory=Tally)
    _problems: list[Problem] = attrs.field(factory=list[Problem])
    _owners: Owners = attrs.field(factory=Owners)
    _defined: set[int] = attrs.field(factory=set[int])
    _again: Counter[int] = attrs.field(factory=Counter[int])
    _levels: Counter[Level] = attrs.field(factory=Counter[Level])
    _left_out: Counter[Severity] = attrs.field(factory=Counter[Severity])
    _objects: int = 0
    _workloads: int = 0

    def __attrs_post_init__(self) -> None:
        options = self._options
        self._maker = FindingMaker(options.cluster, options.cis_version, options.today, options.exceptions)
        self._selection = Selection.of(options, self._context.unread)
        self._findings = FindingSpool(_order)
        self._sightings = Sightings(self._context.links)

    def take(self, found: ManifestObject | Problem) -> None:
        """Check one object, or put it aside until its owner is known."""
        if isinstance(found, Problem):
            self._problems.append(found)
            return
        workload = read_workload(found)
        self._sightings.see(found, workload)
        if not self._picks(found):
            return
        self._objects += 1
        if workload is None:
            self._check_object(found)
            return
        self._workloads += 1
        if not workload.containers:
            message = f"This {found.kind} has no containers, so there was nothing to check in it."
            self._doubt(workload.reference, workload.source, message)
        if self._owners.is_its_own(workload):
            self._check_workload(workload, workload.reference, 1)

    def result(self) -> ScanResult:
        """Check what was put aside, and sum up."""
        for workload, top, count in self._owners.orphans():
            self._check_workload(workload, top, count)
        options = self._options
        undecided = self._selection.undecided(self._problems)
        self._answer(frozenset(undecided))
        self._tally.not_run = self._selection.not_run(self._problems)
        self._problems.extend(
            doubtful_exceptions(
                options.exceptions,
                self._maker.fitted,
                options.today,
                # Of the rest nobody knows what it would have fitted.
                everything=self._tally.not_run.keys() <= self._selection.pointless,
            )
        )
        return ScanResult(
            findings=self._findings.close(),
            summary=self._counts.summary(self._objects, self._selection.ids - undecided.keys()),
            problems=self._problems,
            objects=self._objects,
            workloads=self._workloads,
            owned=self._owners.passed_over,
            compliance=evaluate(
                options.frameworks,
                self._tally,
                cis_version=options.cis_version,
                pod_security=options.pod_security,
            ),
            levels=dict(self._levels),
            skipped=self._selection.skipped | undecided,
            cis_version=options.cis_version,
            left_out=dict(self._left_out),
        )

    def _check_workload(self, workload: Workload, top: Reference, occurrences: int) -> None:
        accepted = self._accepted(workload.reference, workload.annotations, workload.source)
        place = Place(
            reference=workload.reference,
            top=top,
            source=workload.source,
            spec_at=workload.spec_at,
            accepted=accepted,
            variant=self._variant(workload.reference, workload.source),
            occurrences=occurrences,
        )
        checks = self._selection.of_workload(workload.reference.namespace)
        hits = (
            FoundHit(check, hit, workload.line(hit.path))
            for check in checks
            for hit in check.find(workload, self._context)
        )
        findings = self._found(place, checks, hits)
        self._judge(workload, top, findings)
        self._check_names(attrs.evolve(place, spec_at=""), workload.annotations, workload.source.line)

    def _check_names(self, place: Place, annotations: Mapping[str, str], line: int) -> None:
        reference = place.reference
        checks = self._selection.of_names(reference.kind, reference.namespace)
        hits = (
            FoundHit(check, hit, line)
            for check in checks
            for hit in check.find(reference, annotations, self._context)
        )
        if checks:
            self._found(place, checks, hits)

    def _answer(self, undecided: frozenset[str]) -> None:
        unread = Unread.of(self._problems)
        for one in self._open:
            namespace, check = one.place.reference.namespace, one.check
            if check.id in undecided or not all(
                unread.is_known(kind, namespace) for kind in check.needs_nearby | check.kinds
            ):
                continue
            hit = one.question.answer(self._sightings)
            self._found(one.place, [check], [] if hit is None else [FoundHit(check, hit, one.line)])

    def _judge(self, workload: Workload, top: Reference, findings: Sequence[Finding]) -> None:
        verdict = judge(workload, self._options.pod_security)
        self._levels[verdict.level] += 1
        count_verdict(self._tally, verdict, resource_of(top), findings)
        if self._on_verdict is not None:
            labels = self._context.namespaces.get(top.namespace)
            asked = None if labels is None else read_enforcement(labels).level
            self._on_verdict(WorkloadVerdict(top, verdict, asked))

    def _check_object(self, found: ManifestObject) -> None:
        selection = self._selection
        checks = selection.of_object(found.kind, found.namespace, found.name)
        ends = selection.of_end(found.kind, found.namespace)
        names = selection.of_names(found.kind, found.namespace)
        label, value = _BOOTSTRAPPING
        if not (checks or ends or names) or found.body.get("metadata", "labels", label).text() == value:
            return
        reference = reference_of(found)
        accepted = self._accepted(reference, found.annotations, found.source)
        variant = self._variant(reference, found.source)
        place = Place(reference, reference, found.source, "", accepted, variant)
        hits = (
            FoundHit(check, hit, found.body.nearest(hit.path).line)
            for check in checks
            for hit in check.find(found, self._context)
        )
        self._found(place, checks, hits)
        self._check_names(place, found.annotations, found.source.line)
        self._put_aside(
            _Open(check, place, question, found.body.nearest(question.hit.path).line)
            for check in ends
            for question in check.ask(found, self._context)
        )

    def _put_aside(self, questions: Iterable[_Open]) -> None:
        self._open.extend(questions)
        if len(self._open) > 2 * self._tidied + _FEW:
            self._open = [one for one in self._open if not one.question.is_settled(self._sightings)]
            self._tidied = len(self._open)

    def _found(self, place: Place, checks: Iterable[Check], hits: Iterable[FoundHit]) -> list[Finding]:
        findings = list(self._maker.make(place, hits))
        shown = [item for item in findings if reaches(item.severity, self._options.min_severity)]
        if len(shown) < len(findings):
            less_bad = (item for item in findings if item not in shown and not item.suppressed)
            self._left_out.update(item.severity for item in less_bad)
        self._findings.extend(shown)
        self._counts.add(shown)
        count_findings(self._tally, checks, resource_of(place.top), findings)
        return findings

    def _accepted(
        self, reference: Reference, annotations: dict[str, str], source: Source
    ) -> dict[str, Accepted]:
        accepted, complaints = annotated(annotations)
        for check, exception in accepted.items():
            if not exception.holds(self._options.today):
                complaints.append(f"The exception for {check} ended on {exception.until}.")
        for complaint in complaints:
            self._doubt(reference, source, complaint)
        return accepted

    def _variant(self, reference: Reference, source: Source) -> str:
        # The hash of a name, not the name: this is what grows with every object.
        name = hash(reference)
        if name not in self._defined:
            self._defined.add(name)
            return ""
        self._again[name] += 1
        return f"@{source.file}#{self._again[name] + 1}"

    def _doubt(self, reference: Reference, source: Source, message: str) -> None:
        if source.file:
            self._problems.append(Problem(ProblemKind.DOUBTFUL, source.file, source.line, message))
            return
        name = f"{reference.namespace}/{reference.name}" if reference.namespace else reference.name
        self._problems.append(Problem(ProblemKind.DOUBTFUL, f"{reference.kind} {name}", None, message))


def _order(finding: Finding) -> tuple[int, str, int, str, str]:
    source, resource = finding.source, finding.resource
    if source:
        return (rank(finding.severity), source.file, source.line or 0, str(finding.check_id), finding.id)
    where = f"{resource.namespace or ''}/{resource.kind}/{resource.name}"
    return (rank(finding.severity), where, 0, str(finding.check_id), finding.id)


def failing(findings: Iterable[Finding], threshold: Severity) -> Iterator[Finding]:
    """Return the findings that count and are as bad as the threshold, or worse."""
    return (item for item in findings if not item.suppressed and reaches(item.severity, threshold))

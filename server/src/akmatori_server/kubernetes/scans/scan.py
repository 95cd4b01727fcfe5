"""One scan: objects in, findings out. Only findings and names are kept, so memory follows what is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import attrs

from akmatori_sdk._generated.aotanami.models import Category, CategoryCounts, Finding, ScanSummary, Severity
from akmatori_server.kubernetes.checks.catalogue import OBJECT_CHECKS, WORKLOAD_CHECKS
from akmatori_server.kubernetes.checks.context import MENTIONS_CONTEXT, Context, read_context
from akmatori_server.kubernetes.checks.model import Check
from akmatori_server.kubernetes.manifests import ManifestObject, Problem, ProblemKind, Source, read_manifests
from akmatori_server.kubernetes.scans.exceptions import Accepted, annotated
from akmatori_server.kubernetes.scans.findings import FindingMaker, FoundHit, Place
from akmatori_server.kubernetes.scans.model import ScanOptions, ScanResult, rank, reaches
from akmatori_server.kubernetes.workloads import Reference, Workload, read_workload, reference_of

_NOT_IN_SYSTEM = frozenset({Category.NETWORK_POLICY, Category.RBAC_AUDIT})
# Kubernetes makes these roles and bindings itself, and repairs them.
_BOOTSTRAPPING = ("kubernetes.io/bootstrapping", "rbac-defaults")


def scan_folders(paths: Sequence[Path], options: ScanOptions) -> ScanResult:
    """Scan manifests: files, and folders with everything below them.

    They are read twice: first those files that may hold what other objects are judged by (service accounts, limit
    ranges, network policies), then all of them.
    """
    first = read_manifests(paths, only=MENTIONS_CONTEXT)
    context = read_context(found for found in first if isinstance(found, ManifestObject))
    return scan_objects(read_manifests(paths), context, options)


def scan_objects(
    objects: Iterable[ManifestObject | Problem], context: Context, options: ScanOptions
) -> ScanResult:
    """Check objects, each once, as they come.

    Args:
        objects: The objects, with problems in the place of those that cannot be read.
        context: What is known of all objects.
        options: What to check.
    """
    scan = _Scan(context, options)
    for found in objects:
        scan.take(found)
    return scan.result()


@attrs.define
class _Owned:
    """Pods of one owner: the first stands for all."""

    workload: Workload
    count: int


@attrs.define
class _Scan:
    _context: Context
    _options: ScanOptions
    _maker: FindingMaker = attrs.field(init=False)
    _findings: list[Finding] = attrs.field(factory=list[Finding])
    _problems: list[Problem] = attrs.field(factory=list[Problem])
    _owners: dict[Reference, Reference | None] = attrs.field(factory=dict[Reference, Reference | None])
    _owned: dict[Reference, _Owned] = attrs.field(factory=dict[Reference, _Owned])
    _defined: Counter[Reference] = attrs.field(factory=Counter[Reference])
    _objects: int = 0
    _workloads: int = 0
    _passed_over: int = 0

    def __attrs_post_init__(self) -> None:
        options = self._options
        self._maker = FindingMaker(options.cluster, options.cis_version, options.today, options.exceptions)

    def take(self, found: ManifestObject | Problem) -> None:
        """Check one object, or put it aside until its owner is known."""
        if isinstance(found, Problem):
            self._problems.append(found)
            return
        self._objects += 1
        workload = read_workload(found)
        if workload is None:
            self._check_object(found)
            return
        self._workloads += 1
        self._owners[workload.reference] = workload.owner
        if not workload.containers:
            message = f"This {found.kind} has no containers, so there was nothing to check in it."
            self._doubt(found.source, message)
        if workload.owner is None or workload.owner.kind == "Node":  # a static pod is its own owner
            self._check_workload(workload, workload.reference, 1)
        elif workload.owner in self._owned:
            self._owned[workload.owner].count += 1
        else:
            self._owned[workload.owner] = _Owned(workload, 1)

    def result(self) -> ScanResult:
        """Check what was put aside, and sum up."""
        self._check_owned()
        self._findings.sort(key=_order)
        return ScanResult(
            findings=self._findings,
            summary=self._summary(),
            problems=self._problems,
            objects=self._objects,
            workloads=self._workloads,
            owned=self._passed_over,
        )

    def _check_owned(self) -> None:
        tops: dict[Reference, _Owned] = {}
        for owner, owned in self._owned.items():
            top = self._top(owner)
            if top in self._owners:
                # It was checked itself; its pods say the same again.
                self._passed_over += owned.count
            elif top in tops:
                tops[top].count += owned.count
            else:
                tops[top] = owned
        for top, owned in tops.items():
            self._check_workload(owned.workload, top, owned.count)

    def _top(self, reference: Reference) -> Reference:
        seen: set[Reference] = set()
        while reference not in seen and (owner := self._owners.get(reference)) is not None:
            seen.add(reference)
            reference = owner
        return reference

    def _check_workload(self, workload: Workload, top: Reference, occurrences: int) -> None:
        accepted = self._accepted(workload.annotations, workload.source)
        place = Place(
            reference=workload.reference,
            top=top,
            source=workload.source,
            spec_at=workload.spec_at,
            accepted=accepted,
            variant=self._variant(workload.reference, workload.source),
            occurrences=occurrences,
        )
        hits = (
            FoundHit(check, hit, workload.line(hit.path))
            for check in WORKLOAD_CHECKS
            if self._wanted(check, workload.reference.namespace)
            for hit in check.find(workload, self._context)
        )
        self._findings.extend(self._maker.make(place, hits))

    def _check_object(self, found: ManifestObject) -> None:
        checks = [check for check in OBJECT_CHECKS if found.kind in check.kinds]
        label, value = _BOOTSTRAPPING
        if not checks or found.body.get("metadata", "labels", label).text() == value:
            return
        reference = reference_of(found)
        accepted = self._accepted(found.annotations, found.source)
        variant = self._variant(reference, found.source)
        place = Place(reference, reference, found.source, "", accepted, variant)
        hits = (
            FoundHit(check, hit, found.body.nearest(hit.path).line)
            for check in checks
            if self._wanted(check, found.namespace)
            for hit in check.find(found, self._context)
        )
        self._findings.extend(self._maker.make(place, hits))

    def _wanted(self, check: Check, namespace: str) -> bool:
        options = self._options
        return (
            check.category in options.categories
            and reaches(check.severity, options.min_severity)
            and not (check.category in _NOT_IN_SYSTEM and namespace in options.system_namespaces)
        )

    def _accepted(self, annotations: dict[str, str], source: Source) -> dict[str, Accepted]:
        accepted, complaints = annotated(annotations)
        for check, exception in accepted.items():
            if not exception.holds(self._options.today):
                complaints.append(f"The exception for {check} ended on {exception.until}.")
        for complaint in complaints:
            self._doubt(source, complaint)
        return accepted

    def _variant(self, reference: Reference, source: Source) -> str:
        self._defined[reference] += 1
        times = self._defined[reference]
        return "" if times == 1 else f"@{source.file}#{times}"

    def _doubt(self, source: Source, message: str) -> None:
        self._problems.append(Problem(ProblemKind.DOUBTFUL, source.file, source.line, message))

    def _summary(self) -> ScanSummary:
        counting = [finding for finding in self._findings if not finding.suppressed]
        severities = Counter(finding.severity for finding in counting)
        categories = Counter(finding.category for finding in counting)
        run = {c.id for c in (*WORKLOAD_CHECKS, *OBJECT_CHECKS) if self._wanted(c, "")}
        failed = {finding.check_id for finding in counting}
        return ScanSummary(
            total_findings=len(counting),
            critical=severities[Severity.CRITICAL],
            high=severities[Severity.HIGH],
            medium=severities[Severity.MEDIUM],
            low=severities[Severity.LOW],
            info=severities[Severity.INFO],
            resources_scanned=self._objects,
            by_category=_by_category(categories),
            checks_run=len(run),
            passed_checks=len(run - failed),
        )


def _by_category(counts: Counter[Category]) -> CategoryCounts:
    return CategoryCounts(
        container_security_context=counts[Category.CONTAINER_SECURITY_CONTEXT],
        resource_limits=counts[Category.RESOURCE_LIMITS],
        image_vulnerability=counts[Category.IMAGE_VULNERABILITY],
        pod_security=counts[Category.POD_SECURITY],
        privilege_escalation=counts[Category.PRIVILEGE_ESCALATION],
        secrets_exposure=counts[Category.SECRETS_EXPOSURE],
        network_policy=counts[Category.NETWORK_POLICY],
        rbac_audit=counts[Category.RBAC_AUDIT],
    )


def _order(finding: Finding) -> tuple[int, str, int, str, str]:
    source = finding.source
    file, line = (source.file, source.line or 0) if source else ("", 0)
    return (rank(finding.severity), file, line, str(finding.check_id), finding.id)


def failing(findings: Iterable[Finding], threshold: Severity) -> Iterator[Finding]:
    """Return the findings that count and are as bad as the threshold, or worse."""
    return (item for item in findings if not item.suppressed and reaches(item.severity, threshold))

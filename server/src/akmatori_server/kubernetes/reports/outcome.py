"""What came of the targets of a scan, put together: numbers, compliance, and what is missing. Pure."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import attrs

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.aotanami.models import (
    Category,
    CategoryCounts,
    ComplianceControl,
    ComplianceResult,
    ControlEvidence,
    ControlStatus,
    Finding,
    ScannerError,
    ScanPhase,
    ScanSummary,
    Severity,
)
from akmatori_server.incidents.storable import storable_text
from akmatori_server.kubernetes.checks.catalogue import CHECKS
from akmatori_server.kubernetes.checks.model import Check
from akmatori_server.kubernetes.manifests import Problem, ProblemKind
from akmatori_server.kubernetes.reports.plan import Plan
from akmatori_server.kubernetes.scans.doubts import doubtful_exceptions
from akmatori_server.kubernetes.scans.exceptions import ScopedException
from akmatori_server.kubernetes.scans.model import ScanOptions, ScanResult
from akmatori_server.kubernetes.scans.selection import Selection, looked_at
from akmatori_server.kubernetes.unread import Unread

MOST_ERRORS = 100
MOST_WARNINGS = 100
MOST_EVIDENCE = 20
LONGEST_MESSAGE = 2000
# Of many documents that cannot be read, so many are named.
_NAMED = 3


@attrs.frozen(kw_only=True)
class TargetOutcome:
    """What a scan could say about one target."""

    target: str
    objects: int = 0
    made: frozenset[str] = frozenset()
    """The checks that were made."""
    unsure: Mapping[str, frozenset[str]] = attrs.field(factory=dict[str, frozenset[str]])
    """The checks that were not made, or did not see everything: what they do not report may still be there, but for
    the namespaces in which they did see all."""
    compliance: Sequence[ComplianceResult] = ()
    errors: Mapping[Category, Sequence[str]] = attrs.field(factory=dict[Category, Sequence[str]])
    """Why a scanner missed something, in sentences."""
    doubts: Sequence[str] = ()
    """What may not mean what its author thinks, in sentences."""
    failed: bool = False
    """Nothing of it could be looked at."""


def outcome_of(target: str, result: ScanResult, options: ScanOptions, unread: Unread) -> TargetOutcome:
    """Return what a scan of one target came to; `unread` are kinds that others are judged by."""
    selection = Selection.of(options, unread)
    asked = selection.ids | selection.skipped.keys()
    not_run = selection.not_run(result.problems).keys() & asked
    unsure = {check.id: selection.seen_in(check, result.problems) for check in CHECKS if check.id in not_run}
    errors: dict[Category, Sequence[str]] = {}
    for category in options.categories:
        reasons = _reasons(
            [check for check in CHECKS if check.id in unsure and check.category is category], result.problems
        )
        if reasons:
            errors[category] = reasons
    return TargetOutcome(
        target=target,
        objects=result.objects,
        made=selection.ids,
        unsure=unsure,
        compliance=result.compliance,
        errors=errors,
        doubts=_doubts(result.problems, options),
    )


def _doubts(problems: Iterable[Problem], options: ScanOptions) -> list[str]:
    # The file of exceptions is of no single target: what fits nothing here may fit in another one.
    files = {exception.file for exception in options.exceptions}
    return [
        str(problem)
        for problem in problems
        if problem.kind is ProblemKind.DOUBTFUL and problem.file not in files
    ]


def failed_outcome(target: str, reason: str, scanners: Iterable[Category]) -> TargetOutcome:
    """Return what a target came to that could not be looked at."""
    return TargetOutcome(target=target, errors=dict.fromkeys(scanners, (reason,)), failed=True)


def _reasons(checks: Sequence[Check], problems: Sequence[Problem]) -> list[str]:
    """Return sentences on what these checks missed."""
    if not checks:
        return []
    needed = frozenset[str]().union(
        *(check.needs | check.needs_nearby | looked_at(check) for check in checks)
    )
    found = [
        problem.message
        for problem in problems
        if problem.kind is ProblemKind.NOT_READ and problem.missing & needed
    ]
    unreadable = [str(problem) for problem in problems if problem.kind is ProblemKind.UNREADABLE]
    found += unreadable[:_NAMED]
    if len(unreadable) > _NAMED:
        found.append(f"{len(unreadable) - _NAMED} more files or documents could not be read.")
    return list(dict.fromkeys(found))


def is_out_of_scope(outcomes: Sequence[TargetOutcome], plan: Plan) -> bool:
    """Whether a plan that narrows what is looked at left nothing of what was read."""
    is_read = any(not outcome.failed for outcome in outcomes)
    return is_read and plan.narrows and not any(outcome.objects for outcome in outcomes)


def out_of_scope(plan: Plan) -> ScannerError:
    """Return the error of a scan that had nothing to look at; it is no target's fault."""
    wanted = sorted(plan.namespaces - plan.excluded)
    more = f" and {len(wanted) - _NAMED} more" if len(wanted) > _NAMED else ""
    where = f" in the namespaces asked for ({', '.join(wanted[:_NAMED])}{more})" if plan.namespaces else ""
    which = f" with the labels {plan.labels}" if plan.labels else ""
    return ScannerError(
        scanner=next(category for category in Category if category in plan.scanners),
        message=(
            f"Nothing was in scope: no object{where}{which} was found in {', '.join(sorted(plan.targets))}."
        )[:LONGEST_MESSAGE],
    )


def phase_of(
    outcomes: Sequence[TargetOutcome], *, is_out_of_scope: bool = False, was_scanned: bool = False
) -> ScanPhase:
    """Return how a scan of these targets ended.

    A scope that was never there is a mistake, and the scan came to nothing. One that was scanned before is gone: what
    was found in it is gone too, and that is told.
    """
    if all(outcome.failed for outcome in outcomes):
        return ScanPhase.FAILED
    if is_out_of_scope:
        return ScanPhase.DEGRADED if was_scanned else ScanPhase.FAILED
    return ScanPhase.DEGRADED if any(outcome.errors for outcome in outcomes) else ScanPhase.COMPLETED


def errors_of(outcomes: Iterable[TargetOutcome]) -> list[ScannerError]:
    """Return what was missed, each reason once for a target, in the order of the scanners.

    What several scanners missed for the same reasons is one error.
    """
    found = [error for outcome in outcomes for error in _errors_of_target(outcome)]
    return found[:MOST_ERRORS]


def warnings_of(
    outcomes: Iterable[TargetOutcome], exceptions: Sequence[ScopedException], today: dt.date
) -> list[str]:
    """Return what may not mean what its author thinks: the exceptions that have ended first."""
    # Which are for nothing, no scan of a part can tell.
    ended = doubtful_exceptions(exceptions, exceptions, today, everything=False)
    found = [str(problem) for problem in ended]
    found += [f"{outcome.target}: {doubt}" for outcome in outcomes for doubt in outcome.doubts]
    more = len(found) - MOST_WARNINGS
    if more > 0:
        found[MOST_WARNINGS - 1 :] = [f"There are {more + 1} more of these."]
    return [storable_text(sentence, LONGEST_MESSAGE) for sentence in found]


def _errors_of_target(outcome: TargetOutcome) -> list[ScannerError]:
    missed: dict[str, list[Category]] = {}
    for category in Category:
        for reason in outcome.errors.get(category, ()):
            missed.setdefault(reason, []).append(category)
    folded: dict[tuple[Category, ...], list[str]] = {}
    for reason, categories in missed.items():
        folded.setdefault(tuple(categories), []).append(reason)
    return [
        ScannerError(
            scanner=categories[0],
            message=f"{outcome.target}: {' '.join(reasons)}"[:LONGEST_MESSAGE],
            target=outcome.target,
            scanners=list(categories),
        )
        for categories, reasons in folded.items()
    ]


@attrs.define
class Totals:
    """Findings, counted as they are stored; suppressed ones do not count."""

    _severities: Counter[Severity] = attrs.field(factory=Counter[Severity])
    _categories: Counter[Category] = attrs.field(factory=Counter[Category])
    _failing: set[str] = attrs.field(factory=set[str])

    def add(self, findings: Iterable[Finding]) -> None:
        """Count findings."""
        for finding in findings:
            if not finding.suppressed:
                self._severities[finding.severity] += 1
                self._categories[finding.category] += 1
                self._failing.add(str(finding.check_id))

    def summary(self, outcomes: Sequence[TargetOutcome]) -> ScanSummary:
        """Return the numbers of the whole scan."""
        # Nothing passed what was held against nothing.
        made = frozenset[str]().union(*(outcome.made for outcome in outcomes if outcome.objects))
        counts = self._severities
        return ScanSummary(
            total_findings=counts.total(),
            critical=counts[Severity.CRITICAL],
            high=counts[Severity.HIGH],
            medium=counts[Severity.MEDIUM],
            low=counts[Severity.LOW],
            info=counts[Severity.INFO],
            resources_scanned=sum(outcome.objects for outcome in outcomes),
            by_category=category_counts(self._categories),
            checks_run=len(made),
            passed_checks=len(made - self._failing),
            # What was not looked at has no mark.
            security_score=security_score(counts) if any(one.objects for one in outcomes) else UNSET,
        )


def security_score(counts: Mapping[Severity, int]) -> float:
    """Return the score of these findings, from 0 to 100."""
    critical, high, medium = (
        counts.get(severity, 0) for severity in (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM)
    )
    return float(max(0, 100 - 10 * critical - 5 * high - 2 * medium))


def category_counts(counts: Mapping[Category, int]) -> CategoryCounts:
    """Return the counts in the form of the API."""
    return CategoryCounts(
        container_security_context=counts.get(Category.CONTAINER_SECURITY_CONTEXT, 0),
        resource_limits=counts.get(Category.RESOURCE_LIMITS, 0),
        image_vulnerability=counts.get(Category.IMAGE_VULNERABILITY, 0),
        pod_security=counts.get(Category.POD_SECURITY, 0),
        privilege_escalation=counts.get(Category.PRIVILEGE_ESCALATION, 0),
        secrets_exposure=counts.get(Category.SECRETS_EXPOSURE, 0),
        network_policy=counts.get(Category.NETWORK_POLICY, 0),
        rbac_audit=counts.get(Category.RBAC_AUDIT, 0),
    )


# Of the same control in several targets the worst standing counts; it passes only where it passed everywhere.
_WORST = (ControlStatus.FAILED, ControlStatus.NOT_CHECKED, ControlStatus.EXCEPTION, ControlStatus.PASSED)


def merged_compliance(outcomes: Sequence[TargetOutcome]) -> list[ComplianceResult]:
    """Return how all targets together stand against each framework."""
    away = [outcome.target for outcome in outcomes if outcome.failed]
    groups: dict[str, list[ComplianceResult]] = {}
    for outcome in outcomes:
        for result in outcome.compliance:
            groups.setdefault(result.framework.value, []).append(result)
    return [_merged(results, away) for results in groups.values()]


def _merged(results: Sequence[ComplianceResult], away: Sequence[str]) -> ComplianceResult:
    if len(results) == 1 and not away:
        return results[0]
    controls: dict[str, ComplianceControl] = {}
    for result in results:
        for control in result.controls or ():
            known = controls.get(control.id)
            controls[control.id] = control if known is None else _worse(known, control)
    found = [_unsure(control, away) for control in controls.values()]
    counts = Counter(control.status for control in found)
    checked = len(found) - counts[ControlStatus.NOT_CHECKED]
    return ComplianceResult(
        framework=results[0].framework,
        framework_version=_versions(results),
        pass_rate=round(100 * counts[ControlStatus.PASSED] / checked, 1) if checked else 0.0,
        total_controls=len(found),
        passed_controls=counts[ControlStatus.PASSED],
        failed_controls=counts[ControlStatus.FAILED],
        exception_controls=counts[ControlStatus.EXCEPTION],
        not_checked_controls=counts[ControlStatus.NOT_CHECKED],
        controls=found,
    )


def _worse(one: ComplianceControl, other: ComplianceControl) -> ComplianceControl:
    first, second = sorted((one, other), key=lambda control: _WORST.index(ControlStatus(control.status)))
    evidence = [*(first.evidence or ()), *(second.evidence or ())][:MOST_EVIDENCE]
    return attrs.evolve(first, evidence=evidence)


def _unsure(control: ComplianceControl, away: Sequence[str]) -> ComplianceControl:
    if not away or control.status not in (ControlStatus.PASSED, ControlStatus.EXCEPTION):
        return control
    missed = ControlEvidence(
        type=ControlStatus.NOT_CHECKED.value, description=f"Not looked at: {', '.join(away)}."[:2000]
    )
    return attrs.evolve(
        control, status=ControlStatus.NOT_CHECKED, evidence=[missed, *(control.evidence or ())]
    )


def _versions(results: Sequence[ComplianceResult]) -> str | Unset:
    versions = sorted({result.framework_version for result in results if result.framework_version})
    return ", ".join(versions)[:32] or UNSET

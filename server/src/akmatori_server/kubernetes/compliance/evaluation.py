"""From what the checks found to how each control stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from akmatori_sdk import UNSET
from akmatori_sdk._generated.aotanami.models import (
    ComplianceControl,
    ComplianceResult,
    ControlEvidence,
    ControlStatus,
    Framework,
    ResourceRef,
    Severity,
)
from akmatori_server.kubernetes.checks.catalogue import CHECKS
from akmatori_server.kubernetes.compliance.catalogue import (
    ControlDefinition,
    controls_of,
    framework_version,
)
from akmatori_server.kubernetes.pod_security import PodSecurityVersion

# Of the objects that fail a control the first are named: the findings name all.
MOST_EVIDENCE = 5
_BY_ID = {check.id: check for check in CHECKS}


@attrs.define
class Standing:
    """What came of one check: objects that it looked at, that failed, and that failed but are excepted."""

    looked_at: int = 0
    failed: int = 0
    excepted: int = 0
    examples: list[ResourceRef] = attrs.field(factory=list[ResourceRef])

    def fail(self, resource: ResourceRef, *, excepted: bool) -> None:
        """Count an object that failed."""
        if excepted:
            self.excepted += 1
            return
        self.failed += 1
        if len(self.examples) < MOST_EVIDENCE:
            self.examples.append(resource)


@attrs.define
class Tally:
    """What came of all checks of a scan, and why some did not run to their end."""

    standings: dict[str, Standing] = attrs.field(factory=dict[str, Standing])
    not_run: Mapping[str, str] = attrs.field(factory=dict[str, str])
    """For checks that did not look at everything: a sentence that says why."""

    def of(self, check: str) -> Standing:
        """Return what came of a check."""
        found = self.standings.get(check)
        if found is None:
            found = self.standings[check] = Standing()
        return found


def evaluate(
    frameworks: Iterable[Framework], tally: Tally, *, cis_version: str, pod_security: PodSecurityVersion
) -> list[ComplianceResult]:
    """Return how each framework stands: a control passes only when all of it was checked, and nothing was found."""
    return [
        _result(
            framework,
            list(controls_of(framework, cis_version=cis_version, pod_security=pod_security)),
            tally,
            framework_version(framework, cis_version=cis_version, pod_security=pod_security),
        )
        for framework in frameworks
    ]


def _result(
    framework: Framework, definitions: list[ControlDefinition], tally: Tally, version: str
) -> ComplianceResult:
    controls = [_control(definition, tally) for definition in definitions]
    counts = {status: sum(item.status is status for item in controls) for status in ControlStatus}
    checked = len(controls) - counts[ControlStatus.NOT_CHECKED]
    passed = counts[ControlStatus.PASSED]
    return ComplianceResult(
        framework=framework,
        framework_version=version or UNSET,
        pass_rate=round(100 * passed / checked, 1) if checked else 0.0,
        total_controls=len(controls),
        passed_controls=passed,
        failed_controls=counts[ControlStatus.FAILED],
        exception_controls=counts[ControlStatus.EXCEPTION],
        not_checked_controls=counts[ControlStatus.NOT_CHECKED],
        controls=controls,
    )


def _control(definition: ControlDefinition, tally: Tally) -> ComplianceControl:
    standings = [tally.of(check) for check in definition.checks]
    status, reason = _status(definition, standings, tally)
    known = [_BY_ID[check] for check in definition.checks if check in _BY_ID]
    evidence = [
        ControlEvidence(type="finding", description=f"{check} failed.", resource_ref=example)
        for check, standing in zip(definition.checks, standings, strict=True)
        for example in standing.examples
    ][:MOST_EVIDENCE]
    if reason:
        evidence.insert(0, ControlEvidence(type=status.value, description=reason))
    failing = [check for check in known if tally.of(check.id).failed] or known
    return ComplianceControl(
        id=definition.id,
        framework=definition.framework,
        title=definition.title,
        status=status,
        severity=_worst(check.severity for check in failing) if known else UNSET,
        evidence=evidence,
        related_rule_types=list(dict.fromkeys(check.category for check in known)),
        remediation_guidance=failing[0].remediation if failing and status is ControlStatus.FAILED else UNSET,
        check_ids=[check.id for check in known],
        basis=definition.basis,
    )


def _status(
    definition: ControlDefinition, standings: list[Standing], tally: Tally
) -> tuple[ControlStatus, str]:
    """Return how a control stands, and why it was not decided."""
    if any(standing.failed for standing in standings):
        return ControlStatus.FAILED, ""
    if definition.undecided:
        return ControlStatus.NOT_CHECKED, definition.undecided
    for check in definition.checks:
        if check in tally.not_run:
            return ControlStatus.NOT_CHECKED, tally.not_run[check]
    if not any(standing.looked_at for standing in standings):
        return ControlStatus.NOT_CHECKED, "No object was read that it is about."
    if excepted := sum(standing.excepted for standing in standings):
        return ControlStatus.EXCEPTION, f"{excepted} failures are excepted."
    return ControlStatus.PASSED, ""


def _worst(severities: Iterable[Severity]) -> Severity:
    order = [Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM, Severity.LOW, Severity.INFO]
    return min(severities, key=order.index)

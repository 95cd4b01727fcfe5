"""The numbers of a scan, counted as findings come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import attrs

from akmatori_sdk._generated.aotanami.models import Category, CategoryCounts, Finding, ScanSummary, Severity


@attrs.define
class Counts:
    """How many findings count, by severity and by category; suppressed ones do not."""

    suppressed: int = 0
    _severities: Counter[Severity] = attrs.field(factory=Counter[Severity])
    _categories: Counter[Category] = attrs.field(factory=Counter[Category])
    _failed: set[str] = attrs.field(factory=set[str])

    def add(self, findings: Iterable[Finding]) -> None:
        """Count findings."""
        for finding in findings:
            if finding.suppressed:
                self.suppressed += 1
                continue
            self._severities[finding.severity] += 1
            self._categories[finding.category] += 1
            self._failed.add(str(finding.check_id))

    def summary(self, objects: int, checks: frozenset[str]) -> ScanSummary:
        """Return the numbers, with those of the objects and the checks that were made."""
        severities = self._severities
        # Nothing passed what was held against nothing.
        made = checks if objects else frozenset[str]()
        return ScanSummary(
            total_findings=severities.total(),
            critical=severities[Severity.CRITICAL],
            high=severities[Severity.HIGH],
            medium=severities[Severity.MEDIUM],
            low=severities[Severity.LOW],
            info=severities[Severity.INFO],
            resources_scanned=objects,
            by_category=_by_category(self._categories),
            checks_run=len(made),
            passed_checks=len(made - self._failed),
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

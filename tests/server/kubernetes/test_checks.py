"""Every check over the corpus: what it finds, what it lets pass, and what is excepted."""

import pytest

from akmatori_sdk._generated.aotanami.models import Category, Framework
from akmatori_server.kubernetes.checks.catalogue import CHECKS
from akmatori_server.kubernetes.checks.controls import CIS_VERSIONS
from akmatori_server.kubernetes.scans.exceptions import ANNOTATION
from akmatori_server.kubernetes.scans.findings import control_refs
from tests.server.kubernetes.cases import RIGHT, WRONG
from tests.server.kubernetes.conftest import Scan
from tests.server.kubernetes.corpus import Case, objects

IDS = [check.id for check in CHECKS]


def test_corpus_covers_every_check_and_no_other() -> None:
    assert sorted(WRONG) == sorted(RIGHT) == sorted(IDS)
    assert len(set(IDS)) == len(IDS)


def test_nothing_is_wrong_with_the_deployment_that_cases_change(scan: Scan) -> None:
    result = scan(*objects(Case()), registries=("registry.example:5000",))
    assert [finding.check_id for finding in result.findings] == []
    assert result.summary.passed_checks == result.summary.checks_run == len(CHECKS)


@pytest.mark.parametrize("check", IDS)
def test_found(scan: Scan, check: str) -> None:
    known = next(item for item in CHECKS if item.id == check)
    for case in WRONG[check]:
        result = scan(*objects(case), **case.options)
        found = [finding for finding in result.findings if finding.check_id == check]
        assert len(found) == 1, case
        (finding,) = found
        assert (finding.severity, finding.category) == (known.severity, known.category)
        assert not finding.suppressed
        assert finding.source
        assert finding.source.line


@pytest.mark.parametrize("check", IDS)
def test_passed(scan: Scan, check: str) -> None:
    for case in RIGHT[check]:
        result = scan(*objects(case), **case.options)
        assert check not in [finding.check_id for finding in result.findings], case
        assert result.objects


@pytest.mark.parametrize("check", IDS)
def test_excepted(scan: Scan, check: str) -> None:
    annotations = {f"{ANNOTATION}{check}": "until=2026-11-22 agreed with security"}
    case = WRONG[check][0]
    result = scan(*objects(case, annotations), **case.options)
    (finding,) = [finding for finding in result.findings if finding.check_id == check]
    assert finding.suppressed
    assert finding.suppression_reason == "agreed with security"
    others = [item for item in result.findings if not item.suppressed]
    assert result.summary.total_findings == len(others)


def test_secrets_never_appear_in_what_is_written(scan: Scan) -> None:
    for check in (
        "hardcoded-secret-env",
        "secret-in-args",
        "secret-in-configmap",
        "secret-in-annotation",
        "secret-in-manifest",
    ):
        for case in WRONG[check]:
            text = repr(
                [(f.evidence, f.title, f.description, f.field_path) for f in scan(*objects(case)).findings]
            )
            assert not [
                secret
                for secret in ("Nobody99", "hidden", "h1dden", "ABCDEFGH", "MIIE", "aB3dE5", "Tm9ib2R5")
                if secret in text
            ]


def test_pod_security_standards_are_named_by_the_checks_that_decide_them() -> None:
    named = {
        ref.control_id
        for check in CHECKS
        for ref in control_refs(check, "1.12")
        if ref.framework is Framework.PSS_BASELINE
    }
    assert named >= {"hostNamespaces", "privileged", "hostPathVolumes", "hostPorts", "windowsHostProcess"}


@pytest.mark.parametrize(
    ("version", "numbers"),
    [
        ("1.8", {"5.2.12", "5.7.3", "5.2.9"}),
        ("1.10", {"5.2.12", "5.7.3", "5.2.9"}),
        ("1.11", {"5.2.12", "5.6.3", "5.2.9"}),
        ("1.12", {"5.2.11", "5.6.3"}),
    ],
)
def test_cis_numbers_follow_the_version(version: str, numbers: set[str]) -> None:
    assert version in CIS_VERSIONS
    asked = [
        check for check in CHECKS if check.id in ("host-path", "no-security-context", "dangerous-capability")
    ]
    found = {
        ref.control_id
        for check in asked
        for ref in control_refs(check, version)
        if ref.framework is Framework.CIS
    }
    assert found == numbers


def test_every_category_has_checks() -> None:
    assert {check.category for check in CHECKS} == set(Category)

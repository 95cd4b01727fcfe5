"""Compliance: a control passes only when all of it was checked; everything else says why."""

import copy
import functools
from pathlib import Path

import pytest

from akmatori_sdk._generated.aotanami.models import (
    Category,
    ComplianceControl,
    ComplianceResult,
    ControlStatus,
    Framework,
    MappingBasis,
    Severity,
)
from akmatori_server.kubernetes.checks.catalogue import CHECKS, PACKS
from akmatori_server.kubernetes.checks.controls import CIS_VERSIONS, cis_subjects, cis_version_for
from akmatori_server.kubernetes.compliance import controls_of
from akmatori_server.kubernetes.compliance.catalogue import POD_SECURITY
from akmatori_server.kubernetes.compliance.groups import GROUPS
from akmatori_server.kubernetes.pod_security import CONTROLS, POD_SECURITY_LATEST, Level
from akmatori_server.kubernetes.scans import scan as scanning
from akmatori_server.kubernetes.scans.model import ScanOptions, ScanResult, WorkloadVerdict
from akmatori_server.kubernetes.scans.scan import scan_folders
from akmatori_server.kubernetes.scans.spool import FindingSpool
from tests.server.kubernetes.conftest import TODAY, Scan
from tests.server.kubernetes.corpus import Case, c, ingress, namespace, objects, role, s, write

PRIVILEGED = objects(c(securityContext__privileged=True))
ROLE = objects(role(["get"], ["pods"]))


def catalogue(framework: Framework, version: str = "1.12") -> dict[str, tuple[str, ...]]:
    found = controls_of(framework, cis_version=version, pod_security=POD_SECURITY_LATEST)
    return {control.id: control.checks for control in found}


def only(result: ScanResult) -> ComplianceResult:
    (found,) = result.compliance
    return found


def control(result: ScanResult, name: str) -> ComplianceControl:
    (found,) = [item for item in only(result).controls or [] if item.id == name]
    return found


def reason(found: ComplianceControl) -> str:
    return str((found.evidence or [])[0].description)


@pytest.mark.parametrize(
    ("kubernetes", "benchmark", "controls", "subjects"),
    [
        ((1, 26), "1.8", 35, {"host-path": "5.2.12", "seccomp": "5.7.2", "added-capabilities": "5.2.9"}),
        ((1, 27), "1.9", 35, {"host-port": "5.2.13", "default-namespace": "5.7.4"}),
        ((1, 28), "1.10", 35, {"security-context": "5.7.3"}),
        ((1, 29), "1.11", 35, {"security-context": "5.6.3", "added-capabilities": "5.2.9"}),
        ((1, 31), "1.11", 35, {"host-path": "5.2.12", "assigned-capabilities": "5.2.10"}),
        (
            (1, 32),
            "1.12",
            34,
            {"host-path": "5.2.11", "assigned-capabilities": "5.2.9", "host-port": "5.2.12"},
        ),
        (
            (1, 37),
            "1.12",
            34,
            {"host-process": "5.2.10", "csr-approval": "5.1.11", "token-creation": "5.1.13"},
        ),
    ],
)
def test_cis_numbers_of_each_version(
    kubernetes: tuple[int, int], benchmark: str, controls: int, subjects: dict[str, str]
) -> None:
    assert cis_version_for(kubernetes) == benchmark
    found = cis_subjects(benchmark)
    assert len(found) == controls
    assert len(set(found.values())) == controls
    assert {subject: found[subject] for subject in subjects} == subjects


def test_every_section_of_the_benchmark_has_its_numbers_without_gaps() -> None:
    for version in CIS_VERSIONS:
        numbers = [tuple(map(int, number.split("."))) for number in cis_subjects(version).values()]
        sections = {number[:2] for number in numbers}
        for section in sections:
            last = [number[2] for number in numbers if number[:2] == section]
            assert last == list(range(1, len(last) + 1)), (version, section)


def test_every_check_of_every_framework_exists_and_every_control_has_a_title() -> None:
    known = {check.id for check in CHECKS} | {POD_SECURITY + control.id for control in CONTROLS}
    for framework in Framework:
        for version in CIS_VERSIONS:
            found = list(controls_of(framework, cis_version=version, pod_security=POD_SECURITY_LATEST))
            assert found
            assert len({item.id for item in found}) == len(found)
            assert not [check for item in found for check in item.checks if check not in known]
            assert all(item.checks or item.undecided for item in found), framework
            if framework not in (Framework.PSS_BASELINE, Framework.PSS_RESTRICTED):
                assert all(item.title != item.id for item in found), framework
    grouped = [check for checks in GROUPS.values() for check in checks]
    assert len(set(grouped)) == len(grouped)
    assert {check.id for check in CHECKS} - set(grouped) - PACKS["reliability"] == {
        "run-as-low-uid",
        "pull-policy-mutable-tag",
        "request-above-limit",
        "image-registry-not-allowed",
        "secret-in-manifest",
        "service-external-ip",
        "load-balancer-open",
        "ingress-snippet",
        "deprecated-field",
        "default-namespace",
        "below-namespace-level",
        "namespace-without-pod-security",
    }


def test_a_writable_file_system_is_no_privileged_container(scan: Scan) -> None:
    result = scan(*objects(c(securityContext__readOnlyRootFilesystem=False)))
    assert control(result, "5.2.2").status is ControlStatus.PASSED
    failed = scan(*PRIVILEGED)
    assert control(failed, "5.2.2").status is ControlStatus.FAILED
    assert control(failed, "5.2.2").severity is Severity.CRITICAL
    assert [
        str(item.resource_ref.name) for item in control(failed, "5.2.2").evidence or [] if item.resource_ref
    ] == ["web"]
    assert "Remove securityContext.privileged" in str(control(failed, "5.2.2").remediation_guidance)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("1", "files and processes of the nodes"),
        ("5.3.1", "does not say whether the network plugin"),
        ("5.5.1", "configured on the control plane"),
        ("5.1.1", "No object was read that it is about."),
    ],
)
def test_what_was_not_checked_says_why(scan: Scan, name: str, text: str) -> None:
    found = control(scan(*objects(Case())), name)
    assert found.status is ControlStatus.NOT_CHECKED
    assert text in reason(found)


def test_scanners_that_did_not_run_pass_nothing(scan: Scan) -> None:
    result = scan(*objects(Case()), *ROLE, categories=frozenset({Category.RBAC_AUDIT}))
    assert control(result, "5.1.3").status is ControlStatus.PASSED
    assert control(result, "5.2.2").status is ControlStatus.NOT_CHECKED
    assert "privileged was not asked for" in reason(control(result, "5.2.2"))


def test_what_is_left_out_of_the_findings_still_counts(scan: Scan) -> None:
    wrong = objects(c(securityContext__privileged=True, securityContext__capabilities=None))
    assert scan(*wrong, min_severity=Severity.CRITICAL).compliance == scan(*wrong).compliance


def test_an_input_that_was_not_all_read_passes_nothing(tmp_path: Path) -> None:
    write(tmp_path, *PRIVILEGED, *ROLE)
    (tmp_path / "broken.yaml").write_text("a: [\n")
    result = scan_folders([tmp_path], ScanOptions(today=TODAY))
    assert result.partial
    assert only(result).passed_controls == 0
    assert control(result, "5.2.2").status is ControlStatus.FAILED
    assert reason(control(result, "5.2.3")) == "1 files or documents could not be read."


def test_exceptions_are_told_from_passes(scan: Scan) -> None:
    accepted = {"ignore.aotanami.com/privileged": "until=2026-11-22 agreed"}
    case = c(securityContext__privileged=True)
    result = scan(*objects(case, accepted), frameworks=(Framework.CIS, Framework.PSS_BASELINE))
    cis, baseline = result.compliance
    by_id = {item.id: item.status for item in (*(cis.controls or []), *(baseline.controls or []))}
    assert by_id["5.2.2"] is by_id["privileged"] is ControlStatus.EXCEPTION
    assert (baseline.exception_controls, baseline.failed_controls) == (1, 0)
    # A second workload without the exception fails both.
    other = copy.deepcopy(PRIVILEGED[0])
    other["metadata"]["name"] = "other"
    both = scan(*objects(case, accepted), other, frameworks=(Framework.PSS_BASELINE,))
    assert control(both, "privileged").status is ControlStatus.FAILED


def test_rates_are_of_what_was_checked(scan: Scan) -> None:
    found = only(scan(*PRIVILEGED, frameworks=(Framework.PSS_RESTRICTED,)))
    assert found.total_controls == len(CONTROLS)
    assert (found.failed_controls, found.not_checked_controls) == (2, 0) or found.failed_controls == 1
    checked = found.total_controls - (found.not_checked_controls or 0)
    assert found.pass_rate == round(100 * (found.passed_controls or 0) / checked, 1)
    assert found.framework_version == "v1.37"
    nothing = only(
        scan(namespace("x"), categories=frozenset({Category.RBAC_AUDIT}), frameworks=(Framework.NSA_CISA,))
    )
    assert (nothing.pass_rate, nothing.not_checked_controls) == (0.0, nothing.total_controls)


def test_levels_of_all_workloads_and_what_their_namespace_asks(tmp_path: Path) -> None:
    path = write(tmp_path, *objects(Case()), namespace("shop", enforce="baseline"))
    (tmp_path / "more").mkdir()
    baseline = objects(s(securityContext__seccompProfile=None))[0]
    write(tmp_path / "more", baseline | {"kind": "StatefulSet"})
    seen: list[WorkloadVerdict] = []
    result = scan_folders([path, tmp_path / "more"], ScanOptions(today=TODAY), on_verdict=seen.append)
    assert result.levels == {Level.RESTRICTED: 1, Level.BASELINE: 1}
    assert [(item.workload.kind, item.verdict.level, item.asked) for item in seen] == [
        ("Deployment", Level.RESTRICTED, Level.BASELINE),
        ("StatefulSet", Level.BASELINE, Level.BASELINE),
    ]


def test_who_says_that_a_check_belongs_to_a_control(scan: Scan) -> None:
    bases = {
        item.id: item.basis
        for item in only(scan(*PRIVILEGED, frameworks=(Framework.NIST_800_53,))).controls or []
    }
    assert bases["SC-6"] is MappingBasis.PUBLISHED
    assert bases["AC-3"] is MappingBasis.PROPOSED
    assert bases["CM-6"] is MappingBasis.PUBLISHED
    cis = only(scan(*PRIVILEGED)).controls or []
    assert {item.basis for item in cis} == {MappingBasis.BENCHMARK}


def test_ingress_alone_decides_encryption_in_transmission(scan: Scan) -> None:
    plain, secure = (
        scan(*objects(ingress(rules=[{"host": "a.example"}], tls=tls)), frameworks=(Framework.PCI_DSS,))
        for tls in ([], [{"hosts": ["a.example"]}])
    )
    assert control(plain, "4.2.1").status is ControlStatus.FAILED
    assert control(secure, "4.2.1").status is ControlStatus.PASSED


def test_many_findings_are_sorted_in_a_file_and_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for number in range(30):
        item = copy.deepcopy(PRIVILEGED[0])
        item["metadata"]["name"] = f"web-{number}"
        found.append(item)
    write(tmp_path, *found)
    held = scan_folders([tmp_path], ScanOptions(today=TODAY))
    monkeypatch.setattr(scanning, "FindingSpool", functools.partial(FindingSpool, most=7))
    spooled = scan_folders([tmp_path], ScanOptions(today=TODAY))
    assert isinstance(held.findings, list)
    assert not isinstance(spooled.findings, list)
    assert len(spooled.findings) == len(held.findings) > 30
    for _ in range(2):
        assert [item.id for item in spooled.findings] == [item.id for item in held.findings]
    assert next(iter(held.findings)) in spooled.findings
    assert spooled.summary == held.summary

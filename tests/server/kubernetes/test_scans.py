"""Scans: owners, identities, exceptions, and what they say they did not do."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from akmatori_sdk._generated.aotanami.models import Category, Finding, Severity
from akmatori_server.kubernetes.manifests import ProblemKind
from akmatori_server.kubernetes.scans.exceptions import ExceptionsError, read_exceptions
from akmatori_server.kubernetes.scans.fingerprint import fingerprint
from akmatori_server.kubernetes.scans.model import ScanOptions
from akmatori_server.kubernetes.scans.scan import scan_folders
from akmatori_server.kubernetes.workloads import Reference
from tests.server.kubernetes.cases import WRONG
from tests.server.kubernetes.conftest import TODAY, Scan
from tests.server.kubernetes.corpus import Case, c, env, objects, s, write

GOLDEN = ("12af8965cd5f506cc343f5e8f92c6f9f", "943b8eb263ddb38407b5a63d22edf1d2")
PRIVILEGED = objects(c(securityContext__privileged=True))[0]


def of(findings: Any, check: str) -> list[Finding]:
    return [finding for finding in findings if finding.check_id == check]


def owned(kind: str, name: str, owner: tuple[str, str], **security: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "app", "image": "x", "securityContext": security}]}
    metadata = {
        "name": name,
        "namespace": "shop",
        "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": owner[0], "name": owner[1], "controller": True}
        ],
    }
    if kind == "Pod":
        return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": {"template": {"spec": spec}}}


def test_pods_are_not_checked_beside_what_makes_them(scan: Scan) -> None:
    pods = [owned("Pod", f"web-1-{n}", ("ReplicaSet", "web-1"), privileged=True) for n in "ab"]
    result = scan(*pods, owned("ReplicaSet", "web-1", ("Deployment", "web"), privileged=True), PRIVILEGED)
    (finding,) = of(result.findings, "privileged")
    assert finding.resource.kind == "Deployment"
    assert (result.workloads, result.owned) == (4, 3)


def test_pods_without_what_makes_them_are_checked_once_for_their_top_owner(scan: Scan) -> None:
    pods = [owned("Pod", f"web-1-{n}", ("ReplicaSet", "web-1"), privileged=True) for n in "ab"]
    (alone,) = of(scan(*pods).findings, "privileged")
    assert (alone.resource.kind, alone.occurrences) == ("Pod", 2)
    assert alone.workload
    assert alone.workload.kind == "ReplicaSet"
    (finding,) = of(scan(*pods, owned("ReplicaSet", "web-1", ("Deployment", "web"))).findings, "privileged")
    assert finding.workload
    assert (finding.workload.kind, finding.workload.name) == ("Deployment", "web")


def test_owners_in_a_circle_end(scan: Scan) -> None:
    circle = [owned("ReplicaSet", "a", ("ReplicaSet", "b")), owned("ReplicaSet", "b", ("ReplicaSet", "a"))]
    assert scan(*circle).workloads == 2


def test_identities_stay_when_lines_order_and_versions_change(scan: Scan) -> None:
    first = scan(PRIVILEGED).findings
    moved = scan(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}},
        PRIVILEGED | {"apiVersion": "apps/v1beta2"},
    )
    # That the version is gone is all that is new.
    same = [finding for finding in moved.findings if finding.check_id != "removed-api"]
    assert {finding.id for finding in first} == {finding.id for finding in same}
    assert len(same) + 1 == len(moved.findings)
    assert first[0].source != moved.findings[0].source


def test_identities_are_those_of_every_other_day() -> None:
    web = Reference("Deployment", "shop", "web", "apps/v1")
    # Stored findings are known by these: whoever changes how they are made, loses the history of all of them.
    assert fingerprint("", "privileged", web, "app", "") == GOLDEN[0]
    assert fingerprint("prod", "host-path", web, "", "/srv") == GOLDEN[1]


def test_identities_are_unique(scan: Scan) -> None:
    case = Case({"spec.volumes": [{"hostPath": {"path": "/x"}}] * 2, "spec.containers.0": {"resources": {}}})
    findings = scan(*objects(case), *objects(case)).findings
    assert len({finding.id for finding in findings}) == len(findings) > 10
    assert all(len(finding.id) == 32 for finding in findings)


def test_findings_name_the_field_and_its_line(scan: Scan, tmp_path: Path) -> None:
    (finding,) = of(scan(PRIVILEGED).findings, "privileged")
    assert finding.field_path == "spec.template.spec.containers[0].securityContext.privileged"
    assert finding.source
    assert finding.source.line
    lines = (tmp_path / "all.yaml").read_text().splitlines()
    assert lines[finding.source.line - 1].strip() == "privileged: true"


def test_what_was_not_asked_is_not_found(scan: Scan) -> None:
    result = scan(PRIVILEGED, categories=frozenset({Category.NETWORK_POLICY}), min_severity=Severity.MEDIUM)
    assert {finding.check_id for finding in result.findings} == {"no-network-policy-ingress"}
    assert result.summary.checks_run == 8


def test_system_namespaces_belong_to_kubernetes(scan: Scan) -> None:
    system = PRIVILEGED | {"metadata": {"name": "proxy", "namespace": "kube-system"}}
    found = {finding.check_id for finding in scan(system).findings}
    assert "privileged" in found
    assert "no-network-policy-ingress" not in found
    everything = scan(system, system_namespaces=frozenset())
    assert of(everything.findings, "no-network-policy-ingress")


def test_context_is_found_in_other_files_whatever_their_order(tmp_path: Path) -> None:
    deployment, policy = objects(Case())
    write(tmp_path, deployment, name="a.yaml")
    write(tmp_path, {"apiVersion": "v1", "kind": "List", "items": [policy]}, name="z.yaml")
    result = scan_folders([tmp_path], ScanOptions(today=TODAY))
    assert result.findings == []


@pytest.mark.parametrize(
    ("annotations", "complaint"),
    [
        ({"ignore.aotanami.com/privileged": ""}, "gives no reason"),
        ({"ignore.aotanami.com/privileged": "until=2026-12-01"}, "gives no reason"),
        ({"ignore.aotanami.com/privileged": "until=soon because"}, "has no date"),
        ({"ignore.aotanami.com/privileged": "until=2026-11-21 because"}, "ended on 2026-11-21"),
        ({"ignore.aotanami.com/privilege": "because"}, "names no check"),
    ],
)
def test_annotations_that_except_nothing_are_said(
    scan: Scan, annotations: dict[str, str], complaint: str
) -> None:
    result = scan(*objects(WRONG["privileged"][0], annotations))
    (finding,) = of(result.findings, "privileged")
    assert not finding.suppressed
    assert [complaint in problem.message for problem in result.problems] == [True]


def exceptions(folder: Path, text: str) -> Path:
    path = folder / "exceptions.yaml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("scope", "covers"),
    [
        ("checks: [priv*]", True),
        ("checks: [privileged, reliability]", True),
        ("checks: [reliability]", False),
        (
            "checks: [privileged], namespaces: [shop], kinds: [Deployment], names: ['w*'], containers: [app]",
            True,
        ),
        ("checks: [privileged], expiresAt: 2026-11-22", True),
        ("checks: [privileged], expiresAt: 2026-11-21", False),
        ("namespaces: [other]", False),
        ("checks: [host-path]", False),
        ("checks: [privileged], containers: [sidecar]", False),
    ],
)
def test_exceptions_of_a_file(scan: Scan, tmp_path: Path, scope: str, covers: bool) -> None:
    path = exceptions(tmp_path, f"exceptions:\n- {{{scope}, reason: agreed, approvedBy: ann}}\n")
    (finding,) = of(scan(PRIVILEGED, exceptions=read_exceptions(path)).findings, "privileged")
    assert finding.suppressed is covers
    if covers:
        assert finding.suppression_reason == "agreed (approved by ann)"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("exceptions:\n- checks: [privileged]\n", ":2: every exception needs a reason"),
        ("exceptions:\n- reason: x\n", ":2: this would except everything"),
        ("exceptions:\n- reason: x\n  check: [y]\n", ":3: exceptions have no check"),
        ("exceptions:\n- reason: x\n  checks: [y]\n", ":3: there is no check y"),
        ("exceptions:\n- reason: x\n  checks: privileged\n", ":3: this must be a list"),
        ("exceptions:\n- reason: x\n  names: [a]\n  expiresAt: soon\n", ":4: expiresAt is a date"),
        ("a: 1\n", "needs a list named exceptions"),
        ("", "needs a list named exceptions"),
        ("a: [\n", ":1: This is not valid YAML"),
    ],
)
def test_exceptions_that_mean_nothing_are_refused(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ExceptionsError, match=r"exceptions\.yaml") as refused:
        read_exceptions(exceptions(tmp_path, text))
    assert sentence in str(refused.value)


def test_exceptions_for_everything_are_refused_however_they_are_written(tmp_path: Path) -> None:
    for scope in (
        "checks: ['*']",
        "names: ['*']",
        "namespaces: ['**'], kinds: ['*']",
        "containers: ['?*']",
        "names: ['[a-z]*', '[0-9]*'], containers: []",
        "kinds: ['[A-Z]*']",
        "checks: ['[a-m]*', '[n-z]*']",
    ):
        with pytest.raises(ExceptionsError, match=r":2: this would except everything"):
            read_exceptions(exceptions(tmp_path, f"exceptions:\n- {{{scope}, reason: x}}\n"))
    for scope in (
        "checks: [privileged], names: ['*']",
        "names: ['*-x', 'a*']",
        "checks: ['*'], kinds: [Job]",
    ):
        assert read_exceptions(exceptions(tmp_path, f"exceptions:\n- {{{scope}, reason: x}}\n"))


def test_exceptions_that_do_nothing_are_told(scan: Scan, tmp_path: Path) -> None:
    path = exceptions(
        tmp_path.parent,
        "exceptions:\n"
        "- {checks: [privileged], reason: x, expiresAt: 2026-11-21}\n"
        "- {checks: [privileged], reason: x, expiresAt: 2026-11-22}\n"
        "- {names: [w*], reason: fits as well}\n"
        "- {names: [gone], reason: x}\n",
    )
    accepted = read_exceptions(path)

    def told(**options: Any) -> list[str]:
        problems = scan(PRIVILEGED, exceptions=accepted, **options).problems
        assert {problem.kind for problem in problems} == {ProblemKind.DOUBTFUL}
        return [str(problem) for problem in problems]

    ended = f"{path.as_posix()}:2: This exception ended on 2026-11-21."
    assert told() == [ended, f"{path.as_posix()}:5: This exception fits no finding of this scan."]
    assert told(min_severity=Severity.CRITICAL) == told()
    # It may be for what was not checked.
    assert told(categories=frozenset({Category.POD_SECURITY})) == [ended]
    (tmp_path / "broken.yaml").write_text("a: [\n")
    partial = scan_folders([tmp_path], ScanOptions(today=TODAY, exceptions=accepted)).problems
    assert [str(problem) for problem in partial if problem.kind is ProblemKind.DOUBTFUL] == [ended]


def test_workload_without_containers_is_said(scan: Scan) -> None:
    result = scan(*objects(s(containers=None)))
    assert ["no containers" in problem.message for problem in result.problems] == [True]


def test_two_variables_in_another_order_keep_their_identities(scan: Scan) -> None:
    both = [{"name": "A_TOKEN", "value": "Nobody99"}, {"name": "B_TOKEN", "value": "Nobody99"}]
    one, other = (scan(*objects(c(env=order))).findings for order in (both, both[::-1]))
    assert {finding.id for finding in one} == {finding.id for finding in other}
    assert len(one) == 2


def test_a_day_later_the_same_exception_has_ended(tmp_path: Path) -> None:
    annotations = {"ignore.aotanami.com/hardcoded-secret-env": "until=2026-11-22 test data"}
    path = write(tmp_path, *objects(env("DB_PASSWORD", "Nobody99"), annotations))
    counts = [
        scan_folders([path], ScanOptions(today=TODAY + dt.timedelta(days))).summary.critical
        for days in (0, 1)
    ]
    assert counts == [0, 1]


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.floats(allow_nan=False)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "containers",
                    "initContainers",
                    "securityContext",
                    "resources",
                    "limits",
                    "env",
                    "envFrom",
                    "name",
                    "value",
                    "valueFrom",
                    "ports",
                    "hostPort",
                    "volumes",
                    "hostPath",
                    "path",
                    "capabilities",
                    "add",
                    "image",
                    "args",
                ]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=15,
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    VALUES,
    st.sampled_from(
        [
            "Deployment",
            "NetworkPolicy",
            "ClusterRole",
            "ClusterRoleBinding",
            "RoleBinding",
            "LimitRange",
            "ConfigMap",
            "Namespace",
            "Ingress",
            "Service",
            "PodDisruptionBudget",
            "HorizontalPodAutoscaler",
            "Secret",
        ]
    ),
)
def test_no_shape_of_an_object_makes_a_check_raise(scan: Scan, value: Any, kind: str) -> None:
    networking = "networking.k8s.io/v1"
    group = {
        "Deployment": "apps/v1",
        "NetworkPolicy": networking,
        "Ingress": networking,
        "Namespace": "v1",
        "Service": "v1",
        "PodDisruptionBudget": "policy/v1",
        "HorizontalPodAutoscaler": "autoscaling/v2",
        "Secret": "v1",
    }.get(kind, "rbac.authorization.k8s.io/v1")
    spec = {"template": {"spec": value, "metadata": value}, "podSelector": value, "limits": value}
    spec |= {"ingress": value, "egress": [value], "tls": value, "rules": [value], "policyTypes": value}
    spec |= {
        "selector": value,
        "ports": [value],
        "scaleTargetRef": value,
        "minAvailable": value,
        "replicas": value,
    }
    spec |= {"externalIPs": value, "loadBalancerSourceRanges": value, "type": "LoadBalancer"}
    found = {
        "apiVersion": group,
        "kind": kind,
        "metadata": value,
        "spec": spec,
        "rules": value,
        "subjects": value,
        "roleRef": value,
        "aggregationRule": {"clusterRoleSelectors": value},
        "data": value,
        "stringData": value,
    }
    result = scan(found)
    assert result.objects == 1

"""What points at what: what is not known is not found, and what is switched off is not made."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import CliRunner, Result

from akmatori_server.kubernetes import commands
from akmatori_server.kubernetes.api_versions import OLD_VERSIONS
from akmatori_server.kubernetes.checks.catalogue import CHECKS, PACKS, UnknownCheckError, named_checks
from akmatori_server.kubernetes.clusters.configuration import ClusterConfig
from akmatori_server.kubernetes.clusters.connection import Limits, connect
from akmatori_server.kubernetes.clusters.scanning import scan_cluster
from akmatori_server.kubernetes.links.model import PickingPolicy, PodPickers
from akmatori_server.kubernetes.manifests import ProblemKind
from akmatori_server.kubernetes.scans.model import ScanOptions, ScanResult
from akmatori_server.kubernetes.scans.scan import scan_folders
from akmatori_server.kubernetes.selectors import Selector
from akmatori_server.kubernetes.workloads import Reference
from tests.server.kubernetes.cases_of_links import (
    WEB,
    behind,
    budget,
    of_kind,
    pod,
    scaler,
    secret,
    service,
    web,
)
from tests.server.kubernetes.conftest import TODAY, Scan
from tests.server.kubernetes.corpus import POLICY, Case, objects, write
from tests.support.kube_api import KubeApi, kube_api

Live = Callable[..., ScanResult]
LOST = service({"app": "wbe"}) | {"metadata": {"name": "lost", "namespace": "shop"}}


@pytest.fixture
def api() -> Iterator[KubeApi]:
    with kube_api() as server:
        yield server


@pytest.fixture
def live(api: KubeApi, tmp_path: Path) -> Live:
    """Scan the cluster."""

    def run(**options: Any) -> ScanResult:
        limits = Limits(connect=2, read=1, total=2, wait=1)
        connection = connect(ClusterConfig("test", api.kubeconfig(tmp_path)), limits)
        try:
            return scan_cluster(connection, ScanOptions(today=TODAY, **options))
        finally:
            connection.close()

    return run


def found(result: ScanResult) -> set[str]:
    return {str(item.check_id) for item in result.findings}


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(commands.main, ["scan", *map(str, arguments), "--fail-on", "none"])


def test_a_cluster_tells_what_points_at_nothing(api: KubeApi, live: Live) -> None:
    # Nothing of its namespace is there: in files that would say nothing, a cluster is all there is.
    empty = service() | {"metadata": {"name": "web", "namespace": "empty"}}
    given = {"metadata": {"labels": {"cnpg.io/cluster": "db"}, "name": "db-1", "namespace": "shop"}}
    api.put(POLICY, web(replicas=2), service(), LOST, empty, scaler(minReplicas=2))
    api.put(
        service({"cnpg.io/cluster": "db"}) | {"metadata": {"name": "db", "namespace": "shop"}}, pod() | given
    )
    result = live()
    assert not result.partial
    lost = [item.resource.name for item in result.findings if item.check_id == "service-matches-nothing"]
    assert sorted(lost) == ["lost", "web"]
    assert {"no-disruption-budget", "no-readiness-probe"} <= found(result)
    assert "autoscaler-target-missing" not in found(result)
    assert result.summary.checks_run == len(CHECKS) - 2  # Secrets of files, and the registries


@pytest.mark.parametrize(
    ("path", "unmade"),
    [
        ("/api/v1/services", {"no-readiness-probe", "no-liveness-probe", "single-replica"}),
        ("/apis/policy/v1/poddisruptionbudgets", {"no-disruption-budget"}),
        (
            "/apis/autoscaling/v2/horizontalpodautoscalers",
            {"single-replica", "no-disruption-budget", "disruption-budget-blocks"},
        ),
        (
            "/apis/apps/v1/deployments",
            {
                "service-matches-nothing",
                "network-policy-matches-nothing",
                "disruption-budget-matches-nothing",
                "disruption-budget-blocks",
                "autoscaler-target-missing",
            },
        ),
        ("/api/v1/pods", {"service-matches-nothing", "disruption-budget-blocks"}),
    ],
)
def test_what_was_not_read_is_not_called_missing(
    api: KubeApi, live: Live, path: str, unmade: set[str]
) -> None:
    blocking = budget(minAvailable=2) | {"metadata": {"name": "b", "namespace": "shop"}}
    api.put(POLICY, web(replicas=2), LOST, blocking, scaler(name="gone"))
    api.put(of_kind("apps/v1", "StatefulSet", {"replicas": 2, "template": {"metadata": {"labels": WEB}}}))
    api.forbidden.add(path)
    result = live()
    assert found(result) & unmade == set()
    assert unmade <= result.skipped.keys()
    assert all("not all" in result.skipped[check].lower() for check in unmade)
    assert result.summary.checks_run == len(CHECKS) - 2 - len(result.skipped)
    assert result.partial


def test_a_document_that_cannot_be_read_may_be_what_is_missed(scan: Scan, tmp_path: Path) -> None:
    assert "service-matches-nothing" in found(scan(web(replicas=2), LOST))
    assert "no-disruption-budget" in found(scan(web(replicas=2), LOST))
    (tmp_path / "broken.yaml").write_text("kind: ConfigMap\na: [\n")
    partial = scan_folders([tmp_path], ScanOptions(today=TODAY))
    assert "service-matches-nothing" not in found(partial)
    assert "service-matches-nothing" in partial.skipped
    # It is no budget, as far as it can be seen.
    assert "no-disruption-budget" in found(partial)
    (tmp_path / "broken.yaml").write_text("kind: PodDisruptionBudget\nspec: {{ .Values.budget }}\n")
    partial = scan_folders([tmp_path], ScanOptions(today=TODAY))
    assert "no-disruption-budget" not in found(partial)
    assert "no-disruption-budget" in partial.skipped
    assert ProblemKind.UNREADABLE in {problem.kind for problem in partial.problems}


def test_order_and_files_do_not_matter(tmp_path: Path) -> None:
    write(tmp_path, LOST, service(), budget(maxUnavailable=1), name="a.yaml")
    write(tmp_path, *objects(Case(spec={"replicas": 2})), name="b.yaml")
    first = scan_folders([tmp_path], ScanOptions(today=TODAY))
    (tmp_path / "a.yaml").rename(tmp_path / "c.yaml")
    second = scan_folders([tmp_path], ScanOptions(today=TODAY))
    assert {item.id for item in first.findings} == {item.id for item in second.findings}
    assert found(first) == {"service-matches-nothing", "no-readiness-probe", "no-liveness-probe"}


def test_many_that_point_at_something_are_not_kept(scan: Scan) -> None:
    def named(number: int, app: str = "web") -> dict[str, Any]:
        return service({"app": app}) | {"metadata": {"name": f"s{number}", "namespace": "shop"}}

    before, after = [named(n) for n in range(105)], [named(n) for n in range(105, 210)]
    probe = {"httpGet": {"path": "/", "port": 80}}
    ready = Case({"spec.containers.0.readinessProbe": probe}, (POLICY, named(300, "lost"), *after))
    lost = [
        item for item in scan(*before, *objects(ready)).findings if item.check_id == "service-matches-nothing"
    ]
    assert [item.resource.name for item in lost] == ["s300"]


def test_what_belongs_to_kubernetes_is_left_alone(scan: Scan) -> None:
    def system(item: dict[str, Any]) -> dict[str, Any]:
        return item | {"metadata": {"name": "dns", "namespace": "kube-system"}}

    things = [system(item) for item in (web(replicas=2), service(), LOST, budget(maxUnavailable=0))]
    assert found(scan(*things)) & PACKS["reliability"] == set()
    everything = found(scan(*things, system_namespaces=frozenset()))
    assert {"no-readiness-probe", "disruption-budget-blocks"} <= everything


def test_checks_are_switched_off(tmp_path: Path) -> None:
    path = write(tmp_path, web(replicas=2), service(), LOST, *objects(secret({"password": "Nobody99"})))
    every = json.loads(run(path, "-o", "json").stdout)
    ids = {item["checkId"] for item in every["findings"]}
    assert {"no-readiness-probe", "service-matches-nothing", "secret-in-manifest"} <= ids
    less = run(path, "-o", "json", "--skip-check", "reliability", "--skip-check", "no-network-policy-egress")
    answer = json.loads(less.stdout)
    assert {item["checkId"] for item in answer["findings"]} == ids - PACKS["reliability"] - {
        "no-network-policy-egress"
    }
    # It was a choice: nothing is partial, but what such a check decides is not decided.
    assert (answer["partial"], answer["skippedChecks"], less.exit_code) == (False, [], 0)
    assert answer["summary"]["checksRun"] == every["summary"]["checksRun"] - len(PACKS["reliability"]) - 1
    (control,) = [item for item in answer["compliance"][0]["controls"] if item["id"] == "5.3.2"]
    assert control["status"] == "failed"  # by the other direction
    allowed = write(tmp_path, *objects(Case()), name="b.yaml")
    one = json.loads(run(allowed, "-o", "json", "--skip-check", "no-labels").stdout)
    (control,) = [item for item in one["compliance"][0]["controls"] if item["id"] == "5.3.2"]
    assert control["status"] == "not_checked"
    assert "no-labels is switched off" in control["evidence"][0]["description"]
    refused = run(path, "--skip-check", "no-lables")
    assert refused.exit_code == 2
    assert "There is no check no-lables. Do you mean no-labels?" in refused.stderr


def test_packs_and_names() -> None:
    assert named_checks(["reliability", "privileged"]) == PACKS["reliability"] | {"privileged"}
    assert {"single-replica", "removed-api", "service-matches-nothing"} <= PACKS["reliability"]
    pack = {check.id: check.severity for check in CHECKS if check.id in PACKS["reliability"]}
    # What cannot be applied is no matter of taste.
    assert pack.pop("removed-api") == "high"
    assert set(pack.values()) == {"low"}
    with pytest.raises(UnknownCheckError, match=r"^There is no check \?\.$"):
        named_checks(["?"])
    with pytest.raises(UnknownCheckError, match=r"^network-policy is a scanner, and no check: .*--scanner"):
        named_checks(["network-policy"])


def test_releases_and_registries_are_options(tmp_path: Path) -> None:
    old = of_kind("policy/v1beta1", "PodDisruptionBudget", {"selector": {}})
    path = write(tmp_path, old, *objects(Case()))
    before = json.loads(run(path, "-o", "json", "--kubernetes-version", "v1.24").stdout)
    assert {item["checkId"] for item in before["findings"]} == {"deprecated-api"}
    assert before["compliance"][0]["frameworkVersion"] == "1.8"
    cis = run(path, "-o", "json", "--kubernetes-version", "1.24", "--cis", "1.12", "--registry", "ghcr.io")
    after = json.loads(cis.stdout)
    assert after["compliance"][0]["frameworkVersion"] == "1.12"
    assert "image-registry-not-allowed" in {item["checkId"] for item in after["findings"]}
    (removed,) = json.loads(run(path, "-o", "json").stdout)["findings"]
    assert removed["checkId"] == "removed-api"
    assert removed["evidence"] == "policy/v1beta1: not served from 1.25 on, use policy/v1"
    assert removed["severity"] == "low"  # nobody said where it is applied
    said = run(path, "-o", "json", "--kubernetes-version", "1.33.4")
    assert [item["severity"] for item in json.loads(said.stdout)["findings"]] == ["high"]
    for release in ("x", "1.33.x", "2.1", "", "1.33x"):
        assert "a release, such as 1.33" in run(path, "--kubernetes-version", release).stderr, release
    for registry in ("https://ghcr.io/acme", "ghcr.io/*", "", "acme", "ghcr.io/acme/app:1", "ghcr.io/Acme"):
        refused = run(path, "--registry", registry)
        assert (refused.exit_code, "such as ghcr.io/acme" in " ".join(refused.stderr.split())) == (2, True)


def test_what_the_environment_says_of_checks_counts_unless_an_option_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = of_kind("policy/v1beta1", "PodDisruptionBudget", {"selector": {}})
    path = write(tmp_path, old, *objects(Case()))
    monkeypatch.setenv("AKMATORI_SCAN_REGISTRIES", "Registry.EXAMPLE:5000/, docker.io")
    monkeypatch.setenv("AKMATORI_SCAN_SKIP", "deprecated-api")
    monkeypatch.setenv("AKMATORI_SCAN_KUBERNETES_VERSION", "1.24")

    def ids(*options: str) -> set[str]:
        return {item["checkId"] for item in json.loads(run(path, "-o", "json", *options).stdout)["findings"]}

    assert ids() == set()
    assert ids("--skip-check", "no-labels") == {"deprecated-api"}
    assert ids("--kubernetes-version", "1.25") == {"removed-api"}
    assert ids("--registry", "ghcr.io") == {"image-registry-not-allowed"}
    for name in ("SKIP", "REGISTRIES", "KUBERNETES_VERSION"):
        with monkeypatch.context() as inside:
            inside.setenv(f"AKMATORI_SCAN_{name}", "*")
            refused = run(path)
            assert (refused.exit_code, f"AKMATORI_SCAN_{name}" in refused.stderr) == (2, True)


def test_a_single_replica_of_an_autoscaler_is_found_where_it_is_written(scan: Scan) -> None:
    claim = {"spec.volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "files"}}]}
    one = scan(*objects(behind(service(), scaler(maxReplicas=5), changes=claim)))
    (found_one,) = [item for item in one.findings if item.check_id == "single-replica"]
    assert found_one.evidence
    assert re.fullmatch(
        r"Service web; HorizontalPodAutoscaler web \(.*all\.yaml:\d+\) asks for 1 at least",
        found_one.evidence,
    )
    assert "share the claim files" in found_one.recommendation
    plain = scan(*objects(behind(service())))
    (found_plain,) = [item for item in plain.findings if item.check_id == "single-replica"]
    assert found_plain.evidence == "Service web"
    assert "two replicas or more" in found_plain.recommendation


def test_the_release_of_a_cluster_decides_what_is_gone(api: KubeApi, live: Live) -> None:
    api.version = "v1.21.9"
    applied = {
        "kubectl.kubernetes.io/last-applied-configuration": '{"apiVersion":"extensions/v1beta1","kind":"x"}'
    }
    api.put(of_kind("networking.k8s.io/v1", "Ingress", {}, annotations=applied))
    assert {"deprecated-api"} == found(live()) & {"deprecated-api", "removed-api"}
    assert {"removed-api"} == found(live(release=(1, 22))) & {"deprecated-api", "removed-api"}


def test_old_versions_are_replaced_before_they_go() -> None:
    for (version, kind), old in OLD_VERSIONS.items():
        assert old.since <= old.removed <= (1, 32), (version, kind)
        assert old.replacement.split(" ")[0] not in {name for name, other in OLD_VERSIONS if other == kind}


def test_pods_are_not_held_against_everybody() -> None:
    asked: list[str] = []

    @attrs.frozen
    class Counting(Selector):
        def picks(self, labels: Any) -> bool:
            asked.append(self.labels["app"])
            return super().picks(labels)

    def picker(name: str) -> PickingPolicy:
        labels = {"team": "x", "app": name}
        return PickingPolicy(Reference("NetworkPolicy", "shop", name), Counting(labels, ()))

    pickers = PodPickers[PickingPolicy].of([picker(f"a{n}") for n in range(1000)])
    (one,) = pickers.picking("shop", {"team": "x", "app": "a7", "other": "y"})
    assert one.reference.name == "a7"
    assert asked == ["a7"]
    assert list(pickers.picking("other", {"team": "x", "app": "a7"})) == []

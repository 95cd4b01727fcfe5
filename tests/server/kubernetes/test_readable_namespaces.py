"""Clusters where a few namespaces may be read, and nothing of all of them: what is there is told, and what is not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from akmatori_server.database import Database
from akmatori_server.errors import Unavailable
from akmatori_server.installation import utc_now
from akmatori_server.kubernetes import commands
from akmatori_server.kubernetes.clusters import connection as connections
from akmatori_server.kubernetes.clusters.access import FEATURES, NAMESPACES, Feature
from akmatori_server.kubernetes.clusters.by_namespace import ASKED_AT_ONCE, Lister, NarrowedError
from akmatori_server.kubernetes.clusters.configuration import ClusterConfig
from akmatori_server.kubernetes.clusters.connection import (
    Connection,
    ForbiddenError,
    Limits,
    NotServedError,
    UnreachableError,
    connect,
)
from akmatori_server.kubernetes.clusters.metrics import read_metrics
from akmatori_server.kubernetes.clusters.scanning import scan_cluster
from akmatori_server.kubernetes.drift.service import DriftOptions, DriftService
from akmatori_server.kubernetes.drift.source import DesiredState
from akmatori_server.kubernetes.drift.store import Wanted
from akmatori_server.kubernetes.scans.model import ScanOptions, ScanResult
from akmatori_server.kubernetes.targets import ClusterTarget
from tests.server.kubernetes.conftest import TODAY
from tests.server.kubernetes.corpus import c, limit_range, namespace, objects, policy
from tests.server.kubernetes.costs import test_live as costs
from tests.server.kubernetes.incidents import world as incidents
from tests.server.kubernetes.reports import test_runs as runs
from tests.support.kube_api import KubeApi, kube_api

FAST = Limits(connect=2, read=0.3, total=0.6, wait=1)
CONFIG_MAP = next(item for item in FEATURES[Feature.SCANS] if item.plural == "configmaps")
ROLE = next(item for item in FEATURES[Feature.SCANS] if item.plural == "clusterroles")
ALL = ("ops", "pay", "shop")
EMBEDDED = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def moved(found: dict[str, Any], to: str) -> dict[str, Any]:
    """Return an object in another namespace."""
    return found | {"metadata": found["metadata"] | {"namespace": to}}


def config_map(name: str, where: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": where}}


WRONG = objects(c(securityContext__privileged=True))[0]
READER = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "reader", "namespace": "shop"},
    "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}],
}
DENY = policy(podSelector={}, policyTypes=["Ingress", "Egress"])


@pytest.fixture
def api() -> Iterator[KubeApi]:
    """Three namespaces with a workload each; `pay` is protected, and its LimitRange sets what is missing."""
    with kube_api(namespace(name) for name in ALL) as server:
        server.put(*(moved(WRONG, name) for name in ALL))
        server.put(moved(DENY, "pay"), moved(limit_range(default={"cpu": "1", "memory": "1Gi"}), "pay"))
        server.put(READER)
        server.only_in = {"pay", "shop"}
        yield server


@pytest.fixture
def connected(api: KubeApi, tmp_path: Path) -> Iterator[Callable[..., Connection]]:
    opened: list[Connection] = []

    def opening(*readable: str, limits: Limits | None = None) -> Connection:
        config = ClusterConfig("test", api.kubeconfig(tmp_path), readable_namespaces=readable)
        opened.append(connect(config, limits))
        return opened[-1]

    yield opening
    for one in opened:
        one.close()


def config(api: KubeApi, folder: Path, *readable: str) -> ClusterTarget:
    return ClusterTarget(ClusterConfig("prod", api.kubeconfig(folder), readable_namespaces=readable))


def found_in(result: ScanResult, check: str) -> set[str]:
    return {
        str(item.resource.namespace or item.resource.name)
        for item in result.findings
        if item.check_id == check
    }


def names(found: Iterator[Any]) -> list[str]:
    return [item["metadata"]["name"] for item in found]


def test_two_namespaces_give_a_useful_partial_scan(connected: Callable[..., Connection]) -> None:
    """What rests on the namespace is checked there; what rests on the whole cluster is not checked at all."""
    result = scan_cluster(connected("pay", "shop"), ScanOptions(today=TODAY))
    assert result.partial
    assert found_in(result, "privileged") == {"pay", "shop"}
    # The policy of pay was read, and that shop has none is known.
    assert found_in(result, "no-network-policy-ingress") == {"shop"}
    assert found_in(result, "namespace-without-network-policy") == {"shop"}
    assert found_in(result, "namespace-without-pod-security") == {"pay", "shop"}
    assert found_in(result, "rbac-secrets-read") == {"shop"}
    assert {"workload-takeover", "cluster-admin-binding"} <= result.skipped.keys()
    assert not {"no-network-policy-ingress", "no-cpu-limit", "token-automount"} & result.skipped.keys()
    *others, narrowed = result.problems
    assert [problem.missing for problem in others] == [{"ClusterRole"}, {"ClusterRoleBinding"}]
    assert narrowed.known_in == {"pay", "shop"}


def test_the_sentence_names_kinds_and_namespaces(connected: Callable[..., Connection]) -> None:
    result = scan_cluster(connected("ops", "pay", "shop"), ScanOptions(today=TODAY))
    (narrowed,) = [problem for problem in result.problems if problem.known_in]
    kinds = [
        item.kind
        for item in FEATURES[Feature.SCANS]
        if item.kind not in ("ClusterRole", "ClusterRoleBinding")
    ]
    assert narrowed.message == (
        f"In the namespaces pay and shop alone were read: {', '.join(kinds)}. The cluster test forbids a list of all"
        " namespaces; the namespace ops could not be read either."
    )
    assert narrowed.missing == set(kinds)
    assert narrowed.known_in == {"pay", "shop"}
    (cis,) = result.compliance
    by_id = {item.id: item for item in cis.controls or []}
    # What was found is found; that nothing was found says nothing of the rest.
    assert by_id["5.2.2"].status == "failed"
    assert by_id["5.2.3"].status == "not_checked"
    assert "Not all" in str((by_id["5.2.3"].evidence or [])[0].description)
    assert by_id["5.1.3"].status == "not_checked"


def test_a_kind_that_is_read_in_fewer_namespaces_is_judged_there(
    api: KubeApi, connected: Callable[..., Connection]
) -> None:
    """All workloads may be listed, policies in one namespace alone: elsewhere nobody is called unprotected."""
    api.only_in = None
    base = "/apis/networking.k8s.io/v1/"
    api.forbidden |= {
        f"{base}networkpolicies",
        *(f"{base}namespaces/{n}/networkpolicies" for n in ("ops", "pay")),
    }
    result = scan_cluster(connected(), ScanOptions(today=TODAY))
    assert found_in(result, "privileged") == set(ALL)
    assert found_in(result, "no-network-policy-ingress") == {"shop"}
    assert found_in(result, "namespace-without-network-policy") == {"shop"}
    (problem,) = result.problems
    assert problem.message.startswith("In the namespace shop alone were read: NetworkPolicy.")
    (cis,) = result.compliance
    (control,) = [item for item in cis.controls or [] if item.id == "5.3.2"]
    assert control.status == "failed"


def test_where_namespaces_may_be_listed_all_of_them_are_read(
    api: KubeApi, connected: Callable[..., Connection]
) -> None:
    """And when each of them could be, nothing is missing."""
    api.only_in = None
    api.forbidden.add(CONFIG_MAP.path)
    api.put(*(config_map(f"m{n}", where) for where in ALL for n in range(30)))
    lister = Lister(connected())
    assert names(lister.items(CONFIG_MAP)) == [f"m{n}" for _ in ALL for n in range(30)]
    assert not scan_cluster(connected(), ScanOptions(today=TODAY)).partial


def test_a_few_are_asked_at_once_and_a_page_of_each_is_in_memory(
    api: KubeApi, connected: Callable[..., Connection]
) -> None:
    many = [f"n{number:02}" for number in range(12)]
    api.only_in = set(many)
    api.put(*(config_map(f"m{number:02}", where) for where in many for number in range(60)))
    lock, running, most = threading.Lock(), 0, 0

    class Counting(set[str]):
        """Stands where the server looks first, and keeps a request for a moment."""

        def __contains__(self, path: object) -> bool:
            nonlocal running, most
            if "/namespaces/" in str(path):
                with lock:
                    running += 1
                    most = max(most, running)
                api.stopping.wait(0.02)
                with lock:
                    running -= 1
            return False

    api.drip = Counting()
    found = Lister(connected(*many)).items(CONFIG_MAP)
    assert names(iter([next(found)])) == ["m00"]
    while len(api.asked) < 1 + ASKED_AT_ONCE:
        time.sleep(0.01)
    assert {asked.path for asked in api.asked[1:]} == {CONFIG_MAP.path_in(where) for where in many[:4]}
    rest: list[Any] = []
    with pytest.raises(NarrowedError):
        rest.extend(found)
    assert len(rest) == 12 * 60 - 1
    assert 1 < most <= ASKED_AT_ONCE


def test_failures_on_the_way(api: KubeApi, connected: Callable[..., Connection]) -> None:
    """A namespace that breaks is named, a cluster that stops answering ends it, nothing readable stays forbidden."""
    broken = CONFIG_MAP.path_in("pay")
    api.put(*(config_map("m", where) for where in ALL))
    api.broken[broken] = b"<html>"
    given: list[str] = []
    with pytest.raises(NarrowedError, match=r"the namespace pay could not be read either\..* no JSON\.$"):
        given += names(Lister(connected("pay", "shop")).items(CONFIG_MAP))
    with pytest.raises(ForbiddenError, match="configmaps is forbidden"):
        names(Lister(connected("ops")).items(CONFIG_MAP))
    with pytest.raises(ForbiddenError, match="clusterroles is forbidden"):
        names(Lister(connected("pay")).items(ROLE))
    with pytest.raises(ForbiddenError):
        names(Lister(connected()).items(CONFIG_MAP))
    api.absent.add(CONFIG_MAP.path_in("shop"))
    with pytest.raises(NotServedError):
        names(Lister(connected("shop")).items(CONFIG_MAP))
    api.slow[broken] = 5
    with pytest.raises(UnreachableError):
        names(Lister(connected("pay", "shop", limits=FAST)).items(CONFIG_MAP))
    api.slow["/api/v1/namespaces/pay"] = 5
    with pytest.raises(UnreachableError):
        names(Lister(connected("pay", "shop", limits=FAST)).items(NAMESPACES))


def test_rights_that_end_in_the_middle_of_a_list_begin_no_other(
    api: KubeApi, connected: Callable[..., Connection]
) -> None:
    api.only_in = None
    api.put(*(config_map(f"m{number}", "shop") for number in range(60)))
    found = Lister(connected("shop")).items(CONFIG_MAP)
    next(found)
    api.forbidden.add(CONFIG_MAP.path)
    with pytest.raises(ForbiddenError):
        list(found)
    assert CONFIG_MAP.path_in("shop") not in api.paths()


def test_the_namespace_of_the_credentials_is_read_where_nothing_else_is_known(
    api: KubeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That of the kubeconfig's context, or of the pod; `kubectl` takes the same."""
    path = api.kubeconfig(tmp_path)
    written = yaml.safe_load(path.read_text())
    written["contexts"][0]["context"]["namespace"] = "shop"
    path.write_text(yaml.safe_dump(written))
    done = CliRunner().invoke(commands.main, ["scan", "--kubeconfig", str(path), "-o", "json"])
    answer = json.loads(done.stdout)
    assert {
        item["resource"]["namespace"] for item in answer["findings"] if item["checkId"] == "privileged"
    } == {"shop"}
    for variable, arguments, where in (
        ("", ("--readable-namespace", "pay"), {"pay"}),
        ("pay, shop", (), {"pay", "shop"}),
    ):
        scan = ["scan", "--kubeconfig", str(path), "-o", "json", "--fail-on", "none", *arguments]
        done = CliRunner().invoke(commands.main, scan, env={"AKMATORI_READABLE_NAMESPACES": variable})
        assert done.exit_code == 3
        assert {item["resource"].get("namespace") for item in json.loads(done.stdout)["findings"]} >= where
    refused = CliRunner().invoke(
        commands.main, ["scan", "--kubeconfig", str(path), "--readable-namespace", "A"]
    )
    assert (refused.exit_code, "A is no name of a namespace" in refused.stderr) == (2, True)
    assert connections.own_namespace(ClusterConfig("a", path, "test")) == "shop"
    assert connections.own_namespace(ClusterConfig("a", path, "other")) == ""
    assert connections.own_namespace(ClusterConfig("a", tmp_path / "nothing")) == ""
    assert connections.own_namespace(ClusterConfig("a", in_cluster=True)) == ""
    (tmp_path / "namespace").write_text("pay\n")
    monkeypatch.setattr(connections, "SERVICE_ACCOUNT_NAMESPACE", tmp_path / "namespace")
    assert connections.own_namespace(ClusterConfig("a", in_cluster=True)) == "pay"


@EMBEDDED
def test_what_is_mended_where_all_was_read_is_mended(
    api: KubeApi, database: Database, tmp_path: Path
) -> None:
    """Of a cluster that is always read in part; what was found elsewhere before is neither mended nor forgotten."""
    api.only_in = None
    world = runs.World(database, config(api, tmp_path, "pay", "shop"))
    assert world.scan().phase == "Completed"
    assert {where for check, where in _places(world) if check == "privileged"} == set(ALL)

    api.only_in = {"pay", "shop"}
    api.objects["/apis/apps/v1/deployments"] = []
    api.objects["/api/v1/namespaces"][1]["metadata"]["labels"] = {
        "pod-security.kubernetes.io/enforce": "baseline"
    }
    scan = world.scan()
    assert scan.phase == "Degraded"
    left = _places(world)
    assert {where for check, where in left if check == "privileged"} == {"ops"}
    assert {where for check, where in left if check == "namespace-without-pod-security"} == {"ops", "shop"}
    (error,) = [one for one in scan.errors or () if "In the namespaces pay and shop alone" in one.message]
    assert error.target == "prod"

    # Whoever asks for these namespaces alone misses nothing of their workloads.
    scoped = world.scan(namespaces=frozenset({"pay"}))
    assert not [one for one in scoped.errors or () if "alone" in one.message]


def _places(world: runs.World) -> set[tuple[str, str]]:
    rows, _ = world.service.findings(runs.NO_FILTER, None, offset=0, limit=200)
    return {(str(one.check_id), str(one.resource.namespace or one.resource.name)) for one in rows}


@EMBEDDED
def test_incidents_of_the_namespaces_that_are_read_open_and_end(database: Database, tmp_path: Path) -> None:
    """An incident elsewhere stays open, for nobody knows."""
    with kube_api() as api:
        world = incidents.World(api, database, tmp_path, readable_namespaces=("shop",))
        elsewhere = moved(incidents.crashing(world.now, 1, "b"), "ops")
        world.read(incidents.crashing(world.now, 1), elsewhere)
        assert [one.case.status for one in world.all()] == ["open", "open"]
        api.only_in = {"shop"}
        world.read(incidents.pod(restarts=2))
        for _ in range(4):
            world.read(after=6)
        assert {one.case.key.namespace: one.case.status for one in world.all()} == {
            "shop": "resolved",
            "ops": "open",
        }


@EMBEDDED
def test_costs_of_the_namespaces_that_are_read(database: Database, tmp_path: Path) -> None:
    """Sampled, reckoned, and said to be of these alone; without the autoscalers no size is recommended."""
    elsewhere = moved(costs.pod("d", "etl"), "ops")
    with kube_api([costs.pod("a", "web"), elsewhere]) as api:
        used = [
            costs.metrics("a", "web", "100m", "200Mi"),
            moved(costs.metrics("d", "etl", "1", "1Gi"), "ops"),
        ]
        api.objects[costs.METRICS_PATH] = used
        api.only_in = {"shop"}
        cluster = costs.Cluster(api, database, tmp_path, readable_namespaces=("shop",))
        for day in (0, 1, 2):
            cluster.now = costs.START + timedelta(days=day)
            cluster.service().sample()
        analysis = cluster.service().analysis(namespaces=frozenset(), window_seconds=7 * 86_400)
        assert [one.resource.name for one in analysis.by_workload or ()] == ["web"]
        assert analysis.metrics is not None
        assert analysis.metrics.source == "metricsApi"
        (told, *_) = [text for text in analysis.problems or () if "alone" in text]
        assert told.startswith("cluster/prod: In the namespace shop alone were read: ")
        assert [one.type for one in cluster.service().recommendations(**costs.ALL)] == ["downsize"]
        api.forbidden.add("/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers")
        assert cluster.service().recommendations(**costs.ALL) == []
        api.only_in = set()
        with pytest.raises(Unavailable, match="No Pod objects were read"):
            cluster.service().analysis(namespaces=frozenset(), window_seconds=86_400)
        api.only_in = {"shop"}
        target = config(api, tmp_path, "shop", "ops")
        connection = connect(target.config)
        read = read_metrics(connection)
        connection.close()
        assert [one.namespace for one in read.containers] == ["shop"]
        assert "the namespace ops could not be read either" in read.problems[0]


@EMBEDDED
def test_drift_of_the_namespaces_that_are_read(database: Database, tmp_path: Path) -> None:
    """What could not be looked at is neither deleted nor in order: it is named."""
    desired = [config_map(name, where) for where in ("ops", "shop") for name in ("a", "b")]
    (tmp_path / "desired").mkdir()
    (tmp_path / "desired" / "all.json").write_text(
        json.dumps({"kind": "List", "apiVersion": "v1", "items": desired})
    )
    with kube_api([config_map("a", "shop"), config_map("a", "ops")]) as api:
        api.only_in = {"shop"}
        options = DriftOptions(
            desired=DesiredState(tmp_path / "desired"), target=config(api, tmp_path, "shop")
        )
        drift = DriftService(database, options, now=utc_now)
        ops, shop = sorted(
            drift.namespaces(only_drifted=False, wanted=frozenset()), key=lambda one: one.namespace
        )
        assert (shop.namespace, shop.drift_count, shop.managed_resources) == ("shop", 1, 2)
        assert (ops.namespace, ops.drift_count, ops.managed_resources) == ("ops", 0, 0)
        assert (ops.problems or [])[0] == "Not compared, because they are not read: ConfigMap."
        assert any("In the namespace shop alone were read" in text for text in shop.problems or ())
        (row,), _ = drift.entries("shop", Wanted(), offset=0, limit=10)
        assert (row.type, row.name) == ("deleted", "b")
        assert drift.entries("ops", Wanted(), offset=0, limit=10)[1] == 0


@EMBEDDED
def test_a_list_that_breaks_off_adds_nothing(database: Database, tmp_path: Path) -> None:
    """What was read of it is desired, and so not added, although it was not compared."""
    desired = [config_map(f"m{number}", "shop") for number in range(60)]
    (tmp_path / "desired").mkdir()
    (tmp_path / "desired" / "all.json").write_text(
        json.dumps({"kind": "List", "apiVersion": "v1", "items": desired})
    )
    with kube_api(desired) as api:
        api.gone = ["/api/v1/configmaps"] * 4
        options = DriftOptions(desired=DesiredState(tmp_path / "desired"), target=config(api, tmp_path))
        drift = DriftService(database, options, now=utc_now)
        (shop,) = drift.namespaces(only_drifted=False, wanted=frozenset())
    assert (shop.drift_count, (shop.problems or [])[0]) == (
        0,
        "Not compared, because they are not read: ConfigMap.",
    )

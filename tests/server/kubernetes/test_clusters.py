"""Live clusters: what is read of them over HTTP, and every way in which they fail."""

import copy
import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
import yaml
from click.testing import CliRunner, Result

from akmatori_sdk._generated.aotanami.models import Category
from akmatori_server.kubernetes import commands
from akmatori_server.kubernetes.clusters import connection as connections
from akmatori_server.kubernetes.clusters.access import FEATURES, PATHS, Feature, resources
from akmatori_server.kubernetes.clusters.configuration import (
    ClusterConfig,
    ClustersError,
    cluster_name,
    read_clusters,
)
from akmatori_server.kubernetes.clusters.connection import (
    ClusterError,
    Connection,
    Limits,
    NotServedError,
    RefusedError,
    UnreachableError,
    connect,
)
from akmatori_server.kubernetes.clusters.facts import minor_version, read_facts
from akmatori_server.kubernetes.clusters.listing import MOST_RESTARTS, list_items
from akmatori_server.kubernetes.clusters.metrics import read_metrics
from akmatori_server.kubernetes.clusters.role import cluster_role, role_rules
from akmatori_server.kubernetes.clusters.scanning import scan_cluster
from akmatori_server.kubernetes.quantities import parse_quantity
from akmatori_server.kubernetes.scans.model import ScanOptions, ScanResult
from akmatori_server.kubernetes.scans.scan import scan_folders
from tests.server.kubernetes.conftest import TODAY
from tests.server.kubernetes.corpus import Case, c, namespace, objects, rbac_objects, write
from tests.support.kube_api import TOKEN, KubeApi, kube_api

DEPLOYMENTS = "/apis/apps/v1/deployments"
POLICIES = "/apis/networking.k8s.io/v1/networkpolicies"
CONFIG_MAPS = "/api/v1/configmaps"
CONFIG_MAP = next(item for item in FEATURES[Feature.SCANS] if item.plural == "configmaps")
USUAL = Limits(connect=5, read=20, total=30, wait=1)
# For servers that are slow; a machine that has much to do is, too.
FAST = Limits(connect=2, read=0.3, total=0.6, wait=1)
WRONG = objects(c(securityContext__privileged=True))


@pytest.fixture
def api() -> Iterator[KubeApi]:
    with kube_api() as server:
        yield server


@pytest.fixture
def connected(api: KubeApi, tmp_path: Path) -> Iterator[Callable[..., Connection]]:
    opened: list[Connection] = []

    def opening(limits: Limits = USUAL) -> Connection:
        opened.append(connect(ClusterConfig("test", api.kubeconfig(tmp_path)), limits))
        return opened[-1]

    yield opening
    for one in opened:
        one.close()


def scan(connection: Connection, **options: Any) -> ScanResult:
    return scan_cluster(connection, ScanOptions(today=TODAY, **options))


def config_maps(count: int, size: int = 1) -> list[dict[str, Any]]:
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    return [
        kind | {"metadata": {"name": f"m{n}", "namespace": "a"}, "data": {"x": "y" * size}}
        for n in range(count)
    ]


def names(found: Any) -> list[str]:
    return [item["metadata"]["name"] for item in found]


def test_same_objects_give_the_same_findings_as_manifests(
    api: KubeApi, connected: Callable[..., Connection], tmp_path: Path
) -> None:
    found = [*WRONG, namespace("shop", enforce="baseline")]
    app = {"kind": "ServiceAccount", "name": "app", "namespace": "shop"}
    found += rbac_objects([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}], app)
    folder = tmp_path / "manifests"
    folder.mkdir()
    # The server adds who wrote what, and how it goes; none of it is checked.
    for item in copy.deepcopy(found):
        item["metadata"]["managedFields"] = [{"manager": "x"}]
        api.put(item | {"status": {"conditions": []}})
    live = scan(connected())
    options = ScanOptions(today=TODAY, cluster="test", pod_security=(1, 32))
    written = scan_folders([write(folder, *found)], options)
    assert {item.id for item in live.findings} == {item.id for item in written.findings}
    assert {"privileged", "below-namespace-level"} <= {str(item.check_id) for item in live.findings}
    assert not live.partial
    assert not any(item.source for item in live.findings)
    assert all(item.cluster == "test" for item in live.findings)


def test_pods_of_what_was_read_are_not_checked_again(
    api: KubeApi, connected: Callable[..., Connection]
) -> None:
    def owned(kind: str, name: str, owner: str, by: str) -> dict[str, Any]:
        reference = {"apiVersion": "apps/v1", "kind": owner, "name": by, "controller": True}
        metadata = {"name": name, "namespace": "shop", "ownerReferences": [reference]}
        spec: dict[str, Any] = {"containers": [{"name": "app", "image": "x"}]}
        version = "v1" if kind == "Pod" else "apps/v1"
        body = spec if kind == "Pod" else {"template": {"spec": spec}}
        return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": body}

    api.put(
        *WRONG,
        owned("ReplicaSet", "web-1", "Deployment", "web"),
        *(owned("Pod", f"web-1-{n}", "ReplicaSet", "web-1") for n in range(3)),
    )
    result = scan(connected())
    assert (result.workloads, result.owned) == (5, 4)
    assert {item.resource.kind for item in result.findings} == {"Deployment"}


def test_lists_are_read_page_by_page(api: KubeApi, connected: Callable[..., Connection]) -> None:
    api.put(*config_maps(60))
    assert names(list_items(connected(), CONFIG_MAP)) == [f"m{n}" for n in range(60)]
    assert [(asked.query.get("limit"), asked.query.get("continue")) for asked in api.asked] == [
        ("25", None),
        ("25", "25"),
        ("25", "50"),
    ]
    assert {asked.authorization for asked in api.asked} == {f"Bearer {TOKEN}"}


def test_one_page_is_held_at_a_time(api: KubeApi, connected: Callable[..., Connection]) -> None:
    api.put(*config_maps(60))
    items = list_items(connected(), CONFIG_MAP)
    next(items)
    assert len(api.asked) == 1


def test_expired_lists_are_begun_again_and_nothing_is_given_twice(
    api: KubeApi, connected: Callable[..., Connection]
) -> None:
    api.put(*config_maps(60))
    api.gone = [CONFIG_MAPS] * 2
    assert names(list_items(connected(), CONFIG_MAP)) == [f"m{n}" for n in range(60)]


def test_list_that_expires_again_and_again_is_partly_read(
    api: KubeApi, connected: Callable[..., Connection]
) -> None:
    api.put(*config_maps(60), *WRONG)
    api.gone = [CONFIG_MAPS] * (MOST_RESTARTS + 1)
    result = scan(connected())
    assert result.partial
    (problem,) = result.problems
    assert problem.message.startswith("Only a part of all ConfigMap objects were read.")
    assert "lost its place in the list 4 times" in problem.message
    assert result.objects == 25 + len(WRONG)


def test_pages_that_are_too_large_are_asked_for_in_smaller_ones(
    api: KubeApi, connected: Callable[..., Connection]
) -> None:
    api.put(*config_maps(30, size=3000))
    limits = attrs.evolve(USUAL, bytes=20_000)
    assert len(names(list_items(connected(limits), CONFIG_MAP))) == 30
    assert [asked.query["limit"] for asked in api.asked][:2] == ["25", "6"]
    with pytest.raises(ClusterError, match="more than 1000 bytes"):
        list(list_items(connected(attrs.evolve(USUAL, bytes=1000)), CONFIG_MAP))


def test_a_kind_that_is_forbidden_is_said_and_what_rests_on_it_is_not_checked(
    api: KubeApi, connected: Callable[..., Connection]
) -> None:
    api.put(*WRONG)
    api.forbidden.add(POLICIES)
    result = scan(connected())
    (problem,) = result.problems
    assert (problem.kind, problem.missing, problem.file) == ("not-read", {"NetworkPolicy"}, "cluster/test")
    assert problem.message.startswith("No NetworkPolicy objects were read. The cluster test forbids it:")
    assert "Grant list on networkpolicies" in problem.message
    assert result.partial
    checks = {str(item.check_id) for item in result.findings}
    assert "privileged" in checks
    # Without the policies every pod would look unprotected.
    assert not [check for check in checks if "network-policy" in check]
    assert "no-network-policy-ingress" in result.skipped
    (cis,) = result.compliance
    (control,) = [item for item in cis.controls or [] if item.id == "5.3.2"]
    assert control.status == "not_checked"
    assert "NetworkPolicy" in str((control.evidence or [])[0].description)


def test_a_kind_that_is_not_asked_for_is_not_read(api: KubeApi, connected: Callable[..., Connection]) -> None:
    api.put(*WRONG)
    api.forbidden.add(CONFIG_MAPS)
    result = scan(connected(), categories=frozenset({Category.POD_SECURITY}))
    assert not result.partial
    assert CONFIG_MAPS not in api.paths()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'{"items": [', "something that is no JSON"),
        (b"<html>", "something that is no JSON"),
        (b"[]", "JSON that is no object"),
        (b'{"kind": "X", "items": 3}', "with no list"),
        (b'{"items": [3]}', "items that are no objects"),
        (
            b'{"items": [{"metadata": {"name": {}}, "spec": ' + b'{"a":' * 200 + b"1" + b"}" * 200 + b"}]}",
            "levels",
        ),
    ],
)
def test_answers_that_are_no_lists(
    api: KubeApi, connected: Callable[..., Connection], content: bytes, sentence: str
) -> None:
    api.put(*WRONG)
    api.broken[DEPLOYMENTS] = content
    result = scan(connected())
    assert result.partial
    assert [problem.missing for problem in result.problems] == [{"Deployment"}]
    assert sentence in result.problems[0].message


def test_a_cluster_that_stops_answering_is_not_asked_for_the_rest(
    api: KubeApi, connected: Callable[..., Connection]
) -> None:
    api.put(*WRONG)
    api.slow["/apis/apps/v1/statefulsets"] = 5
    result = scan(connected(FAST))
    assert "it took too long" in result.problems[0].message
    missing = [kind for problem in result.problems for kind in problem.missing]
    assert missing[:3] == ["StatefulSet", "DaemonSet", "ReplicaSet"]
    assert "had stopped answering" in result.problems[1].message
    assert api.paths()[-1] == "/apis/apps/v1/statefulsets"
    assert "privileged" in {item.check_id for item in result.findings}


def test_an_answer_that_drips_ends(api: KubeApi, connected: Callable[..., Connection]) -> None:
    api.put(*WRONG)
    api.drip.add(CONFIG_MAPS)
    result = scan(connected(FAST))
    assert "did not finish an answer in 0.6 seconds" in result.problems[-1].message


def test_busy_servers_are_asked_again(api: KubeApi, connected: Callable[..., Connection]) -> None:
    api.put(*config_maps(3))
    api.busy[CONFIG_MAPS] = 2
    assert len(list(list_items(connected(), CONFIG_MAP))) == 3
    api.busy[CONFIG_MAPS] = 100
    with pytest.raises(ClusterError, match="too busy to answer"):
        list(list_items(connected(attrs.evolve(USUAL, wait=0.2)), CONFIG_MAP))


def test_clusters_that_cannot_be_asked_at_all(
    api: KubeApi, connected: Callable[..., Connection], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = api.kubeconfig(tmp_path)
    path.write_text(path.read_text().replace(TOKEN, "another"))
    with pytest.raises(RefusedError, match="does not accept the credentials") as refused:
        scan(connect(ClusterConfig("test", path), FAST))
    assert "another" not in str(refused.value)
    api.absent.add("/version")
    with pytest.raises(NotServedError, match="nothing at /version"):
        scan(connected())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        api.port = free.getsockname()[1]
        with pytest.raises(
            UnreachableError, match=r"does not answer at http://127\.0\.0\.1:\d+: the connection"
        ):
            scan(connected())
    with pytest.raises(ClusterError, match="cannot be used by the context no-such of"):
        connect(ClusterConfig("test", path, "no-such"))
    with pytest.raises(ClusterError, match=r"cannot be used by the current context of .*missing"):
        connect(ClusterConfig("test", tmp_path / "missing"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ClusterError, match="as a service account: Service host/port is not set"):
        connect(ClusterConfig("test", in_cluster=True))


def test_a_cluster_that_forbids_everything_is_no_success(
    api: KubeApi, connected: Callable[..., Connection]
) -> None:
    api.forbidden |= {resource.path for resource in FEATURES[Feature.SCANS]}
    with pytest.raises(ClusterError, match="No object of the cluster test could be read"):
        scan(connected())


def test_redirects_do_not_carry_the_token_away(
    api: KubeApi, connected: Callable[..., Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support import kube_api as support

    with kube_api() as other:
        handler = support._Handler
        plain = handler._list

        def redirect(self: Any, path: str, query: dict[str, str]) -> None:
            if self.api is api:
                return self._send(302, b"", {"Location": other.url + path})
            return plain(self, path, query)

        monkeypatch.setattr(handler, "_list", redirect)
        with pytest.raises(ClusterError, match="with status 302"):
            list(list_items(connected(), CONFIG_MAP))
        assert other.asked == []


def test_exec_plugins_of_the_kubeconfig_are_run(api: KubeApi, tmp_path: Path) -> None:
    path = api.kubeconfig(tmp_path)
    config = yaml.safe_load(path.read_text())
    credential = {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"}
    answer = json.dumps(credential | {"status": {"token": TOKEN}})
    config["users"][0]["user"] = {
        "exec": {
            "apiVersion": credential["apiVersion"],
            "command": sys.executable,
            "args": ["-c", f"print({answer!r})"],
            "interactiveMode": "Never",
        }
    }
    path.write_text(yaml.safe_dump(config))
    api.put(*config_maps(1))
    connection = connect(ClusterConfig("test", path), FAST)
    assert len(list(list_items(connection, CONFIG_MAP))) == 1
    connection.close()


def test_versions_of_the_benchmark_and_the_standards_follow_the_cluster(
    api: KubeApi, connected: Callable[..., Connection]
) -> None:
    api.put(*WRONG)
    api.version = "v1.29.3-gke.100"
    result = scan(connected())
    assert result.cis_version == "1.11"
    assert {item.framework_version for item in result.compliance} == {"1.11"}
    assert [minor_version(text) for text in ("v1.29+", "1.30.1", "x")] == [(1, 29), (1, 30), None]


def test_facts_of_a_cluster(api: KubeApi, connected: Callable[..., Connection]) -> None:
    def node(name: str, **conditions: str) -> dict[str, Any]:
        found = [{"type": kind, "status": status} for kind, status in conditions.items()]
        status = {"conditions": found, "capacity": {"cpu": "4"}, "allocatable": {"cpu": "3900m"}}
        return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "status": status}

    api.put(
        node("a", Ready="True"),
        node("b", Ready="Unknown", DiskPressure="True"),
        namespace("z"),
        namespace("y"),
    )
    facts = read_facts(connected())
    assert (facts.version, facts.ready, facts.namespaces, facts.problems) == ("v1.32.4", True, ("y", "z"), ())
    assert facts.nodes is not None
    assert [(item.name, item.ready, item.under_pressure) for item in facts.nodes] == [
        ("a", True, False),
        ("b", False, True),
    ]
    api.forbidden.add("/api/v1/nodes")
    facts = read_facts(connected())
    assert facts.nodes is None
    assert "Node objects were not read" in facts.problems[0]


def test_metrics(api: KubeApi, connected: Callable[..., Connection]) -> None:
    containers = [{"name": "app", "usage": {"cpu": "12345678n", "memory": "2048Ki"}}]
    api.objects["/apis/metrics.k8s.io/v1beta1/pods"] = [
        {
            "metadata": {"name": "p", "namespace": "a"},
            "timestamp": "2026-11-22T10:00:00Z",
            "window": "15s",
            "containers": containers,
        }
    ]
    usage = {"cpu": "250m", "memory": "1Gi"}
    api.objects["/apis/metrics.k8s.io/v1beta1/nodes"] = [{"metadata": {"name": "n"}, "usage": usage}]
    found = read_metrics(connected())
    (container,) = found.containers
    assert (container.namespace, container.pod, container.container) == ("a", "p", "app")
    assert (container.usage.cpu, container.usage.memory) == (Decimal("0.012345678"), Decimal(2 * 1024**2))
    assert found.nodes["n"].cpu == Decimal("0.25")
    api.absent.add("/apis/metrics.k8s.io/v1beta1/pods")
    without = read_metrics(connected())
    assert without.problems == ("The cluster test has no metrics server.",)


def test_quantities() -> None:
    read = {
        "1": 1,
        "100m": "0.1",
        "1Ki": 1024,
        "1.5Gi": 1.5 * 1024**3,
        "2e3": 2000,
        "2E": 2 * 10**18,
        "5n": "5e-9",
    }
    read |= {"-1": -1, ".5": "0.5", "1M": 10**6, "3Ei": 3 * 1024**6, "1k": 1000, "7u": "7e-6"}
    assert {text: parse_quantity(text) for text in read} == {
        text: Decimal(str(value)) for text, value in read.items()
    }
    assert [parse_quantity(text) for text in ("", "x", "1K", "1 Gi", "1mi", "1e", "--1")] == [None] * 7


@pytest.mark.parametrize("features", [(Feature.SCANS,), (Feature.HEALTH,), (Feature.COSTS,), tuple(Feature)])
def test_the_reader_asks_for_nothing_that_the_role_does_not_grant(
    api: KubeApi, connected: Callable[..., Connection], features: tuple[Feature, ...]
) -> None:
    api.put(*WRONG)
    asking = {
        Feature.SCANS: lambda: scan(connected()),
        Feature.HEALTH: lambda: read_facts(connected()),
        Feature.COSTS: lambda: read_metrics(connected()),
    }
    for feature in features:
        if feature in asking:
            asking[feature]()
    if Feature.COSTS in features:  # the version belongs to scans and health
        assert api.asked
    role = yaml.safe_load(cluster_role(features))
    for asked in api.asked:
        assert _granted(asked.path, role["rules"]), asked
    assert asking.keys() & set(features)


def _granted(path: str, rules: list[dict[str, list[str]]]) -> bool:
    found = re.fullmatch(r"/(?:api|apis/([^/]+))/[^/]+/([^/]+)", path)
    if found is None:
        return any(path in rule.get("nonResourceURLs", ()) and "get" in rule["verbs"] for rule in rules)
    group, plural = found[1] or "", found[2]
    return any(
        group in rule.get("apiGroups", ()) and plural in rule.get("resources", ()) and "list" in rule["verbs"]
        for rule in rules
    )


def test_the_role_reads_and_nothing_else() -> None:
    every = role_rules(Feature)
    verbs = {(name, verb) for rule in every for name in rule.get("resources", ()) for verb in rule["verbs"]}
    writes = {item for item in verbs if item[1] not in ("get", "list", "watch")}
    assert writes == {("tokenreviews", "create"), ("subjectaccessreviews", "create")}
    assert "secrets" not in {name for name, _ in verbs}
    assert not [rule for rule in every if "*" in str(rule)]
    assert {resource.plural for resource in resources([Feature.SCANS])} == {
        name for rule in role_rules([Feature.SCANS]) for name in rule.get("resources", ())
    }
    assert role_rules([Feature.AUTH]) != role_rules([Feature.HEALTH])
    assert set(PATHS) <= set(Feature)


def test_our_own_role_passes_our_own_checks(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        commands.main, ["clusterrole", *(f"--feature={name.value}" for name in Feature)]
    )
    assert done.exit_code == 0
    (tmp_path / "role.yaml").write_text(done.stdout)
    assert list(scan_folders([tmp_path], ScanOptions(today=TODAY)).findings) == []


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(commands.main, ["scan", *map(str, arguments)])


def test_command_in_every_form(api: KubeApi, tmp_path: Path) -> None:
    api.put(*WRONG)
    path = api.kubeconfig(tmp_path)
    assert run("--kubeconfig", path, "--context", "test").exit_code == 1
    api.forbidden.add(POLICIES)
    arguments = ("--kubeconfig", path, "--fail-on", "none")
    table = run(*arguments)
    assert table.exit_code == 3
    assert "This result is partial" in table.stdout
    assert "The check no-network-policy-egress was not made." in table.stdout
    assert "not-read: cluster/local: No NetworkPolicy objects were read." in table.stderr
    assert run(*arguments, "--allow-partial").exit_code == 0
    answer = json.loads(run(*arguments, "-o", "json").stdout)
    assert answer["partial"] is True
    assert {item["checkId"] for item in answer["skippedChecks"]} >= {"no-network-policy-ingress"}
    assert "source" not in answer["findings"][0]
    log = json.loads(run(*arguments, "-o", "sarif").stdout)
    (invocation,) = log["runs"][0]["invocations"]
    assert invocation["executionSuccessful"] is False
    said = [item["message"]["text"] for item in invocation["toolExecutionNotifications"]]
    assert any("No NetworkPolicy objects were read" in text for text in said)
    api.forbidden.add("/version")
    refused = run(*arguments)
    assert refused.exit_code == 2
    assert "The cluster local forbids it" in refused.stderr


def test_clusters_of_a_file(api: KubeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api.put(*objects(Case()))
    api.kubeconfig(tmp_path)
    path = tmp_path / "clusters.yaml"
    path.write_text(
        "clusters:\n- {name: prod, kubeconfig: kubeconfig.yaml, context: test}\n"
        "- {name: in, inCluster: true, readableNamespaces: [shop, pay]}\n"
    )
    first, second = read_clusters(path)
    assert (first.kubeconfig, first.context, second.in_cluster) == (
        tmp_path / "kubeconfig.yaml",
        "test",
        True,
    )
    assert (first.readable_namespaces, second.readable_namespaces) == ((), ("shop", "pay"))
    monkeypatch.setenv("AKMATORI_CLUSTERS", str(path))
    assert run("--cluster", "prod").exit_code == 0
    written = path.read_text()
    path.write_text(written.replace("context: test", "context: tset"))
    with pytest.raises(ClustersError, match=r":2: .* has no context tset; it has test\."):
        read_clusters(path)
    path.write_text(written)
    unknown = run("--cluster", "other")
    assert unknown.exit_code == 2
    assert "has no cluster other; it has prod, in." in unknown.stderr
    assert cluster_name("arn:aws:eks:eu/Prod_1") == "arn-aws-eks-eu-prod-1"
    assert cluster_name("///") == "local"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("clusters: []\n", "needs a list named clusters"),
        ("a: 1\n", "needs a list named clusters"),
        ("clusters: [\n", r":\d: This is not valid YAML"),
        ("clusters:\n- {context: x}\n", ":2: every cluster needs a name"),
        ("clusters:\n- {name: A}\n", ":2: every cluster needs a name"),
        ("clusters:\n- name: a\n  token: x\n", ":3: clusters have no token"),
        ("clusters:\n- {name: a, inCluster: true, context: x}\n", ":2: a is reached either inCluster or"),
        ("clusters:\n- name: a\n", ":2: a needs a kubeconfig, a context or inCluster: true."),
        ("clusters:\n- {name: a, inCluster: false}\n", ":2: a needs a kubeconfig, a context or inCluster"),
        ("clusters:\n- {name: a, context: x}\n- {name: a, context: y}\n", "two clusters are named a"),
        ("clusters:\n- {name: a, kubeconfig: nowhere}\n", ":2: there is no file .*/nowhere"),
        (
            "clusters:\n- {name: a, context: x, readableNamespaces: []}\n",
            ":2: readableNamespaces of a is a list",
        ),
        (
            "clusters:\n- {name: a, context: x, readableNamespaces: shop}\n",
            ":2: readableNamespaces of a is a",
        ),
        ("clusters:\n- {name: a, context: x, readableNamespaces: [A]}\n", ":2: readableNamespaces of a is a"),
    ],
)
def test_files_of_clusters_that_mean_nothing(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "clusters.yaml"
    path.write_text(text)
    with pytest.raises(ClustersError, match=sentence):
        read_clusters(path)


def test_the_library_is_loaded_when_a_cluster_is_asked_for_and_missed_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = "import sys, akmatori_server.kubernetes.clusters.scanning; sys.exit('kubernetes' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(connections.importlib, "import_module", missing)
    with pytest.raises(ClusterError, match=r"install akmatori-server\[kubernetes\]"):
        connect(ClusterConfig("test"))

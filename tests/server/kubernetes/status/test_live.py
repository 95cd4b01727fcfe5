"""Clusters by their heartbeats, health and readiness, over HTTP against a cluster that changes."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from akmatori_sdk import Aotanami, NotFoundError
from akmatori_sdk._generated.aotanami.models import ClusterHealth, SeverityCounts
from akmatori_server.database import Database
from akmatori_server.engine.memory_engine import MemoryEngine
from akmatori_server.http.call import Scope
from akmatori_server.kubernetes.clusters.configuration import ClusterConfig
from akmatori_server.kubernetes.site import KubernetesSite
from akmatori_server.kubernetes.status import readiness
from akmatori_server.kubernetes.status.clusters import ClusterService
from akmatori_server.kubernetes.status.standing import Standing
from akmatori_server.kubernetes.targets import ClusterTarget, FolderTarget, Target
from tests.support.databases import copied_database
from tests.support.kube_api import KubeApi, kube_api
from tests.support.site import Site, running_site

PRIVILEGED = """
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: shop}
spec: {containers: [{name: a, image: "a:1", securityContext: {privileged: true}}]}
"""
START = datetime(2026, 5, 10, 12, tzinfo=UTC)


def node(name: str, *, ready: bool = True, pressed: bool = False) -> dict[str, Any]:
    """A node."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {"topology.kubernetes.io/region": "eu-1", "eks.amazonaws.com/nodegroup": "a"},
        },
        "status": {
            "conditions": [
                {"type": "Ready", "status": "True" if ready else "False"},
                {"type": "MemoryPressure", "status": "True" if pressed else "False"},
            ]
        },
    }


def deployment(name: str, available: int) -> dict[str, Any]:
    """A part of the system with two pods."""
    return {"metadata": {"name": name}, "spec": {"replicas": 2}, "status": {"availableReplicas": available}}


SYSTEM = "/apis/apps/v1/namespaces/kube-system/deployments"


@pytest.fixture
def api() -> Generator[KubeApi]:
    """A cluster of two nodes and three pods."""
    with kube_api([node("a"), node("b")]) as made:
        made.objects["/api/v1/pods"] = [{"metadata": {"name": name}} for name in "xyz"]
        made.objects[SYSTEM] = [deployment("coredns", 2)]
        yield made


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Database]:
    """One database: the SQL is the same for both."""
    with copied_database("sqlite", tmp_path, request) as url:
        opened = Database.open(url)
        yield opened
        opened.close()


class Watch:
    """Clusters, and the clock."""

    def __init__(self, database: Database, *targets: Target, **options: Any) -> None:
        self.now = START
        site = KubernetesSite(database=database, engine=MemoryEngine(), now=lambda: self.now, targets=targets)
        self.service = ClusterService(site, **options)

    def later(self, **length: float) -> ClusterHealth:
        """Let time pass without a heartbeat; return how the cluster is then."""
        self.now += timedelta(**length)
        return self.service.status("prod").status

    def beat(self) -> dict[str, tuple[str, datetime]]:
        """Ask the cluster; return its conditions."""
        self.service.beat()
        found = self.service.status("prod").conditions
        assert isinstance(found, list)
        return {str(one.type): (str(one.status), one.last_transition_time) for one in found}  # type: ignore[misc]  # set for clusters


@pytest.fixture
def prod(api: KubeApi, tmp_path: Path) -> ClusterTarget:
    return ClusterTarget(ClusterConfig("prod", kubeconfig=api.kubeconfig(tmp_path)))


def test_what_a_cluster_says(api: KubeApi, database: Database, prod: ClusterTarget) -> None:
    status = Watch(database, prod).service.status("prod")
    assert (status.status, status.kubernetes_version, status.api_endpoint) == ("healthy", "v1.32.4", api.url)
    assert (status.node_count, status.pod_count, status.region, status.provider) == (2, 3, "eu-1", "aws")
    assert status.nodes is not None
    assert (status.nodes.total, status.nodes.ready, status.nodes.pressure) == (2, 2, 0)  # type: ignore[union-attr]  # read above
    assert [(one.name, one.status) for one in status.components or ()] == [("coredns", "healthy")]
    assert (status.last_heartbeat, status.heartbeat_age_seconds) == (START, 0)
    # Nobody has scanned it, and nobody says so.
    for name in (
        "security_score",
        "violation_count",
        "open_incidents",
        "findings_by_severity",
        "last_scan_at",
    ):
        assert not getattr(status, name), name


def test_health_follows_the_heartbeats(api: KubeApi, database: Database, prod: ClusterTarget) -> None:
    """Late after two minutes, away after five; each condition knows since when it is so."""
    watch = Watch(database, prod)
    first = watch.beat()
    assert first["Reachable"] == ("True", START)
    assert watch.later(seconds=119) == "healthy"
    assert watch.later(seconds=2) == "degraded"
    assert watch.later(minutes=3) == "unreachable"
    again = watch.beat()
    assert again == first
    api.objects["/api/v1/nodes"][0]["status"]["conditions"][0]["status"] = "False"
    assert watch.later(seconds=60) == "healthy"
    down = watch.beat()
    assert down["NodesReady"] == ("False", watch.now)
    assert down["Ready"] == ("True", START)
    assert watch.service.status("prod").status == "degraded"


@pytest.mark.parametrize(
    ("change", "condition", "reason", "message"),
    [
        (
            lambda api: api.objects.update({SYSTEM: [deployment("coredns", 1)]}),
            "ComponentsAvailable",
            "ComponentsNotAvailable",
            "1 of 1 components of kube-system is not available: coredns.",
        ),
        (
            lambda api: api.forbidden.add("/readyz"),
            "Ready",
            "ApiServerNotReady",
            "The API server is not ready.",
        ),
        (
            lambda api: api.put(node("c", ready=False)),
            "NodesReady",
            "NodesNotReady",
            "1 of 3 nodes is not ready: c.",
        ),
        (
            lambda api: api.put(node("c", pressed=True)),
            "NodesUnderPressure",
            "NodesUnderPressure",
            "1 of 3 nodes is short of memory, disk, process ids or network: c.",
        ),
    ],
)
def test_what_makes_a_cluster_degraded(
    api: KubeApi,
    database: Database,
    prod: ClusterTarget,
    change: Any,
    condition: str,
    reason: str,
    message: str,
) -> None:
    """Each condition has a reason for programs and a sentence for people, and Ready says what it is about."""
    change(api)
    watch = Watch(database, prod)
    watch.service.beat()
    status = watch.service.status("prod")
    assert status.status == "degraded"
    [wrong] = [one for one in status.conditions or () if one.type == condition]
    assert wrong.reason == reason
    assert str(wrong.message).startswith(message)
    assert all(str(one.message).endswith(".") for one in status.conditions or ())
    [ready] = [one for one in status.conditions or () if one.type == "Ready"]
    if condition != "Ready":
        assert str(ready.message).startswith("The API server is ready; nodes, components")


def test_a_cluster_that_goes_away_keeps_what_it_said(
    api: KubeApi, database: Database, prod: ClusterTarget, tmp_path: Path
) -> None:
    watch = Watch(database, prod)
    watch.beat()
    watch.now += timedelta(minutes=6)
    gone = ClusterTarget(ClusterConfig("prod", kubeconfig=tmp_path / "absent"))
    later = Watch(database, gone)
    later.now = watch.now
    conditions = later.beat()
    assert conditions["Reachable"] == ("False", watch.now)
    assert conditions["Ready"] == ("Unknown", watch.now)
    status = later.service.status("prod")
    assert (status.status, status.node_count, status.last_heartbeat) == ("unreachable", 2, START)
    assert status.heartbeat_age_seconds == 360


def test_what_may_not_be_read_is_absent(api: KubeApi, database: Database, prod: ClusterTarget) -> None:
    api.forbidden |= {"/api/v1/nodes", "/api/v1/pods", SYSTEM}
    watch = Watch(database, prod)
    assert watch.beat()["NodesReady"][0] == "Unknown"
    status = watch.service.status("prod")
    assert status.status == "healthy"
    assert not any((status.nodes, status.node_count, status.pod_count, status.components))


def test_several_clusters_and_folders(
    api: KubeApi, database: Database, prod: ClusterTarget, tmp_path: Path
) -> None:
    """Each by its name, never asked twice at the start, and forgotten when it is configured no more."""
    away = ClusterTarget(ClusterConfig("away", kubeconfig=tmp_path / "absent"))
    folder, lost = FolderTarget("app", (tmp_path,)), FolderTarget("lost", (tmp_path / "lost",))
    known = {
        "prod": Standing(
            open_incidents=2,
            findings=SeverityCounts(critical=1, high=2, medium=0, low=0, info=4),
            security_score=71.5,
            last_scan_at=START,
            is_last_scan_degraded=True,
        )
    }
    watch = Watch(database, prod, away, folder, lost, standings=lambda _connection: known)
    found = {one.name: one for one in watch.service.list(frozenset())}
    assert {name: str(one.status) for name, one in found.items()} == {
        "app": "healthy", "away": "unreachable", "lost": "unreachable", "prod": "degraded"
    }  # fmt: skip
    assert len({one.id for one in found.values()}) == 4
    assert (found["prod"].security_score, found["prod"].violation_count) == (71.5, 7)
    assert found["app"].provider == "manifests"
    assert [one.name for one in watch.service.list(frozenset({ClusterHealth.DEGRADED}))] == ["prod"]
    asked = len(api.asked)
    watch.service.list(frozenset())
    assert len(api.asked) == asked
    alone = Watch(database, away)
    alone.service.beat()
    assert Watch(database, prod, away).service.healths()["prod"] == "unregistered"


@pytest.fixture
def site(request: pytest.FixtureRequest, tmp_path: Path, api: KubeApi) -> Generator[Site]:
    """A server that watches the cluster and a folder."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "pod.yaml").write_text(PRIVILEGED)
    more = {
        "context": "prod",
        "kubeconfig": api.kubeconfig(tmp_path, name="prod"),
        "manifests": (("app", (tmp_path / "app",)),),
    }
    with copied_database("sqlite", tmp_path, request) as url, running_site(url, tmp_path, more=more) as site:
        yield site


def test_over_http(site: Site, api: KubeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "REMEMBERED_SECONDS", 0.0)
    with Aotanami(site.base_url, api_key=site.key(Scope.WRITE)) as client:
        assert [(one.name, one.status) for one in client.clusters.list()] == [
            ("app", "healthy"), ("prod", "healthy")
        ]  # fmt: skip
        assert client.clusters.status("prod").kubernetes_version == "v1.32.4"
        with pytest.raises(NotFoundError, match="No cluster is named other"):
            client.clusters.status("other")
        client.scans.wait(client.scans.trigger().id, timeout=20)
        scanned = client.clusters.status("app")
        counts = scanned.findings_by_severity
        assert isinstance(counts, SeverityCounts)
        assert counts.critical >= 1
        assert scanned.violation_count == sum(
            (counts.critical, counts.high, counts.medium, counts.low, counts.info)
        )
        assert isinstance(scanned.security_score, int | float)
        assert scanned.last_scan_at
        health = client.health.get()
        assert (health.status, health.mode, health.operating_mode) == ("ok", "live", "audit")
        assert client.readiness.get().checks == []
        checks = {str(one.name): one for one in client.readiness.get(verbose=True).checks or ()}
        assert {name: str(one.status) for name, one in checks.items()} == {
            "database": "ok", "kubernetesApi": "ok", "manifestSource": "ok", "metricsApi": "ok"
        }  # fmt: skip
        assert all(isinstance(one.latency_ms, int) for one in checks.values())

    # Anybody may ask; what fails is told without addresses.
    api.absent.add("/apis/metrics.k8s.io/v1beta1")
    metrics = ready(site, verbose=True)[1]["metricsApi"]
    assert (metrics["status"], metrics["message"]) == ("skipped", "The cluster prod has no metrics API.")
    api.forbidden.add("/readyz")
    status, checks = ready(site)
    assert status == 503
    assert list(checks) == ["kubernetesApi"]
    assert checks["kubernetesApi"]["status"] == "failed"
    assert api.url not in str(checks)
    api.forbidden.clear()
    assert ready(site) == (200, {})
    shutil.rmtree(tmp_path / "app")
    status, checks = ready(site)
    assert (status, checks["manifestSource"]["message"]) == (503, "The manifests of app cannot be read.")
    assert httpx.get(f"{site.base_url}/api/v1/health").json()["data"]["status"] == "degraded"


def ready(site: Site, *, verbose: bool = False) -> tuple[int, dict[str, Any]]:
    """Ask for the readiness without a credential."""
    query = "?verbose=true" if verbose else ""
    answer = httpx.get(f"{site.base_url}/api/v1/readyz{query}")
    assert ("retry-after" in answer.headers) == (answer.status_code == 503)
    return answer.status_code, {one["name"]: one for one in answer.json()["data"]["checks"]}

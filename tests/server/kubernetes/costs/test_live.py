"""Costs of a live cluster: usage sampled over days, from its metrics API or from Prometheus."""

from __future__ import annotations

import re
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from akmatori_server.database import Database
from akmatori_server.engine.memory_engine import MemoryEngine
from akmatori_server.errors import Unavailable
from akmatori_server.kubernetes.clusters.configuration import ClusterConfig
from akmatori_server.kubernetes.costs.service import CostOptions, CostService
from akmatori_server.kubernetes.site import KubernetesSite
from akmatori_server.kubernetes.targets import ClusterTarget
from tests.support.kube_api import KubeApi, kube_api
from tests.support.origin import Asked, Reply, running_origin

START = datetime(2026, 5, 10, tzinfo=UTC)
ALL = {
    "namespaces": frozenset[str](),
    "types": frozenset[Any](),
    "kinds": frozenset[str](),
    "least_savings": None,
}


def pod(name: str, owner: str, *, killed: bool = False) -> dict[str, Any]:
    """A running pod of a Deployment."""
    state = {"lastState": {"terminated": {"reason": "OOMKilled"}}} if killed else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{owner}-abc12-{name}",
            "namespace": "shop",
            "labels": {"pod-template-hash": "abc12"},
            "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{owner}-abc12", "controller": True}
            ],
        },
        "spec": {
            "containers": [
                {
                    "name": "main",
                    "image": "x:1",
                    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
                }
            ]
        },
        "status": {"phase": "Running", "containerStatuses": [{"name": "main", **state}]},
    }


def metrics(name: str, owner: str, cpu: str, memory: str) -> dict[str, Any]:
    """What the metrics API says of that pod."""
    return {
        "apiVersion": "metrics.k8s.io/v1beta1",
        "kind": "PodMetrics",
        "metadata": {"name": f"{owner}-abc12-{name}", "namespace": "shop"},
        "timestamp": "2026-05-10T00:00:00Z",
        "window": "15s",
        "containers": [{"name": "main", "usage": {"cpu": cpu, "memory": memory}}],
    }


METRICS_PATH = "/apis/metrics.k8s.io/v1beta1/pods"


class Cluster:
    """A cluster, the clock, and the costs of it."""

    def __init__(
        self,
        api: KubeApi,
        database: Database,
        folder: Path,
        *,
        readable_namespaces: tuple[str, ...] = (),
        **options: Any,
    ) -> None:
        self.api = api
        self.now = START
        config = ClusterConfig(
            "prod", kubeconfig=api.kubeconfig(folder), readable_namespaces=readable_namespaces
        )
        target = ClusterTarget(config)
        self._site = KubernetesSite(
            database=database, engine=MemoryEngine(), now=lambda: self.now, targets=(target,)
        )
        self._options = options

    def service(self) -> CostService:
        """One that remembers nothing of what was read before."""
        return CostService(self._site, CostOptions(**self._options))


@pytest.fixture
def api() -> Generator[KubeApi]:
    """Two pods of web and one of etl."""
    with kube_api([pod("a", "web"), pod("b", "web"), pod("c", "etl", killed=True)]) as made:
        made.objects[METRICS_PATH] = [
            {key: value for key, value in one.items() if key not in {"apiVersion", "kind"}}
            for one in (
                metrics("a", "web", "100m", "200Mi"),
                metrics("b", "web", "300000000n", "204800Ki"),
                metrics("c", "etl", "900m", "1000Mi"),
            )
        ]
        yield made


def test_usage_is_sampled_and_sizes_follow_from_it(api: KubeApi, database: Database, tmp_path: Path) -> None:
    """Two days of samples: pods count for their Deployment, a killed container gets more, money is saved."""
    cluster = Cluster(api, database, tmp_path)
    sampler = cluster.service()
    for hour in range(0, 50, 2):
        cluster.now = START + timedelta(hours=hour)
        sampler.sample()

    analysis = cluster.service().analysis(namespaces=frozenset(), window_seconds=7 * 86_400)
    assert analysis.metrics is not None
    assert (analysis.metrics.source, analysis.metrics.samples) == ("metricsApi", 75)
    assert analysis.by_workload is not None
    assert {(one.resource.kind, one.resource.name): one.replicas for one in analysis.by_workload} == {
        ("Deployment", "web"): 2,
        ("Deployment", "etl"): 1,
    }
    assert analysis.totals is not None
    assert analysis.totals.cpu_usage_millicores == pytest.approx(2 * 200 + 900, rel=0.01)
    assert analysis.cpu_efficiency == pytest.approx(1.3 / 3, rel=0.01)

    found = {one.resource.name: one for one in cluster.service().recommendations(**ALL)}
    assert (found["web"].type, found["etl"].type) == ("downsize", "upsize")
    web = found["web"]
    assert web.recommended_cpu is not None
    assert web.recommended_cpu.request == "360m"
    assert (web.estimated_monthly_savings or 0) > 0
    patch = web.to_dict()["patch"]["extra"]
    (container,) = patch["spec"]["template"]["spec"]["containers"]
    assert container["name"] == "main"
    assert container["resources"]["requests"]["cpu"] == "360m"
    # One sample every two hours, where one a minute would be complete.
    assert (web.confidence or 100) < 5
    etl = found["etl"]
    assert etl.recommended_memory is not None
    assert etl.recommended_memory.request == "1280Mi"


def test_an_autoscaler_is_seen(api: KubeApi, database: Database, tmp_path: Path) -> None:
    """What it drives is left alone, and the recommendation says so."""
    api.put(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
                "metrics": [{"type": "Resource", "resource": {"name": "cpu"}}],
            },
        }
    )
    cluster = Cluster(api, database, tmp_path)
    for day in (0, 1, 2):
        cluster.now = START + timedelta(days=day)
        cluster.service().sample()
    found = {one.resource.name: one for one in cluster.service().recommendations(**ALL)}
    web = found["web"].to_dict()
    assert web["hpa"] is True
    assert "recommended_cpu" not in web


def test_without_a_metrics_server_requests_are_what_there_is(
    api: KubeApi, database: Database, tmp_path: Path
) -> None:
    """It is said, and nothing is recommended from nothing."""
    api.absent.add(METRICS_PATH)
    cluster = Cluster(api, database, tmp_path)
    cluster.service().sample()
    analysis = cluster.service().analysis(namespaces=frozenset(), window_seconds=86_400)
    assert analysis.metrics is not None
    assert analysis.metrics.source == "none"
    assert analysis.estimated_monthly_cost > 0
    assert cluster.service().recommendations(**ALL) == []


def test_a_cluster_that_does_not_answer_is_a_sentence(
    api: KubeApi, database: Database, tmp_path: Path
) -> None:
    """And the sampler goes on to the next minute."""
    cluster = Cluster(api, database, tmp_path)
    api.broken["/version"] = b"no JSON"
    cluster.service().sample()
    with pytest.raises(Unavailable, match="prod"):
        cluster.service().analysis(namespaces=frozenset(), window_seconds=86_400)


def test_prometheus_has_weeks_of_it(api: KubeApi, database: Database, tmp_path: Path) -> None:
    """Its percentiles, pods of the past included."""

    def answer(asked: Asked) -> Reply:
        query = dict(asked.form)["query"]
        scale = 1.0 if "cpu" in query else 500 * 1024**2
        function = re.match(r"(\w+)\((0\.\d+)?", query)
        assert function is not None
        value = {"count_over_time": 2016.0, "avg_over_time": 0.2 * scale, "max_over_time": 0.5 * scale}.get(
            function[1], 0.3 * scale
        )
        series = [
            {"metric": {"namespace": "shop", "pod": name, "container": "main"}, "value": [0, str(value)]}
            for name in ("web-abc12-a", "web-0ld99-z")
        ]
        return Reply({"data": {"result": series}})

    with running_origin(answer) as prometheus:
        cluster = Cluster(api, database, tmp_path, prometheus_url=prometheus.url)
        (web,) = [one for one in cluster.service().recommendations(**ALL) if one.resource.name == "web"]
        analysis = cluster.service().analysis(namespaces=frozenset(), window_seconds=7 * 86_400)
    assert web.type == "downsize"
    assert web.confidence == 100
    assert web.usage is not None
    assert (web.usage.cpu_p95, web.usage.cpu_max, web.usage.samples) == (300.0, 500.0, 4032)
    assert analysis.metrics is not None
    assert analysis.metrics.source == "prometheus"

"""What serves nobody in a live cluster, and what it costs."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from akmatori_server.database import Database
from akmatori_server.kubernetes.costs.model import Prices
from tests.server.kubernetes.costs.test_live import ALL, START, Cluster, pod
from tests.support.kube_api import kube_api

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
LONG_AGO, NOW = START - timedelta(days=2), START - timedelta(minutes=1)


def made(kind: str, name: str, at: datetime = LONG_AGO, **members: Any) -> dict[str, Any]:
    """An object that was made then."""
    metadata: dict[str, Any] = {"name": name, "creationTimestamp": at.isoformat()}
    if kind != "PersistentVolume":
        metadata["namespace"] = "shop"
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, **members}


def service(name: str, app: str, at: datetime = LONG_AGO, **spec: Any) -> dict[str, Any]:
    return made("Service", name, at, spec={"selector": {"app": app}, **spec})


def labelled(name: str, owner: str, *, ready: str, since: datetime = LONG_AGO) -> dict[str, Any]:
    """A pod that is ready, or not."""
    found = pod(name, owner)
    found["metadata"]["labels"]["app"] = owner
    found["status"]["conditions"] = [
        {"type": "Ready", "status": ready, "lastTransitionTime": since.isoformat()}
    ]
    return found


def claim(name: str, phase: str, at: datetime = LONG_AGO) -> dict[str, Any]:
    spec = {"resources": {"requests": {"storage": "10Gi"}}}
    return made("PersistentVolumeClaim", name, at, spec=spec, status={"phase": phase})


def volume(name: str, phase: str) -> dict[str, Any]:
    return made("PersistentVolume", name, spec={"capacity": {"storage": "100Gi"}}, status={"phase": phase})


def told(cluster: Cluster, **wanted: Any) -> dict[tuple[str, str], Any]:
    found = cluster.service().recommendations(**(ALL | wanted))
    return {(one.resource.kind, one.resource.name): one for one in found if one.type == "idle"}


def test_what_serves_nobody(database: Database, tmp_path: Path) -> None:
    found = [
        labelled("a", "web", ready="True"),
        labelled("b", "web", ready="False"),
        labelled("c", "etl", ready="False"),
        labelled("d", "etl", ready="False", since=LONG_AGO + timedelta(hours=1)),
        labelled("e", "new", ready="False", since=NOW),
        service("web", "web"),
        service("etl", "etl"),
        service("gone", "nothing", type="LoadBalancer"),
        service("young", "nothing", at=NOW),
        service("elsewhere", "nothing", type="ExternalName"),
        made("Service", "by-hand", spec={}),
        claim("bound", "Bound"),
        claim("waiting", "Pending"),
        claim("young", "Pending", at=NOW),
        volume("used", "Bound"),
        volume("left", "Released"),
    ]
    with kube_api(found) as api:
        cluster = Cluster(api, database, tmp_path, prices=Prices(storage_gib_hour=0.0001))
        idle = told(cluster)
        assert {key: one.message for key, one in idle.items()} == {
            ("Service", "etl"): "No ready pod is behind the Service etl.",
            ("Service", "gone"): (
                "No ready pod is behind the Service gone. Its load balancer is paid for all the same."
            ),
            ("Deployment", "etl"): (
                "None of the 2 pods of the Deployment etl has been ready since"
                f" {LONG_AGO + timedelta(hours=1):%Y-%m-%d %H:%M} UTC."
            ),
            ("PersistentVolumeClaim", "waiting"): (
                "No volume is bound to the claim waiting of 10Gi: it is Pending."
            ),
            ("PersistentVolume", "left"): "No claim uses the volume left of 100Gi: it is Released.",
        }
        assert (idle["Service", "etl"].severity, idle["Service", "gone"].severity) == ("info", "medium")
        assert {one.container_name for one in idle.values()} == {""}
        left, etl = idle["PersistentVolume", "left"], idle["Deployment", "etl"]
        assert left.estimated_monthly_savings == pytest.approx(100 * 730 * 0.0001)
        assert not idle["Service", "gone"].estimated_monthly_savings

        analysis = cluster.service().analysis(namespaces=frozenset(), window_seconds=86_400)
        costs = {one.resource.name: one.estimated_monthly_cost for one in analysis.by_workload or ()}
        assert etl.estimated_monthly_savings == costs["etl"] > 0
        # A claim without a volume costs nothing, a volume without a claim does.
        storage = {one.namespace: one.estimated_monthly_cost for one in analysis.by_namespace or ()}
        assert storage[""] == left.estimated_monthly_savings
        assert storage["shop"] == pytest.approx(sum(costs.values()) + 10 * 730 * 0.0001, abs=0.02)
        assert analysis.rightsizing_recommendations == len(cluster.service().recommendations(**ALL))
        assert analysis.potential_monthly_savings == pytest.approx(
            (left.estimated_monthly_savings or 0) + (etl.estimated_monthly_savings or 0), abs=0.01
        )
        assert told(cluster, kinds=frozenset({"Service"})).keys() == {("Service", "etl"), ("Service", "gone")}
        assert told(cluster, least_savings=1.0).keys() == {
            ("Deployment", "etl"),
            ("PersistentVolume", "left"),
        }
        assert ("PersistentVolume", "left") not in told(cluster, namespaces=frozenset({"shop"}))

        # Where not all pods were read, nobody knows what is behind a Service.
        api.gone = ["/api/v1/pods"] * 4
        api.page = 2
        assert told(cluster).keys() == {("PersistentVolumeClaim", "waiting"), ("PersistentVolume", "left")}

"""What makes a pod in the end, told from the pod alone."""

from __future__ import annotations

from typing import Any

import pytest

from akmatori_server.kubernetes.costs.demands import owner_of_pod
from akmatori_server.kubernetes.manifests import ManifestObject, json_node
from akmatori_server.kubernetes.manifests.objects import object_of
from akmatori_server.kubernetes.workloads import read_workload


def owner(kind: str, name: str, **labels: str) -> tuple[str, str]:
    """Return what makes a pod of this owner with these labels."""
    body: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{name}-x2b4c",
            "namespace": "shop",
            "labels": labels,
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": kind, "name": name, "controller": True}],
        },
        "spec": {"containers": [{"name": "main", "image": "x:1"}]},
    }
    found = object_of(json_node(body), "")
    assert isinstance(found, ManifestObject)
    workload = read_workload(found)
    assert workload is not None
    reference = owner_of_pod(found, workload)
    return reference.kind, reference.name


@pytest.mark.parametrize(
    ("name", "labels", "expected"),
    [
        ("web-5d4f", {"pod-template-hash": "5d4f"}, ("Deployment", "web")),
        # Without the label, the name tells.
        ("web-7d9c8b6f5", {}, ("Deployment", "web")),
        ("web-api-bcdfg", {}, ("Deployment", "web-api")),
        # A label that is not its end says that it is on its own.
        ("web-7d9c8b6f5", {"pod-template-hash": "other"}, ("ReplicaSet", "web-7d9c8b6f5")),
        # A word is no hash.
        ("cache-redis", {}, ("ReplicaSet", "cache-redis")),
        ("web-7d9", {}, ("ReplicaSet", "web-7d9")),
        ("web", {}, ("ReplicaSet", "web")),
    ],
)
def test_the_deployment_of_a_pod(name: str, labels: dict[str, str], expected: tuple[str, str]) -> None:
    assert owner("ReplicaSet", name, **labels) == expected


def test_only_replica_sets_end_with_hashes() -> None:
    assert owner("StatefulSet", "web-7d9c8b6f5") == ("StatefulSet", "web-7d9c8b6f5")

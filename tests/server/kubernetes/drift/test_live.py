"""Drift of a live cluster: who changed what, and what could not be read is not called deleted."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from akmatori_server.database import Database
from akmatori_server.errors import Unavailable
from akmatori_server.installation import utc_now
from akmatori_server.kubernetes.clusters.configuration import ClusterConfig
from akmatori_server.kubernetes.drift.service import DriftOptions, DriftService
from akmatori_server.kubernetes.drift.source import DesiredState
from akmatori_server.kubernetes.drift.store import Wanted
from akmatori_server.kubernetes.targets import ClusterTarget
from tests.support.kube_api import KubeApi, kube_api

DESIRED = """
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: c, namespace: shop}
    data: {a: wanted}
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: gone, namespace: shop}
    ---
    apiVersion: example.net/v1
    kind: Widget
    metadata: {name: w, namespace: shop}
"""
LIVE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {
        "name": "c",
        "namespace": "shop",
        "managedFields": [
            {"manager": "kubectl-edit", "time": "2026-03-05T10:00:00Z", "fieldsV1": {"f:data": {"f:a": {}}}}
        ],
    },
    "data": {"a": "live"},
}


def service(api: KubeApi, database: Database, folder: Path) -> DriftService:
    """Compare that folder with that cluster."""
    (folder / "deploy").mkdir(exist_ok=True)
    (folder / "deploy" / "all.yaml").write_text(dedent(DESIRED))
    target = ClusterTarget(ClusterConfig("prod", kubeconfig=api.kubeconfig(folder)))
    options = DriftOptions(desired=DesiredState(folder / "deploy"), target=target)
    return DriftService(database, options, now=utc_now)


def test_who_changed_it_is_told(database: Database, tmp_path: Path) -> None:
    """From the fields that the API server keeps; kinds that are not read are not compared."""
    with kube_api([LIVE]) as api:
        drift = service(api, database, tmp_path)
        drift.check()
        rows, total = drift.entries("shop", Wanted(), offset=0, limit=10)
    assert total == 2
    assert {(row.kind, row.type, row.manager) for row in rows} == {
        ("ConfigMap", "modified", "kubectl-edit at 2026-03-05T10:00:00Z"),
        ("Service", "deleted", ""),
    }


def test_what_may_not_be_read_is_not_called_deleted(database: Database, tmp_path: Path) -> None:
    """A forbidden kind is a gap, and no difference."""
    with kube_api([LIVE]) as api:
        api.forbidden.add("/api/v1/services")
        drift = service(api, database, tmp_path)
        drift.check()
        rows, _ = drift.entries("shop", Wanted(), offset=0, limit=10)
    assert [row.kind for row in rows] == ["ConfigMap"]


def test_a_cluster_that_is_away_leaves_the_last_comparison(database: Database, tmp_path: Path) -> None:
    """The first time there is none, and that is said."""
    with kube_api([LIVE]) as api:
        drift = service(api, database, tmp_path)
        api.broken["/version"] = b"no JSON"
        with pytest.raises(Unavailable, match="prod"):
            drift.namespaces(only_drifted=False, wanted=frozenset())
        del api.broken["/version"]
        drift.check()
        api.broken["/version"] = b"no JSON"
        with pytest.raises(Unavailable):
            drift.check()
        assert [one.namespace for one in drift.namespaces(only_drifted=True, wanted=frozenset())] == ["shop"]

"""Costs as their users ask for them: over HTTP and with the SDK."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from akmatori_sdk import UNSET, Aotanami, CallOptions, UnavailableError
from akmatori_server.http.call import Scope
from tests.support.databases import copied_database
from tests.support.site import Site, running_site

MANIFESTS = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web, namespace: shop}
    spec:
      replicas: 3
      template:
        spec:
          containers:
            - name: web
              image: web:1
              resources: {requests: {cpu: 500m, memory: 1Gi}, limits: {memory: 1Gi}}
    ---
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: bare, namespace: lab}
    spec: {template: {spec: {containers: [{name: bare, image: "bare:1"}]}}}
    ---
    apiVersion: v1
    kind: PersistentVolumeClaim
    metadata: {name: data, namespace: shop}
    spec: {resources: {requests: {storage: 100Gi}}}
"""


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Site]:
    """A server with a folder of manifests, prices and a budget."""
    directory = tmp_path_factory.mktemp("costs")
    (directory / "all.yaml").write_text(dedent(MANIFESTS))
    more = {
        "manifests": (("manifests", (directory / "all.yaml",)),),
        "prices": (0.03, 0.004, 0.0001),
        "cost_budget": 60.0,
    }
    with (
        copied_database("sqlite", directory, request) as url,
        running_site(url, directory / "data", more=more) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def client(site: Site) -> Generator[Aotanami]:
    """A client that may read."""
    with Aotanami(site.base_url, api_key=site.key(Scope.READ)) as made:
        yield made


def test_without_metrics_it_says_what_requests_alone_tell(client: Aotanami) -> None:
    """Requests in money, storage included, and that nothing was measured."""
    costs = client.costs.get()
    web = 3 * 730 * (0.5 * 0.03 + 1 * 0.004)
    storage = 100 * 730 * 0.0001
    assert costs.estimated_monthly_cost == pytest.approx(web + storage, abs=0.01)
    assert costs.metrics is not None
    assert costs.metrics.source == "none"
    assert costs.totals is not None
    assert (costs.totals.cpu_request_millicores, costs.totals.memory_request_mi_b) == (1500, 3072)
    assert costs.totals.cpu_usage_millicores is UNSET
    assert costs.cpu_efficiency is UNSET
    assert costs.by_namespace is not None
    assert [one.namespace for one in costs.by_namespace] == ["shop", "lab"]
    assert costs.price_model is not None
    assert costs.price_model.source == "configured"
    assert costs.budget is not None
    assert costs.budget.state == "warning" if web + storage > 48 else "ok"


def test_a_namespace_alone(client: Aotanami) -> None:
    """Its workloads and nothing of others; no budget, which is of all."""
    costs = client.costs.get(namespace=["lab"])
    assert costs.estimated_monthly_cost == 0
    assert costs.by_workload is not None
    assert [one.resource.name for one in costs.by_workload] == ["bare"]
    assert costs.budget is UNSET


def test_what_is_missing_is_recommended_without_numbers(client: Aotanami) -> None:
    """There is nothing measured to take numbers from."""
    (found,) = list(client.costs.recommendations.list())
    assert (found.type, found.resource.name, found.container_name) == ("missing_limits", "bare", "bare")
    assert (found.recommended_cpu, found.patch, found.estimated_monthly_savings) == (UNSET, UNSET, UNSET)
    assert list(client.costs.recommendations.list(type=["idle"])) == []
    assert list(client.costs.recommendations.list(min_savings=1)) == []


def test_yesterday_is_compared_with(site: Site, client: Aotanami) -> None:
    """By the cost that was kept then."""
    from akmatori_server.kubernetes.costs import store

    installation = site.installation
    now = client.costs.get().estimated_monthly_cost
    with installation.database.write() as connection:
        store.put_cost(connection, now / 2, installation.now() - timedelta(days=1))
        store.put_cost(connection, now / 1.25, installation.now() - timedelta(days=1))
    budget = client.costs.get().budget
    assert budget is not None
    assert budget.increase_percent == pytest.approx(25, abs=0.2)


def test_with_nothing_to_reckon_it_is_said(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """503, with what to configure."""
    with (
        copied_database("sqlite", tmp_path, request) as url,
        running_site(url, tmp_path) as site,
        Aotanami(site.base_url, api_key=site.key(Scope.READ)) as client,
        pytest.raises(UnavailableError, match="configure a cluster or a folder"),
    ):
        client.costs.get(options=CallOptions(max_retries=0))

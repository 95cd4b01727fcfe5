"""Alerts over HTTP and by the SDK: lists, one, and why it is where it is."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx
import pytest

from akmatori_sdk import Akmatori
from akmatori_sdk.akmatori import AlertStatus
from tests.server.alerts.payloads import delivery, entry
from tests.support.site import Site


@pytest.fixture
def source(admin: httpx.Client) -> str:
    """The uuid of a source of its own for each test."""
    created = admin.post(
        "/api/alert-sources", json={"source_type_name": "alertmanager", "name": f"prom {uuid4()}"}
    )
    uuid: str = created.json()["uuid"]
    return uuid


@pytest.fixture
def client(server: Site, api_key: str) -> Any:
    """The SDK."""
    with Akmatori(base_url=server.base_url, api_key=api_key) as made:
        yield made


def deliver(server: Site, source: str, *entries: dict[str, Any], group: str = "") -> None:
    """Post a delivery, which must be taken."""
    with server.client() as sender:
        answer = sender.post(f"/webhook/alert/{source}", content=delivery(*entries, group=group))
        assert answer.status_code == 200, answer.text


def test_an_alert_is_listed_read_and_explained(server: Site, client: Akmatori, source: str) -> None:
    """What the source said, what became of it, and which rule decided by which values."""
    deliver(server, source, entry("Disk", instance="db-1"), entry("Disk", instance="db-2"), group="g1")
    deliver(server, source, entry("Disk", instance="db-3"), group="g1")
    newest, *others = client.alerts.list(source=source)
    alert = client.alerts.get(newest.uuid)
    why = client.alerts.explain(newest.uuid)
    incident = client.incidents.get(str(alert.incident_uuid))

    assert len(others) == 2
    assert (alert.alert_name, alert.target_host, alert.status) == ("Disk", "db-3", AlertStatus.FIRING)
    assert alert.target_labels == {"alertname": "Disk", "severity": "major", "instance": "db-3"}
    assert {one.incident_uuid for one in others} == {incident.uuid}
    assert (incident.alert_count, incident.firing_count) == (3, 3)
    assert (why.outcome.value, why.rule) == ("joined", "group")
    assert [(one.field, one.value) for one in why.compared][1:] == [("group_key", "g1")]
    assert why.considered[-1].name == "group"
    assert why.considered[-1].matched
    assert "joined the open incident" in why.sentence
    assert [one.target_host for one in client.incidents.alerts(incident.uuid)] == ["db-1", "db-2", "db-3"]


def test_filters_and_pages(server: Site, admin: httpx.Client, client: Akmatori, source: str) -> None:
    """By status and by silence; by numbered pages and by cursor, every alert once."""
    hosts = [f"host-{number}" for number in range(7)]
    deliver(server, source, *(entry(instance=host) for host in hosts))
    deliver(server, source, entry(instance="host-3", status="resolved"))
    page = {"source": source, "per_page": 3}
    first = admin.get("/api/alerts", params=page).json()
    second = admin.get("/api/alerts", params={**page, "cursor": first["pagination"]["next_cursor"]}).json()
    third = admin.get("/api/alerts", params={**page, "page": 3}).json()

    seen = [one["target_host"] for answer in (first, second, third) for one in answer["data"]]
    assert sorted(seen) == hosts
    assert first["pagination"] | {"next_cursor": None} == {
        "page": 1,
        "per_page": 3,
        "total": 7,
        "total_pages": 3,
        "next_cursor": None,
    }
    assert third["pagination"]["next_cursor"] is None
    resolved = list(client.alerts.list(source=source, status=AlertStatus.RESOLVED))
    assert [one.target_host for one in resolved] == ["host-3"]
    assert resolved[0].resolved_at is not None
    assert len(list(client.alerts.list(source=source, silenced=False))) == 7
    assert list(client.alerts.list(source=source, silenced=True)) == []


def test_what_is_not_there(admin: httpx.Client) -> None:
    """404, each with its sentence; a cursor of another list is 400."""
    unknown = str(uuid4())
    for path in (
        f"/api/alerts/{unknown}",
        f"/api/alerts/{unknown}/explain",
        f"/api/incidents/{unknown}/alerts",
        f"/api/incidents/{unknown}/alerts?page=1",
    ):
        assert admin.get(path).status_code == 404, path
    incidents = admin.post("/api/incidents", json={"task": "look"}).json()
    assert admin.get(f"/api/incidents/{incidents['uuid']}/alerts").json() == []
    assert admin.get("/api/alerts", params={"cursor": "nonsense"}).status_code == 400
    assert admin.get("/api/alerts", params={"source": unknown}).json()["data"] == []


def test_lists_of_an_incident_bare_and_paged(server: Site, admin: httpx.Client, source: str) -> None:
    """The bare array stops at a thousand; pages reach all of them."""
    deliver(server, source, *(entry(instance=str(number)) for number in range(1005)), group="many")
    [first] = admin.get("/api/alerts", params={"source": source, "per_page": 1}).json()["data"]
    path = f"/api/incidents/{first['incident_uuid']}/alerts"

    assert len(admin.get(path).json()) == 1000
    page = admin.get(path, params={"page": 6, "per_page": 200}).json()
    assert (len(page["data"]), page["pagination"]["total"]) == (5, 1005)
    assert admin.get(path, params={"page": 999}).json()["data"] == []


def test_nobody_reads_without_a_credential(server: Site) -> None:
    """Alerts may tell a lot about an installation."""
    with server.client() as anonymous:
        assert anonymous.get("/api/alerts").status_code == 401

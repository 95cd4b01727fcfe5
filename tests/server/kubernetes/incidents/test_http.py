"""Incidents as their users ask for them: over HTTP and with the SDK, by several at once."""

from __future__ import annotations

import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from akmatori_sdk import Aotanami, BadRequestError, ConflictError, NotFoundError
from akmatori_server.audit.models import EVERYTHING
from akmatori_server.audit.store import page as audit_page
from akmatori_server.http.call import Scope
from tests.server.kubernetes.incidents.world import World, crashing, node, pod, warning
from tests.support.databases import KINDS, copied_database
from tests.support.kube_api import KubeApi, kube_api
from tests.support.site import Site, running_site


class Place:
    """A server with two incidents: a Deployment that crashes, and a node that is away."""

    def __init__(self, site: Site, api: KubeApi, folder: Path) -> None:
        self.site = site
        self.world = World(api, site.installation.database, folder, start=datetime.now(UTC))
        self.client = Aotanami(site.base_url, api_key=site.key(Scope.WRITE, "oncall"))

    def raw(self) -> httpx.Client:
        """Return a client that shows headers."""
        return self.site.client(self.site.key(Scope.WRITE))


@pytest.fixture(scope="module", params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    """A running server whose cluster is read when the test says so."""
    directory = tmp_path_factory.mktemp("incidents")
    with (
        copied_database(request.param, directory, request) as url,
        kube_api() as api,
        running_site(url, directory / "data") as site,
    ):
        made = Place(site, api, directory)
        made.world.read(pod(), node(Ready="True"))
        now = made.world.now
        made.world.read(crashing(now, 1), warning("BackOff", now, count=3), node(Ready="False", since=now))
        yield made
        made.client.close()


def test_incidents_are_listed_the_worst_first(place: Place) -> None:
    """With the filters of the contract; those that are over only when they are asked for."""
    worst, other = list(place.client.incidents.list())
    assert (worst.severity, worst.resource, worst.resource_kind, worst.namespace) == (
        "critical",
        "n1",
        "Node",
        "",
    )
    assert (other.severity, other.resource, other.cluster, other.event_count) == ("high", "web", "prod", 5)
    assert (other.resolved, other.acknowledged) == (False, False)

    def names(**wanted: object) -> list[str]:
        return [one.resource for one in place.client.incidents.list(**wanted)]  # type: ignore[arg-type]  # as tests name them

    assert names(severity=["high"]) == ["web"]
    assert names(min_severity="critical") == ["n1"]
    assert names(namespace=["shop", "other"]) == ["web"]
    assert names(resource_kind=["Node"]) == ["n1"]
    assert names(status=["resolved"]) == []
    assert names(since=place.world.now + timedelta(seconds=1)) == []
    assert names(since=place.world.now) == ["n1", "web"]
    assert names(page_size=1) == ["n1", "web"]


def test_moments_at_the_end_of_time(place: Place) -> None:
    """What is before or after any moment in UTC is an answer like any other."""
    with place.raw() as client:
        for since, number in (("0001-01-01T00:00:00+14:00", 2), ("9999-12-31T23:59:59-12:00", 0)):
            answer = client.get("/api/v1/incidents", params={"since": since})
            assert (answer.status_code, answer.json()["metadata"]["total"]) == (200, number)
        refused = client.post(
            "/api/v1/incidents/INC-000001/acknowledge", json={"expiresAt": "0001-01-01T00:00:00+14:00"}
        )
        assert refused.status_code == 400


def test_an_incident_is_told_with_its_events(place: Place) -> None:
    """Each event once with its count; and what happened to the incident."""
    (listed,) = place.client.incidents.list(namespace=["shop"])
    told = place.client.incidents.get(listed.id)
    assert isinstance(told.events, list)
    assert {(one.type, one.count) for one in told.events} == {("pod_crash", 1), ("pod_crash", 3)}
    back_off = next(one for one in told.events if one.count == 3)
    assert (back_off.source, back_off.resource, back_off.metadata) == (
        "event/kubelet", "web-5d4f-a", {"reason": "BackOff"},
    )  # fmt: skip
    assert isinstance(told.history, list)
    assert [change.kind for change in told.history] == ["opened"]
    for unknown in ("INC-999999", "INC-0000001", "x"):
        with pytest.raises(NotFoundError, match=f"no incident {unknown}"):
            place.client.incidents.get(unknown)


def test_acknowledging(place: Place) -> None:
    """Once, by one, with notes of others; audited; against the version that was read, if one is named."""
    (listed,) = place.client.incidents.list(namespace=["shop"])
    with place.raw() as client:
        path = f"/api/v1/incidents/{listed.id}"
        etag = client.get(path).headers["ETag"]
        stale = client.post(f"{path}/acknowledge", json={}, headers={"If-Match": '"another"'})
        assert (stale.status_code, stale.json()["error"]["reason"]) == (409, "Conflict")
        done = client.post(f"{path}/acknowledge", json={"note": "mine"}, headers={"If-Match": etag})
        assert done.status_code == 200
        assert done.headers["ETag"] != etag
        # The same again is nothing new; what was read before is not current any more.
        again = client.post(f"{path}/acknowledge", json={"note": "mine"})
        assert (again.json(), again.headers["ETag"]) == (done.json(), done.headers["ETag"])
        assert client.post(f"{path}/acknowledge", headers={"If-Match": etag}).status_code == 409
    with pytest.raises(BadRequestError, match="future"):
        place.client.incidents.acknowledge(listed.id, expires_at=datetime.now(UTC) - timedelta(seconds=5))

    first = done.json()["data"]["acknowledgedBy"]
    other = place.client.incidents.acknowledge(listed.id, note="me too")
    assert (other.status, other.acknowledged_by, other.acknowledgement_note) == (
        "acknowledged",
        first,
        "me too",
    )
    told = place.client.incidents.get(listed.id)
    assert isinstance(told.history, list)
    assert [(one.kind, one.note) for one in told.history[1:]] == [
        ("acknowledged", "mine"),
        ("noted", "me too"),
    ]
    assert [one.id for one in place.client.incidents.list(namespace=["shop"])] == [listed.id]

    with place.site.installation.database.read() as connection:
        entries = [
            one
            for one in audit_page(connection, EVERYTHING, offset=0, limit=100)
            if one.action == "kubernetes_incident:acknowledged"
        ]
    assert [(one.actor, one.target) for one in entries] == [
        ("oncall", f"kubernetes_incident:{listed.id}"),
        (first, f"kubernetes_incident:{listed.id}"),
    ]


def test_many_acknowledge_at_once(place: Place) -> None:
    """One is the first, and no note is lost; readings meanwhile take nothing back."""
    (listed,) = place.client.incidents.list(resource_kind=["Node"])
    begin = threading.Barrier(5)

    def acknowledge(number: int) -> str:
        begin.wait()
        return str(place.client.incidents.acknowledge(listed.id, note=f"note {number}").acknowledged_by)

    def read() -> None:
        begin.wait()
        place.world.read()

    with ThreadPoolExecutor(5) as pool:
        reading = pool.submit(read)
        by = set(pool.map(acknowledge, range(4)))
        reading.result()
    assert by == {"oncall"}
    told = place.client.incidents.get(listed.id)
    assert told.status == "acknowledged"
    assert isinstance(told.history, list)
    assert sorted(str(one.note) for one in told.history[1:]) == [f"note {number}" for number in range(4)]
    assert [one.kind for one in told.history].count("acknowledged") == 1


def test_two_readings_at_once(place: Place) -> None:
    """Of two servers that read the same at the same time, one stores it: one incident, each event once."""
    world = place.world
    world.now += timedelta(minutes=1)
    crash = world.now
    world.api.put(crashing(crash, 1, "z", owner="twin"))
    others = [
        World(world.api, world.database, world.site.clusters[0].config.kubeconfig.parent) for _ in range(4)
    ]  # type: ignore[union-attr]  # it has one
    begin = threading.Barrier(len(others))

    def read(one: World) -> None:
        one.now = crash
        begin.wait()
        one.service.read()

    with ThreadPoolExecutor(len(others)) as pool:
        list(pool.map(read, others))
    twins = [one for one in place.client.incidents.list() if one.resource == "twin"]
    assert [(one.event_count, one.severity) for one in twins] == [(2, "high")]


def test_what_is_resolved_cannot_be_acknowledged(place: Place) -> None:
    """409; it is listed when it is asked for, and stays to be read."""
    before = {one.id for one in place.client.incidents.list()}
    place.world.read(pod(), node(Ready="True"))
    for _ in range(3):
        place.world.read(after=16)
    assert list(place.client.incidents.list()) == []
    resolved = list(place.client.incidents.list(status=["resolved"]))
    assert {one.id for one in resolved} == before
    assert len(before) >= 2
    with pytest.raises(ConflictError, match="is resolved"):
        place.client.incidents.acknowledge(resolved[0].id)
    told = place.client.incidents.get(resolved[0].id)
    assert told.resolved is True
    assert told.events

    # A month later its events are forgotten, and that it was there is not.
    place.world.now += timedelta(days=31)
    place.world.service.forget()
    assert place.client.incidents.get(resolved[0].id).events == []

"""Incidents of a live cluster, from the first crash to the end, over its real API."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from pathlib import Path

import pytest

from akmatori_server.database import Database
from akmatori_server.errors import Conflict
from tests.server.kubernetes.incidents.world import (
    World,
    acknowledge,
    crashing,
    deployment,
    ended,
    node,
    pod,
    text,
    waiting,
    warning,
)
from tests.support.databases import copied_database
from tests.support.kube_api import kube_api


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[World]:
    """A cluster in which all is well."""
    with copied_database("sqlite", tmp_path, request) as url, kube_api() as api:
        database = Database.open(url)
        yield World(api, database, tmp_path)
        database.close()


def test_a_crash_loop_from_its_beginning_to_its_end(database: Database, tmp_path: Path) -> None:
    """It opens one incident of its Deployment, joins, is acknowledged, gets worse, goes away and is resolved."""
    with kube_api() as api:
        _live_through(World(api, database, tmp_path))


def _live_through(world: World) -> None:
    world.read(deployment(), pod())
    assert world.all() == []

    crash = world.now
    world.read(deployment(), crashing(crash, 1))
    told = world.one()
    assert (told.case.status, told.case.severity, told.case.number) == ("open", "high", 1)
    assert (told.case.key.kind, told.case.key.name, told.target) == ("Deployment", "web", "prod")
    assert told.case.title == "CrashLoopBackOff on shop/web (2 events)"
    assert world.counts(told) == {"CrashLoopBackOff": 1, "Error": 1}

    # Nothing new: the same is read again, by a server that was started again.
    world.restart()
    world.read()
    assert world.one().case == told.case

    # Another crash, and another pod of the Deployment.
    world.read(deployment(), crashing(world.now, 2), crashing(world.now, 1, "b"))
    told = world.one()
    assert world.counts(told) == {"CrashLoopBackOff": 2, "Error": 3}

    taken = acknowledge(world, "INC-000001", note="looking")
    assert (taken.case.status, taken.case.severity) == ("acknowledged", "high")
    world.read(deployment(), crashing(world.now, 3))
    assert world.one().case.status == "acknowledged"

    # Three types of events meet: one step up, and that undoes the acknowledgement.
    world.read(
        deployment(stuck=world.now), crashing(world.now, 3),
        warning("FailedMount", world.now, message='secret "key" not found'),
    )  # fmt: skip
    told = world.one()
    assert (told.case.status, told.case.severity) == ("open", "critical")
    assert told.case.root_cause == 'The pod refers to something that does not exist: secret "key" not found.'
    assert [change.kind for change in told.history] == ["opened", "acknowledged", "reopened"]
    assert told.history[-1].note == "The severity rose from high to critical."

    # All is well again; it is over when it has been so for a while, and stays to be read.
    world.read(deployment(), pod(restarts=4))
    for _ in range(3):
        world.read(after=4)
    assert world.one().case.status == "open"
    world.read(after=4)
    told = world.one()
    assert (told.case.status, told.case.severity, told.case.resolved_at) == (
        "resolved",
        "critical",
        world.now,
    )
    assert len(told.events) == 4
    with pytest.raises(Conflict, match="INC-000001 is resolved"):
        acknowledge(world, "INC-000001")

    # What comes back is a new incident; what is over stays as it was.
    world.read(deployment(), crashing(world.now, 5))
    again = world.all()
    assert [one.case.number for one in again] == [1, 2]
    assert again[0] == told
    assert world.counts(again[1]) == {"CrashLoopBackOff": 1, "Error": 1}


def test_a_cluster_that_is_away_changes_nothing(world: World) -> None:
    """Neither opens nor resolves; what it does not let us read is not gone."""
    world.read(pod())
    world.read(crashing(world.now, 1))
    before = world.one()
    world.api.broken["/version"] = b"no JSON"
    for _ in range(4):
        world.read(after=8)
    assert world.one().case == before.case
    world.api.broken.clear()
    world.shows(pod(restarts=1))
    world.api.forbidden.add("/api/v1/pods")
    for _ in range(4):
        world.read(after=8)
    assert world.one().case.status == "open"
    world.api.forbidden.clear()
    for _ in range(3):
        world.read()
    assert world.one().case.status == "resolved"


def test_one_event_is_no_incident_but_a_critical_one_is(world: World) -> None:
    """A single crash passes; a node that is not ready is an incident of its own; so are two of a kind."""
    world.read(pod(), node(Ready="True"))
    world.read(pod(restarts=1, lastState=ended(world.now)), node(Ready="True"))
    assert world.all() == []
    world.read(pod(restarts=1), node(Ready="Unknown", since=world.now))
    told = world.one()
    assert (told.case.key.kind, told.case.key.name, told.case.severity) == ("Node", "n1", "critical")
    assert told.case.title == "NotReady on Node n1 (1 event)"
    assert told.case.root_cause == "The node n1 says NotReady: Ready is Unknown."
    world.read(pod(restarts=2, lastState=ended(world.now, "OOMKilled", 137)), node(Ready="True"))
    assert len(world.all()) == 2
    oom = world.all()[1]
    assert oom.case.root_cause.startswith(
        "The container main needs more memory than its limit of 256Mi allows."
    )
    assert oom.events[0].facts["exitCode"] == "137"


def test_what_is_hardly_bad_joins_and_does_not_open(world: World) -> None:
    """A slow start makes a probe fail several times; that alone is nothing."""
    world.read(pod())
    world.read(pod(), warning("Unhealthy", world.now, count=9))
    assert world.all() == []
    world.read(crashing(world.now, 1), warning("Unhealthy", world.now, count=11))
    assert world.counts(world.one()) == {"CrashLoopBackOff": 1, "Error": 1, "Unhealthy": 11}


def test_what_stays_is_an_incident(world: World) -> None:
    """A state that does not pass by itself within the window is as much as two events."""
    stuck = pod(state=waiting("CreateContainerConfigError", 'secret "db" not found'), created=world.now)
    world.read(stuck)
    world.read(after=4)
    assert world.all() == []
    world.read(after=2)
    told = world.one()
    assert told.case.root_cause == 'The pod refers to something that does not exist: secret "db" not found.'


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("401 Unauthorized", "look at imagePullSecrets"),
        ("manifest unknown", "look at its name and tag"),
        ("dial tcp: lookup registry: no such host", "cannot be reached"),
    ],
)
def test_an_image_that_cannot_be_pulled(world: World, said: str, cause: str) -> None:
    """The two reasons that take turns are one; the cause is told from what the registry said."""
    world.read(pod(state=waiting("ErrImagePull", said)), warning("Failed", world.now, message=said))
    world.read(pod(state=waiting("ImagePullBackOff", f"Back-off: {said}")))
    told = world.one()
    assert world.counts(told) == {"ImagePullBackOff": 1, "Failed": 1}
    assert cause in told.case.root_cause


def test_crashes_after_a_rollout(world: World) -> None:
    """The revision that was rolled out just before is the first suspect."""
    world.read(deployment(), pod("old"))
    born = world.now
    world.read(deployment(revision=7), crashing(world.now, 1, created=born), after=2)
    assert "after the rollout of revision 7 of Deployment web" in world.one().case.root_cause


def test_an_expired_acknowledgement(world: World) -> None:
    """It opens the incident again and says why, whether the cluster answers or not."""
    world.read(pod())
    world.read(crashing(world.now, 1))
    acknowledge(world, "INC-000001", expires_at=world.now + timedelta(minutes=10))
    world.api.broken["/version"] = b"no JSON"
    world.read(after=9)
    assert world.one().case.status == "acknowledged"
    world.read()
    told = world.one()
    assert (told.case.status, told.case.acknowledgement) == ("open", None)
    assert told.history[-1].note == "The acknowledgement of ada has expired."


def test_restarts_that_are_unusual(world: World) -> None:
    """Only once the usual is known: a day and thirty hours of it; then by how far it is off."""
    flaky = 0
    for hour in range(32):
        world.read(pod(restarts=flaky), after=60)
        flaky += hour % 2
    assert world.all() == []
    world.read(pod(restarts=flaky + 12), after=60)
    (event,) = world.one().events
    assert (event.type, event.severity, event.fold.container) == ("anomaly", "critical", "main")
    assert event.message == "main had 13 restarts since the hour began, where 0 in an hour are usual."


def test_restarts_are_not_judged_before_the_usual_is_known(world: World) -> None:
    """What happened before the first reading, and the first day, say nothing."""
    world.read(pod(restarts=500))
    for hour in range(6):
        world.read(pod(restarts=500 + 15 * hour), after=180)
    assert world.all() == []


def test_an_event_began_when_the_cluster_says(world: World) -> None:
    """Not an average interval before its last time."""
    last = world.now
    first = last - timedelta(hours=2)
    seen = warning("BackOff", last, count=40)
    seen["firstTimestamp"] = text(first)
    world.read(deployment(), pod(), seen)
    [event] = world.one().events
    assert (event.first_at, event.last_at, event.count) == (first, last, 40)

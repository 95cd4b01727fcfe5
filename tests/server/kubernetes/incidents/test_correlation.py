"""Whatever is read, in whatever order and however often, by servers that come and go: the incidents are the same."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from akmatori_sdk._generated.aotanami.models import EventType, Severity
from akmatori_server.database import Database
from akmatori_server.engine.memory_engine import MemoryEngine
from akmatori_server.kubernetes.incidents.correlation import State, correlate
from akmatori_server.kubernetes.incidents.model import (
    LIVE,
    Event,
    Fold,
    Key,
    Observation,
    Origin,
    Rules,
    Symptom,
)
from akmatori_server.kubernetes.incidents.reading import Picture
from akmatori_server.kubernetes.incidents.service import IncidentService, incident_id
from akmatori_server.kubernetes.incidents.tables import k8s_incidents
from akmatori_server.kubernetes.incidents.titles import title_of
from akmatori_server.kubernetes.site import KubernetesSite
from tests.server.kubernetes.incidents.reference import Reference
from tests.server.kubernetes.incidents.world import START
from tests.support.databases import copied_database

RULES = Rules()
KEYS = (Key("shop", "Deployment", "web"), Key("", "Node", "n1"))
KINDS = (
    (EventType.POD_CRASH, "CrashLoopBackOff", Severity.HIGH, Origin.PODS, True),
    (EventType.POD_CRASH, "Error", Severity.MEDIUM, Origin.PODS, False),
    (EventType.POD_CRASH, "Unhealthy", Severity.LOW, Origin.EVENTS, False),
    (EventType.CONFIG_CHANGE, "FailedMount", Severity.MEDIUM, Origin.EVENTS, False),
    (EventType.DEPLOYMENT, "ProgressDeadlineExceeded", Severity.HIGH, Origin.DEPLOYMENTS, True),
    (EventType.NODE_CONDITION, "NotReady", Severity.CRITICAL, Origin.NODES, True),
)
_targets = itertools.count()


@attrs.frozen
class Reading:
    """What one reading shows: for things by their numbers, how often they happened since, and how long ago."""

    minutes: int
    things: tuple[tuple[int, int, int, int, int], ...]
    unread: frozenset[Origin]
    is_restarted: bool


THINGS = st.tuples(
    st.integers(0, 1),
    st.integers(0, 5),
    st.integers(0, 1),
    st.integers(0, 2),
    st.sampled_from([0, 0, 3, 12, 70]),
)
READINGS = st.lists(
    st.builds(
        Reading,
        minutes=st.sampled_from([1, 1, 4, 8, 16, 120]),
        things=st.lists(THINGS, max_size=5, unique_by=lambda thing: thing[:3]).map(tuple),
        unread=st.sampled_from([frozenset(), frozenset(), frozenset({Origin.PODS, Origin.EVENTS})]),
        is_restarted=st.booleans(),
    ),
    max_size=9,
)


def symptom(thing: tuple[int, int, int, int, int], numbers: Counter[str], now: datetime) -> Symptom:
    """Return what is seen of a thing."""
    key, kind, subject, more, ago = thing
    of_type, reason, severity, origin, stands = KINDS[kind]
    identity = f"{key}/{kind}/{subject}"
    numbers[identity] = numbers[identity] + more if numbers[identity] else max(more, 1)
    at = now - timedelta(minutes=ago)
    return Symptom(
        key=KEYS[key], type=of_type, reason=reason, severity=severity, origin=origin, at=at, identity=identity,
        number=1 if stands else numbers[identity], stands=stands,
        previous_at=None if stands else at - timedelta(minutes=2),
        resource_kind="Pod", resource_name=f"p{subject}", message=reason,
    )  # fmt: skip


class Stored:
    """Incidents of one cluster of its own, in a database."""

    def __init__(self, database: Database) -> None:
        self.target = f"c{next(_targets)}"
        self.now = START
        self._site = KubernetesSite(
            database=database, engine=MemoryEngine(), now=lambda: self.now, targets=()
        )
        self.restart()

    def restart(self) -> None:
        """Begin with nothing in memory."""
        self.service = IncidentService(self._site, sources=(), rules=RULES)

    def read(self, symptoms: list[Symptom], read: frozenset[Origin], began: datetime) -> None:
        """Take in one reading."""
        picture = Picture(symptoms=tuple(symptoms), restarts=(), read=read)
        self.service.take(self.target, picture, began)

    def all(self) -> list[Any]:
        """Return all incidents as they are told, the oldest first."""
        found, _ = self.service.page([k8s_incidents.c.target == self.target], offset=0, limit=1000)
        told = [self.service.get(incident_id(case)) for _, case in found]
        return sorted(told, key=lambda one: one.case.number)


def check(readings: list[Reading], stored: Stored, shuffle: Any) -> None:
    """Compare what is stored with the slow way."""
    reference, numbers = Reference(RULES), Counter[str]()
    last = [symptom((0, 0, 0, 1, 0), Counter(), START)]
    for reading in readings:
        stored.now += timedelta(minutes=reading.minutes)
        read = LIVE - reading.unread
        seen = [symptom(thing, numbers, stored.now) for thing in reading.things]
        # Of what cannot be read nothing is seen.
        seen = [one for one in seen if one.origin in read]
        reference.read(stored.now, seen, read)
        if reading.is_restarted:
            stored.restart()
        stored.read(shuffle(seen), read, stored.now)
        # A reading that took long, begun before this one, is too late.
        stored.read(last, LIVE, stored.now - timedelta(seconds=1))
        last = seen
    told = stored.all()
    assert [
        (one.case.key, one.case.status, one.case.severity, {event.fold: event.count for event in one.events})
        for one in told
    ] == [(one.key, one.status, one.severity, one.counts) for one in reference.ever]
    assert all(one.case.event_count == sum(event.count for event in one.events) for one in told)


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Any:
    """A database that the examples share."""
    with copied_database("sqlite", tmp_path_factory.mktemp("incidents"), request) as url:
        database = Database.open(url)
        yield database
        database.close()


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Any:
    """A database that the examples share."""
    with copied_database("postgresql", tmp_path_factory.mktemp("incidents"), request) as url:
        database = Database.open(url)
        yield database
        database.close()


SHARED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@settings(max_examples=15, deadline=None, suppress_health_check=SHARED)
@given(readings=READINGS, random=st.randoms(use_true_random=False))
def test_the_incidents_are_those_of_the_slow_way(
    sqlite: Database, readings: list[Reading], random: Any
) -> None:
    """On SQLite."""
    check(readings, Stored(sqlite), lambda seen: random.sample(seen, len(seen)))


@pytest.mark.soak
@settings(max_examples=1000, deadline=None, suppress_health_check=SHARED)
@given(readings=READINGS, random=st.randoms(use_true_random=False))
def test_the_incidents_are_those_of_the_slow_way_long(
    sqlite: Database, readings: list[Reading], random: Any
) -> None:
    """The same, with many more histories."""
    check(readings, Stored(sqlite), lambda seen: random.sample(seen, len(seen)))


@settings(max_examples=4, deadline=None, suppress_health_check=SHARED)
@given(readings=READINGS, random=st.randoms(use_true_random=False))
def test_the_same_on_postgresql(postgresql: Database, readings: list[Reading], random: Any) -> None:
    """On PostgreSQL."""
    check(readings, Stored(postgresql), lambda seen: random.sample(seen, len(seen)))


def test_the_same_thing_twice_is_two_events() -> None:
    """In readings of their own, within the window; and not when they are further apart."""
    for minutes, is_incident in ((9, True), (11, False)):
        numbers, state = Counter[str](), State()
        for now in (START, START + timedelta(minutes=minutes)):
            seen = symptom((0, 1, 0, 1, 0), numbers, now)
            state, _ = correlate(state, Observation(at=now, symptoms=(seen,)), RULES)
        assert bool(state.cases) is is_incident


def test_the_first_moment_is_the_one_that_the_api_tells() -> None:
    """And of a later incident, what was not counted for the one before."""
    began = START - timedelta(hours=3)
    seen = attrs.evolve(
        symptom((0, 1, 0, 1, 0), Counter(), START),
        number=16,
        first_at=began,
        previous_at=START - timedelta(minutes=1),
        at=START,
    )
    state, _ = correlate(State(), Observation(at=START, symptoms=(seen,)), RULES)
    [event] = next(iter(state.cases.values())).events.values()
    assert (event.first_at, event.count) == (began, 16)
    known = State(marks={seen.identity: 14})
    state, _ = correlate(known, Observation(at=START, symptoms=(seen,)), RULES)
    [event] = next(iter(state.cases.values())).events.values()
    assert (event.first_at, event.count) == (START - timedelta(minutes=1), 2)


def _event(kind: EventType, reason: str, count: int = 1, message: str = "") -> Event:
    return Event(
        fold=Fold("pods", kind.value, reason),
        severity=Severity.HIGH,
        stands=True,
        resource_kind="Pod",
        resource_name="web",
        message=message,
        source="",
        count=count,
        first_at=START,
        last_at=START,
        seen_at=START,
    )


def test_titles_tell_the_gravest_in_words() -> None:
    """A crash before a finding before drift, however often and however late each was seen."""
    key = Key("shop", "Deployment", "web")
    crash = _event(EventType.POD_CRASH, "OOMKilled")
    finding = _event(EventType.SECURITY_VIOLATION, "privileged", 5, "The container is privileged.")
    drift = _event(EventType.DRIFT, "DriftModified", 10)
    assert title_of(key, [drift, finding, crash]) == "OOMKilled on shop/web (3 events, seen 16 times)"
    assert title_of(key, [drift, finding]) == (
        "The container is privileged on shop/web (2 events, seen 15 times)"
    )
    assert title_of(key, [drift]) == "shop/web differs from its desired state (1 event, seen 10 times)"
    restarts = _event(EventType.ANOMALY, "ManyRestarts")
    assert title_of(key, [restarts]) == "shop/web restarts more often than usual (1 event)"
    worse = attrs.evolve(drift, severity=Severity.CRITICAL)
    assert title_of(key, [worse, crash]).startswith("shop/web differs")


def test_different_events_are_bounded() -> None:
    """Somebody who makes up a new reason each time fills no database: what is too much is counted together."""
    rules = Rules(most_events=20)
    symptoms = tuple(
        attrs.evolve(
            symptom((0, 3, 0, 1, 0), Counter(), START), reason=f"Reason{number}", identity=str(number)
        )
        for number in range(500)
    )
    state, _ = correlate(State(), Observation(at=START, symptoms=symptoms), rules)
    (case,) = state.cases.values()
    assert len(case.events) == 21
    assert case.event_count == 500

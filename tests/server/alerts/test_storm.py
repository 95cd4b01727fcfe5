"""Thousands of different alerts within a minute: one incident with the list, and the world after it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from akmatori_server.alert_sources.models import AlertSource, NewAlertSource
from akmatori_server.alerts.tables import alerts
from akmatori_server.incidents.models import Incident
from akmatori_server.incidents.tables import incidents
from akmatori_server.pagination import PageRequest
from tests.server.alerts.payloads import delivery, entry
from tests.server.incidents.domain import Domain

THRESHOLD = 5


@pytest.fixture
def source(domain: Domain) -> AlertSource:
    """A source that may open five incidents a minute."""
    return domain.sources.create(
        NewAlertSource(source_type_name="alertmanager", name="prom", settings={"storm_threshold": THRESHOLD})
    )


def fire(domain: Domain, source: AlertSource, *numbers: int, status: str = "firing") -> list[str]:
    """Deliver different alerts, and return the incidents they opened."""
    now = domain.clock.now
    body = delivery(
        *(
            entry(f"Alert{number}", status=status, starts=now, ends=None if status == "firing" else now)
            for number in numbers
        )
    )
    return list(domain.deliver(source.uuid, body).incidents)


def listed(domain: Domain) -> list[Incident]:
    """Every incident, the oldest first."""
    return [incident for incident, _ in reversed(domain.incidents.page(PageRequest(size=200)).items)]


def test_a_storm_is_one_incident(domain: Domain, source: AlertSource) -> None:
    """The list is complete, the incident counts it, and there is one investigation."""
    fire(domain, source, *range(2000))
    [storm] = listed(domain)

    assert (storm.kind, storm.alert_count, storm.firing_count) == ("storm", 2000, 2000)
    assert storm.title.startswith("Alert storm from prom")
    assert domain.rows(sa.select(sa.func.count()).where(alerts.c.incident_id == storm.id)) == [(2000,)]
    assert storm.context is not None
    counted = storm.context["storm"]
    assert isinstance(counted, dict)
    assert counted["alerts"] == 2000


def test_a_storm_begins_above_the_threshold(domain: Domain, source: AlertSource) -> None:
    """What came before it has its own incidents, and keeps them."""
    for number in range(THRESHOLD):
        fire(domain, source, number)
    fire(domain, source, 100)
    fire(domain, source, 101, 0)

    assert [(one.kind, one.alert_count) for one in listed(domain)] == [("alert", 1)] * THRESHOLD + [
        ("storm", 2)
    ]


def test_slow_trouble_is_no_storm(domain: Domain, source: AlertSource) -> None:
    """Five a minute are five incidents, for as long as it takes."""
    for number in range(3 * THRESHOLD):
        fire(domain, source, number)
        domain.clock.tick(13)

    assert {one.kind for one in listed(domain)} == {"alert"}


def test_a_storm_is_over_after_quiet_minutes(domain: Domain, source: AlertSource) -> None:
    """While it goes on everything new is part of it; later ones stand for themselves again."""
    fire(domain, source, *range(50))
    for number in range(100, 104):
        domain.clock.tick(4 * 60)
        fire(domain, source, number)
    domain.clock.tick(5 * 60 + 1)
    fire(domain, source, 200)
    fire(domain, source, *range(300, 350))

    assert [(one.kind, one.alert_count) for one in listed(domain)] == [
        ("storm", 54),
        ("alert", 1),
        ("storm", 50),
    ]


def test_a_storm_is_resolved_when_all_of_it_is(domain: Domain, source: AlertSource) -> None:
    """Like any other incident."""
    fire(domain, source, *range(20))
    domain.clock.tick(60)
    fire(domain, source, *range(19), status="resolved")
    [before] = listed(domain)
    fire(domain, source, 19, status="resolved")
    [after] = listed(domain)

    assert (before.firing_count, before.resolved_at) == (1, None)
    assert (after.firing_count, after.resolved_at) == (0, domain.clock.now)


def test_an_open_problem_is_not_swept_into_the_storm(domain: Domain, source: AlertSource) -> None:
    """Its alerts join it as ever, and so does one that fires again."""
    group = '{}:{alertname="Alert1"}'
    body = delivery(entry("Alert1", instance="a"), group=group)
    [known] = domain.deliver(source.uuid, body).incidents
    fire(domain, source, *range(100, 200))
    domain.deliver(source.uuid, delivery(entry("Alert1", instance="b"), group=group))

    counts = {one.uuid: one.alert_count for one in listed(domain)}
    assert counts[known] == 2
    assert sorted(counts.values()) == [2, 100]


def test_another_source_has_its_own_weather(domain: Domain, source: AlertSource) -> None:
    """A storm of one is none of the other."""
    other = domain.sources.create(NewAlertSource(source_type_name="alertmanager", name="quiet"))
    fire(domain, source, *range(100))
    fire(domain, other, 1)

    assert sorted((one.kind, one.alert_count) for one in listed(domain)) == [("alert", 1), ("storm", 100)]


def test_the_queue_holds_one_investigation(domain: Domain, source: AlertSource) -> None:
    """That is the point of it."""
    handled: list[int] = []

    async def handle(incident_id: int, _run: int) -> None:
        handled.append(incident_id)

    fire(domain, source, *range(500))
    domain.clock.now += timedelta(seconds=30)
    fire(domain, source, *range(500, 1000))
    domain.queue.drain(handle)

    assert domain.rows(sa.select(incidents.c.id)) == [(number,) for number in handled]
    assert len(handled) == 1

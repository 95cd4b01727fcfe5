"""Alerts under a silence: stored and visible, nobody's investigation, and what becomes of them after it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from akmatori_server.alert_sources.models import AlertSource, NewAlertSource
from akmatori_server.alerts.tables import alerts
from akmatori_server.incidents.models import Incident
from akmatori_server.pagination import PageRequest
from akmatori_server.silences.release import ReleaseJob
from akmatori_server.silences.tables import silences
from tests.server.alerts.payloads import delivery, entry
from tests.server.incidents.domain import Domain


@pytest.fixture
def source(domain: Domain) -> AlertSource:
    """A source without a secret."""
    return domain.sources.create(NewAlertSource(source_type_name="alertmanager", name="prom"))


def silence(domain: Domain, name: str = "Alert", *, minutes: float = 60) -> int:
    """Silence alerts of this name from now on, and return the silence's number."""
    now = domain.clock.now
    with domain.database.write() as connection:
        statement = (
            sa.insert(silences)
            .values(
                uuid=f"00000000-0000-4000-8000-{now.timestamp():012.0f}",
                matchers=[{"name": "alertname", "operator": "=", "value": name}],
                starts_at=now,
                ends_at=now + timedelta(minutes=minutes),
                created_by="admin",
                comment="expected",
                created_at=now,
                updated_at=now,
            )
            .returning(silences.c.id)
        )
        return int(connection.execute(statement).scalar_one())


def listed(domain: Domain) -> list[Incident]:
    """Every incident, the oldest first."""
    return [incident for incident, _ in reversed(domain.incidents.page(PageRequest(size=200)).items)]


def rows(domain: Domain) -> list[tuple[object, ...]]:
    """Status, incident and silence of every alert."""
    columns = (alerts.c.status, alerts.c.incident_id, alerts.c.silence_id)
    return domain.rows(sa.select(*columns).order_by(alerts.c.id))


def release(domain: Domain) -> None:
    """Let the job run that ends silences."""
    ReleaseJob(domain.database, domain.held.release, domain.clock, events=domain.events).run()


def test_it_is_stored_and_starts_nothing(domain: Domain, source: AlertSource) -> None:
    """Others beside it do."""
    number = silence(domain)
    domain.deliver(source.uuid, delivery(entry("Alert"), entry("Other")))
    [incident] = listed(domain)

    assert rows(domain) == [("firing", None, number), ("firing", incident.id, None)]
    assert incident.title.startswith("Other")


def test_its_repeats_and_its_end_are_kept(domain: Domain, source: AlertSource) -> None:
    """As of any alert."""
    number = silence(domain)
    began = domain.clock.now
    domain.deliver(source.uuid, delivery(entry("Alert", starts=began)))
    domain.deliver(source.uuid, delivery(entry("Alert", starts=began)))
    domain.deliver(
        source.uuid, delivery(entry("Alert", status="resolved", starts=began, ends=domain.clock.tick(60)))
    )

    assert rows(domain) == [("resolved", None, number)]
    assert listed(domain) == []


def test_a_problem_that_is_known_goes_on(domain: Domain, source: AlertSource) -> None:
    """A silence is about what begins under it."""
    domain.deliver(source.uuid, delivery(entry("Alert")))
    silence(domain)
    domain.deliver(source.uuid, delivery(entry("Alert")))
    [incident] = listed(domain)

    assert rows(domain) == [("firing", incident.id, None)]


def test_a_problem_that_comes_back_is_silenced(domain: Domain, source: AlertSource) -> None:
    """Its old incident stays resolved: it wakes nobody."""
    began = domain.clock.now
    domain.deliver(source.uuid, delivery(entry("Alert", starts=began)))
    domain.deliver(
        source.uuid, delivery(entry("Alert", status="resolved", starts=began, ends=domain.clock.tick(60)))
    )
    number = silence(domain)
    domain.deliver(source.uuid, delivery(entry("Alert", starts=domain.clock.tick(60))))
    [incident] = listed(domain)

    assert rows(domain) == [("resolved", incident.id, None), ("firing", None, number)]
    assert incident.resolved_at is not None


def test_after_the_silence_a_repeat_opens_its_incident(domain: Domain, source: AlertSource) -> None:
    """It still fires, and nothing holds it any more."""
    silence(domain, minutes=10)
    domain.deliver(source.uuid, delivery(entry("Alert")))
    domain.clock.tick(10 * 60)
    domain.deliver(source.uuid, delivery(entry("Alert")))
    [incident] = listed(domain)

    assert rows(domain) == [("firing", incident.id, None)]
    assert (incident.alert_count, incident.firing_count) == (1, 1)


def test_the_end_of_a_silence_gives_its_alerts_back(domain: Domain, source: AlertSource) -> None:
    """Though their source says nothing more: those that fire, by the rules of groups; and only once."""
    began = domain.clock.now
    silence(domain, minutes=10)
    group = [entry("Alert", instance=host, starts=began) for host in "abc"]
    domain.deliver(source.uuid, delivery(*group, group="g"))
    over = entry("Alert", instance="c", status="resolved", starts=began, ends=domain.clock.tick(60))
    domain.deliver(source.uuid, delivery(over, group="g"))
    release(domain)
    assert listed(domain) == []

    domain.clock.tick(10 * 60)
    release(domain)
    release(domain)
    [incident] = listed(domain)

    assert (incident.alert_count, incident.firing_count) == (2, 2)
    assert sorted(row[:2] for row in rows(domain) if row[0] == "firing") == [("firing", incident.id)] * 2
    assert [row[:2] for row in rows(domain) if row[0] != "firing"] == [("resolved", None)]


def test_another_silence_takes_over(domain: Domain, source: AlertSource) -> None:
    """The next maintenance window began before the first one was over."""
    silence(domain, minutes=10)
    domain.deliver(source.uuid, delivery(entry("Alert")))
    domain.clock.tick(60)
    longer = silence(domain, minutes=60)
    domain.clock.tick(10 * 60)
    release(domain)

    assert listed(domain) == []
    assert rows(domain) == [("firing", None, longer)]


def test_many_held_alerts_are_a_storm_when_they_are_let_go(domain: Domain) -> None:
    """The limits that hold for alerts that arrive hold for them."""
    source = domain.sources.create(
        NewAlertSource(source_type_name="alertmanager", name="prom", settings={"storm_threshold": 10})
    )
    silence(domain, minutes=10)
    domain.deliver(source.uuid, delivery(*(entry("Alert", instance=str(n)) for n in range(700))))
    domain.clock.tick(10 * 60)
    release(domain)
    [incident] = listed(domain)

    assert (incident.kind, incident.alert_count) == ("storm", 700)

"""Deliveries, from the body to the rows, on both databases."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
import sqlalchemy.exc

from akmatori_server.alert_sources.models import AlertSource, AlertSourceChanges, NewAlertSource
from akmatori_server.alerts import store
from akmatori_server.alerts.handlers import WebhookHandlers
from akmatori_server.alerts.tables import alerts
from akmatori_server.errors import (
    BadRequest,
    Forbidden,
    NotFound,
    Unauthorized,
    Unavailable,
)
from akmatori_server.incidents.models import Incident
from akmatori_server.incidents.tables import incidents
from akmatori_server.pagination import PageRequest
from tests.server.alerts.payloads import delivery, entry
from tests.server.incidents.domain import Domain, call

GROUP = '{}:{alertname="NodeDiskFilling"}'


@pytest.fixture
def source(domain: Domain) -> AlertSource:
    """A source without a secret."""
    return add_source(domain)


def add_source(domain: Domain, type_name: str = "alertmanager", **members: Any) -> AlertSource:
    """Add a source named as its type."""
    return domain.sources.create(NewAlertSource(source_type_name=type_name, name=type_name, **members))


def post(domain: Domain, source: AlertSource, body: bytes, **headers: str) -> str:
    """Deliver, as the HTTP layer does."""
    handlers = WebhookHandlers(domain.ingest)
    return asyncio.run(handlers.receive_alert(call(headers=headers), uuid=source.uuid, body=body))


def listed(domain: Domain) -> list[Incident]:
    """Every incident, the oldest first."""
    found = domain.incidents.page(PageRequest(size=200))
    return [incident for incident, _ in reversed(found.items)]


def stored(domain: Domain) -> list[tuple[object, ...]]:
    """Every alert's status, deliveries and incident, in the order of their arrival."""
    return domain.rows(
        sa.select(alerts.c.status, alerts.c.deliveries, alerts.c.incident_id).order_by(alerts.c.id)
    )


def test_a_firing_alert_opens_an_incident(domain: Domain, source: AlertSource) -> None:
    """With a title, the fingerprint, and the whole alert as its context."""
    disk = entry(instance="db-07:9100", job="node", starts=domain.clock.now, fingerprint="9f1c")
    answer = post(domain, source, delivery(disk))
    [incident] = listed(domain)

    assert answer == "Received 1 alerts"
    assert incident.title == "NodeDiskFilling - db-07:9100: NodeDiskFilling happens"
    assert (incident.source, incident.source_id, incident.status) == ("alertmanager", "9f1c", "pending")
    assert incident.context == {
        "alert_name": "NodeDiskFilling",
        "severity": "high",
        "status": "firing",
        "summary": "NodeDiskFilling happens",
        "description": "",
        "target_host": "db-07:9100",
        "target_service": "node",
        "target_labels": disk["labels"],
        "metric_name": "",
        "metric_value": "",
        "threshold_value": "",
        "runbook_url": "",
        "started_at": "2026-05-15T10:00:00Z",
        "source_alert_id": "9f1c",
        "source_fingerprint": "9f1c",
        "source_type": "alertmanager",
        "source_instance": "alertmanager",
        "raw_payload": disk,
    }
    assert stored(domain) == [("firing", 1, incident.id)]


def test_a_repeat_attaches_to_the_same_incident(domain: Domain, source: AlertSource) -> None:
    """Any number of them; the row counts them and remembers the last."""
    body = delivery(entry(starts=domain.clock.now))
    first_seen = domain.clock.now
    for _ in range(5):
        post(domain, source, body)
        domain.clock.tick(4 * 3600)
    [incident] = listed(domain)

    assert stored(domain) == [("firing", 5, incident.id)]
    assert domain.rows(sa.select(alerts.c.first_seen_at, alerts.c.last_seen_at)) == [
        (first_seen, first_seen + timedelta(hours=16))
    ]


def finish_investigations(domain: Domain) -> None:
    """Have every investigation ended, as it soon is."""
    with domain.database.write() as connection:
        connection.execute(sa.update(incidents).values(status="completed"))


def test_a_resolved_alert_resolves_its_incident(domain: Domain, source: AlertSource) -> None:
    """The investigation goes on, and the incident says that the problem is over."""
    began = domain.clock.now
    post(domain, source, delivery(entry(starts=began)))
    ended = domain.clock.tick(60)
    answer = post(domain, source, delivery(entry(status="resolved", starts=began, ends=ended)))
    [incident] = listed(domain)

    assert answer == "Received 1 alerts"
    assert stored(domain) == [("resolved", 1, incident.id)]
    assert (incident.status, incident.resolved_at) == ("pending", ended)
    assert (incident.kind, incident.alert_count, incident.firing_count) == ("alert", 1, 0)


def test_an_incident_is_resolved_with_the_last_of_its_alerts(domain: Domain, source: AlertSource) -> None:
    """Not before."""
    began = domain.clock.now
    post(domain, source, delivery(entry(instance="a"), entry(instance="b"), group=GROUP))
    ends = [domain.clock.tick(60), domain.clock.tick(60)]
    seen = []
    for host, end in zip("ab", ends, strict=True):
        one = entry(instance=host, status="resolved", starts=began, ends=end)
        post(domain, source, delivery(one, group=GROUP))
        [incident] = listed(domain)
        seen.append((incident.firing_count, incident.resolved_at))

    assert seen == [(1, None), (0, ends[1])]


@pytest.mark.parametrize("seconds", [60, 30 * 60])
def test_an_alert_that_fires_again_soon_reopens_its_incident(
    domain: Domain, source: AlertSource, seconds: int
) -> None:
    """A flapping alert is one problem: one row, one incident, one investigation."""
    began = domain.clock.now
    post(domain, source, delivery(entry(starts=began)))
    post(domain, source, delivery(entry(status="resolved", starts=began, ends=domain.clock.tick(60))))
    finish_investigations(domain)
    post(domain, source, delivery(entry(starts=domain.clock.tick(seconds))))
    [incident] = listed(domain)

    assert stored(domain) == [("firing", 2, incident.id)]
    assert (incident.resolved_at, incident.firing_count, incident.status) == (None, 1, "completed")
    assert domain.rows(sa.select(alerts.c.episodes)) == [(2,)]


def test_an_alert_that_fires_again_later_is_another_problem(domain: Domain, source: AlertSource) -> None:
    """After the window it gets an incident of its own."""
    began = domain.clock.now
    post(domain, source, delivery(entry(starts=began)))
    post(domain, source, delivery(entry(status="resolved", starts=began, ends=domain.clock.tick(60))))
    finish_investigations(domain)
    post(domain, source, delivery(entry(starts=domain.clock.tick(30 * 60 + 1))))
    first, second = listed(domain)

    assert stored(domain) == [("resolved", 1, first.id), ("firing", 1, second.id)]


def test_a_late_repeat_after_the_end_opens_nothing(domain: Domain, source: AlertSource) -> None:
    """The second of two Alertmanagers was slow; the alert it tells of has had its incident."""
    began = domain.clock.now
    firing = delivery(entry(starts=began))
    post(domain, source, firing)
    post(domain, source, delivery(entry(status="resolved", starts=began, ends=domain.clock.tick(60))))
    post(domain, source, firing)

    assert len(listed(domain)) == 1
    assert [row[:2] for row in stored(domain)] == [("firing", 2)]


def test_an_alert_whose_end_was_lost_is_not_swallowed(domain: Domain, source: AlertSource) -> None:
    """Weeks later the same labels are another problem, though nobody told the first one's end."""
    post(domain, source, delivery(entry(starts=domain.clock.now)))
    finish_investigations(domain)
    domain.clock.tick(14 * 86400)
    post(domain, source, delivery(entry(starts=domain.clock.now)))

    assert len(listed(domain)) == 2
    assert [row[0] for row in stored(domain)] == ["resolved", "firing"]


def test_an_unknown_resolved_alert_is_counted_and_ignored(domain: Domain, source: AlertSource) -> None:
    """There is nothing to resolve."""
    assert post(domain, source, delivery(entry(status="resolved"))) == "Received 1 alerts"
    assert listed(domain) == []
    assert stored(domain) == []


def test_the_alerts_of_a_group_share_an_incident(domain: Domain, source: AlertSource) -> None:
    """The worst one speaks for them, and names the others."""
    bodies = [
        entry(severity=severity, instance=f"db-{n}")
        for n, severity in enumerate(["info", "critical", "high"])
    ]
    post(domain, source, delivery(*bodies, group=GROUP))
    [incident] = listed(domain)

    assert incident.title == "NodeDiskFilling - db-1: NodeDiskFilling happens"
    assert {row[2] for row in stored(domain)} == {incident.id}
    assert len(stored(domain)) == 3
    assert incident.context is not None
    assert incident.context["group_key"] == GROUP
    related = incident.context["related_alerts"]
    assert isinstance(related, list)
    assert [one["target_host"] for one in related if isinstance(one, dict)] == ["db-0", "db-2"]


def test_alerts_without_a_group_stand_alone(domain: Domain, source: AlertSource) -> None:
    """One incident each."""
    post(domain, source, delivery(entry(instance="a"), entry(instance="b")))

    assert len(listed(domain)) == 2


@pytest.mark.parametrize("status", ["pending", "running", "completed"])
def test_a_growing_group_stays_one_incident(domain: Domain, source: AlertSource, status: str) -> None:
    """Whatever its investigation does; one that is under way is told."""
    a, b, c = (entry(instance=host) for host in "abc")
    post(domain, source, delivery(a, group=GROUP))
    post(domain, source, delivery(a, b, group=GROUP))
    with domain.database.write() as connection:
        connection.execute(sa.update(incidents).values(status=status))
    post(domain, source, delivery(a, b, c, group=GROUP))
    [incident] = listed(domain)

    assert [row[1:] for row in stored(domain)] == [(n, incident.id) for n in (3, 2, 1)]
    assert (incident.alert_count, incident.firing_count) == (3, 3)
    _, log = domain.incidents.get(incident.uuid)
    assert ("Joined by NodeDiskFilling - c" in log) == (status == "running")


def test_a_group_that_was_over_for_long_is_another_incident(domain: Domain, source: AlertSource) -> None:
    """Its window has passed; the key is free for the next one, any number of times."""
    for _ in range(3):
        began = domain.clock.tick(3600)
        post(domain, source, delivery(entry(instance="a"), entry(instance="b"), group=GROUP))
        ended = domain.clock.tick(60)
        over = [entry(instance=host, status="resolved", starts=began, ends=ended) for host in "ab"]
        post(domain, source, delivery(*over, group=GROUP))
        finish_investigations(domain)

    assert [(one.alert_count, one.firing_count) for one in listed(domain)] == [(2, 0)] * 3


def test_one_delivery_may_hold_the_same_alert_twice(domain: Domain, source: AlertSource) -> None:
    """It is one alert, told of twice."""
    post(domain, source, delivery(entry(), entry()))

    assert len(listed(domain)) == 1
    assert [row[:2] for row in stored(domain)] == [("firing", 2)]


def test_the_same_labels_of_two_sources_are_two_alerts(domain: Domain, source: AlertSource) -> None:
    """A source is its own world."""
    other = domain.sources.create(NewAlertSource(source_type_name="alertmanager", name="other"))
    for one in (source, other):
        post(domain, one, delivery(entry()))

    assert len(listed(domain)) == 2


def test_a_delivery_of_thousands_is_stored(domain: Domain, source: AlertSource) -> None:
    """More than fit into one statement; again, and they are all known."""
    body = delivery(*(entry(instance=f"host-{number}") for number in range(1200)), group=GROUP)
    answers = [post(domain, source, body) for _ in range(2)]

    assert answers == ["Received 1200 alerts"] * 2
    assert len(listed(domain)) == 1
    assert {row[:2] for row in stored(domain)} == {("firing", 2)}
    assert len(stored(domain)) == 1200


def test_an_alert_that_breaks_a_rule_refuses_the_whole_delivery(domain: Domain, source: AlertSource) -> None:
    """Nothing of it is stored: the sender repairs it and sends it again."""
    broken = {**entry(instance="b"), "startsAt": "yesterday"}

    with pytest.raises(BadRequest, match=r"alerts\[1\]\.startsAt"):
        post(domain, source, delivery(entry(instance="a"), broken))
    assert listed(domain) == []
    assert stored(domain) == []


def test_characters_no_database_takes_lose_no_alert(domain: Domain, source: AlertSource) -> None:
    """They are replaced; texts too long for their column are cut there and whole in the context."""
    body = delivery(entry("n\x00" + "障" * 400, instance="h\x00")).replace("障".encode(), b"\\ud800", 1)
    assert b"\\ud800" in body
    answer = post(domain, source, body)
    [incident] = listed(domain)
    [(name,)] = domain.rows(sa.select(alerts.c.alert_name))

    assert answer == "Received 1 alerts"
    assert name == "n\ufffd\ufffd" + "障" * 252
    assert len(incident.title) <= 80
    assert incident.context is not None
    assert incident.context["alert_name"] == "n\ufffd\ufffd" + "障" * 399
    assert incident.context["target_host"] == "h\ufffd"


def test_a_source_may_map_its_own_fields(domain: Domain) -> None:
    """Over the published ones."""
    source = add_source(domain, field_mappings={"target_host": "labels.nodes.1"})
    alert = entry()
    alert["labels"]["nodes.1"] = "second"
    post(domain, source, delivery(alert))
    [incident] = listed(domain)

    assert incident.title == "NodeDiskFilling - second: NodeDiskFilling happens"


def test_a_deleted_source_keeps_its_incidents(domain: Domain, source: AlertSource) -> None:
    """And its webhook is gone."""
    post(domain, source, delivery(entry()))
    domain.sources.delete(source.uuid)

    assert len(listed(domain)) == 1
    with pytest.raises(NotFound):
        post(domain, source, delivery(entry()))


def test_a_wrong_secret_learns_nothing_more(domain: Domain) -> None:
    """Neither that the source is disabled, nor what is wrong with the body."""
    source = add_source(domain, webhook_secret="the-secret")
    domain.sources.update(source.uuid, AlertSourceChanges(enabled=False))

    for headers in ({}, {"authorization": "Bearer wrong"}):
        with pytest.raises(Unauthorized):
            post(domain, source, b"no json", **headers)
    with pytest.raises(Forbidden):
        post(domain, source, delivery(entry()), authorization="Bearer the-secret")
    domain.sources.update(source.uuid, AlertSourceChanges(enabled=True))
    with pytest.raises(BadRequest):
        post(domain, source, b"no json", authorization="Bearer the-secret")
    assert post(domain, source, delivery(entry()), authorization="Bearer the-secret") == "Received 1 alerts"


def test_a_type_without_a_webhook_says_so(domain: Domain) -> None:
    """Slack's messages are read, not delivered."""
    source = add_source(domain, "slack_channel", settings={"slack_channel_id": "C1"})

    with pytest.raises(BadRequest, match="Slack"):
        post(domain, source, delivery(entry()))


def test_the_uuid_of_no_source_is_not_found(domain: Domain) -> None:
    """Whatever it looks like."""
    with pytest.raises(NotFound):
        domain.deliver("no uuid", b"{}")


def together(number: int, act: Callable[[], str]) -> list[str]:
    """Do the same in several threads at the same moment."""
    barrier = threading.Barrier(number)

    def go(_number: int) -> str:
        barrier.wait()
        return act()

    with ThreadPoolExecutor(number) as pool:
        return list(pool.map(go, range(number)))


@pytest.mark.parametrize("group", ["", GROUP])
def test_identical_deliveries_at_once_open_one_incident_per_problem(
    domain: Domain, source: AlertSource, group: str
) -> None:
    """Two Alertmanagers notify in the same instant, and their retries with them."""
    for turn in range(5):
        hosts = [f"{turn}-{host}" for host in "abc"]
        body = delivery(*(entry(instance=host) for host in hosts), group=group and f"{group}{turn}")
        answers = together(6, partial(post, domain, source, body))
        assert answers == ["Received 3 alerts"] * 6

    assert len(listed(domain)) == (5 if group else 15)
    assert {row[:2] for row in stored(domain)} == {("firing", 6)}
    assert len(list((domain.data_directory / "incidents").iterdir())) == len(listed(domain))


def test_fire_and_resolve_at_once_leave_one_row(domain: Domain, source: AlertSource) -> None:
    """Whichever comes first, there is one alert and one incident."""
    began = domain.clock.now
    firing = delivery(entry(starts=began))
    resolved = delivery(entry(status="resolved", starts=began, ends=began + timedelta(seconds=1)))
    domain.clock.tick(60)
    post(domain, source, firing)
    bodies = iter([firing, resolved, firing, resolved] * 3)
    lock = threading.Lock()

    def act() -> str:
        with lock:
            body = next(bodies)
        return post(domain, source, body)

    together(12, act)

    assert len(listed(domain)) == 1
    assert len(stored(domain)) == 1


def test_a_race_that_is_never_won_asks_to_be_sent_again(
    domain: Domain, source: AlertSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 503 and a time to wait, and nothing stored."""

    def lose(*_args: object) -> None:
        raise sqlalchemy.exc.IntegrityError("insert", {}, ValueError("uq_alerts_firing"))

    monkeypatch.setattr(store, "insert_rows", lose)
    with pytest.raises(Unavailable) as caught:
        post(domain, source, delivery(entry()))

    assert caught.value.headers["Retry-After"] == "5"
    assert listed(domain) == []
    assert list((domain.data_directory / "incidents").iterdir()) == []


def test_a_disk_that_takes_nothing_asks_to_be_sent_again(domain: Domain, source: AlertSource) -> None:
    """An incident without its directory is not opened."""
    (domain.data_directory).mkdir()
    (domain.data_directory / "incidents").write_text("a file in the way")

    with pytest.raises(Unavailable):
        post(domain, source, delivery(entry()))
    assert stored(domain) == []


def test_the_receipt_names_what_was_opened(domain: Domain, source: AlertSource) -> None:
    """For the log and for other callers in the server."""
    receipt = domain.deliver(source.uuid, delivery(entry(), entry("Other")))

    assert receipt.alerts == 2
    assert list(receipt.incidents) == [incident.uuid for incident in listed(domain)]
    assert domain.deliver(source.uuid, orjson.dumps({"alerts": []})).alerts == 0

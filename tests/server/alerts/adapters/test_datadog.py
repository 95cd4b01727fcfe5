"""Reading Datadog's notifications."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from akmatori_server.alerts.adapters import datadog
from akmatori_server.alerts.models import AlertStatus, NormalisedAlert, Reading, Severity
from akmatori_server.errors import BadRequest
from tests.server.alerts.adapters.examples import DATADOG, DATADOG_STOCK, changed

AT = datetime(2026, 4, 20, 7, 12, 30, tzinfo=UTC)


def read(document: object, **mappings: str) -> Reading:
    """Read a document with mappings of the source."""
    return datadog.read({}, document, mappings)


def one(document: dict[str, Any], **members: Any) -> NormalisedAlert:
    """Read one alert with other members."""
    [alert] = read(changed(document, **members)).alerts
    return alert


def test_an_alert_in_full() -> None:
    """Host and service come from tags where they have no member."""
    assert one(DATADOG) == NormalisedAlert(
        alert_name="p95 latency high on api-3",
        severity=Severity.CRITICAL,
        status=AlertStatus.FIRING,
        summary="p95 above 900 ms for 10 min",
        description="p95 above 900 ms for 10 min",
        target_host="api-3",
        target_service="checkout",
        target_labels={"env": "prod", "service": "checkout", "host": "api-3", "canary": "true"},
        metric_name="trace.http.request.duration",
        runbook_url="https://wiki.example.net/rb/latency",
        told_at=AT,
        source_alert_id="48213377",
        source_fingerprint="5521908877",
        raw_payload=DATADOG,
    )


@pytest.mark.parametrize(
    ("tags", "labels"),
    [
        (["env:prod", "host:h", "bare", "a:b:c"], {"env": "prod", "host": "h", "bare": "true", "a": "b:c"}),
        ("env:prod, host:h ,bare", {"env": "prod", "host": "h", "bare": "true"}),
        ({"env": "prod", "host": 5, "deep": {}}, {"env": "prod", "host": "5"}),
        ([{"name": "env", "value": "prod"}, 7, None, []], {"env": "prod", "7": "true"}),
        ("", {}),
        (None, {}),
        (5, {}),
    ],
)
def test_tags_in_every_shape(tags: object, labels: dict[str, str]) -> None:
    """An array, one text, or an object; a bare tag is true."""
    alert = one(DATADOG, tags=tags, hostname=...)

    assert alert.target_labels == labels
    assert alert.target_host == labels.get("host", "")


@pytest.mark.parametrize("date", [1776669150000, "1776669150000", 1776669150, "2026-04-20T07:12:30Z"])
def test_numbers_may_be_texts(date: object) -> None:
    """The stock template quotes them."""
    reading = read(changed(DATADOG, date=date, alert_id=48213377))

    assert reading.warnings == ()
    assert (reading.alerts[0].told_at, reading.alerts[0].source_alert_id) == (AT, "48213377")


@pytest.mark.parametrize(
    ("transition", "resolved"),
    [(word, True) for word in ("Recovered", "recovered", " OK ", "Resolved")]
    + [
        (word, False)
        for word in ("Triggered", "Re-Triggered", "Warn", "Re-Warn", "No Data", "Re-No Data", "Renotify")
    ],
)
def test_the_transition_decides(transition: str, *, resolved: bool) -> None:
    """Whatever the sentence of the status says."""
    for status in ("the broker is ok", "Recovered", "Triggered", ""):
        alert = one(DATADOG, alert_transition=transition, alert_status=status)
        assert alert.is_firing is not resolved


@pytest.mark.parametrize(
    ("status", "resolved"),
    [
        ("Recovered", True),
        ("OK", True),
        ("Monitor is now resolved.", True),
        ("http check is ok", True),
        ("broker is broken", False),
        ("probe.ok over host:ok-1 was < 1", False),
        ("check is not ok", False),
        ("token rejected", False),
        ("Triggered", False),
    ],
)
def test_without_a_transition_words_of_the_status_decide(status: str, *, resolved: bool) -> None:
    """Whole words only: there is an ok in every broker."""
    alert = one(DATADOG, alert_transition=..., alert_status=status)

    assert alert.is_firing is not resolved


@pytest.mark.parametrize(
    ("alert_type", "priority", "alert_priority", "severity"),
    [
        ("error", "low", "P4", Severity.CRITICAL),
        ("warning", "", "", Severity.WARNING),
        ("INFO", "normal", "", Severity.INFO),
        ("success", "normal", "", Severity.INFO),
        ("", "normal", "", Severity.WARNING),
        ("", "low", "", Severity.INFO),
        ("", "", "", Severity.WARNING),
        ("other", "low", "P1", Severity.CRITICAL),
        ("", "", "P5", Severity.INFO),
    ],
)
def test_severity_is_the_type_else_the_priority(
    alert_type: str, priority: str, alert_priority: str, severity: Severity
) -> None:
    """As documented."""
    members = {"alert_type": alert_type, "priority": priority, "alert_priority": alert_priority}

    assert one(DATADOG, **members).severity is severity


def test_the_stock_template_is_enough() -> None:
    """State and identity are worked out from the title; the recovery is the same alert."""
    fired = one(DATADOG_STOCK)
    again = one(DATADOG_STOCK, id="2", title="[Re-Triggered on {host:api-3}] p95 latency high")
    over = one(DATADOG_STOCK, id="3", title="[P2] [Recovered on {host:api-3}] p95 latency high")
    other = one(DATADOG_STOCK, id="4", title="[Triggered on {host:api-4}] p95 latency high")

    assert fired.source_alert_id == "7712040055319"
    assert (fired.is_firing, again.is_firing, over.is_firing) == (True, True, False)
    assert over.ended_at == AT
    assert fired.source_fingerprint == again.source_fingerprint == over.source_fingerprint
    assert other.source_fingerprint != fired.source_fingerprint


def test_brackets_that_are_no_state_belong_to_the_name() -> None:
    """Two environments are two alerts."""
    one_of, other = (one(DATADOG_STOCK, title=f"[{env}] latency") for env in ("Prod", "Staging"))

    assert one_of.source_fingerprint != other.source_fingerprint


def test_without_a_cycle_the_monitor_and_its_group_identify() -> None:
    """The event's own id does not: the recovery has another."""
    alerts = [
        one(DATADOG, alert_cycle_key=cycle, alert_scope=scope)
        for cycle, scope in (("", "host:a"), (..., "host:a"), ("$ALERT_CYCLE_KEY", "host:b"))
    ]

    assert [alert.source_fingerprint for alert in alerts] == [
        "48213377/host:a",
        "48213377/host:a",
        "48213377/host:b",
    ]


def test_success_ends_an_alert_that_says_nothing_else() -> None:
    """The last thing that is looked at."""
    assert not one({"title": "latency", "alert_type": "success"}).is_firing
    assert one({"title": "latency", "alert_type": "error"}).is_firing


@pytest.mark.parametrize("document", [{}, None, [], [{}], {"events": []}])
def test_nothing_is_no_alert(document: object) -> None:
    """An empty body is no firing alert without a name."""
    assert read(document) == Reading()


def test_a_batch_holds_several_alerts() -> None:
    """As an array, or under a name."""
    for document in ([DATADOG, DATADOG_STOCK], {"events": [DATADOG, DATADOG_STOCK]}):
        assert len(read(document).alerts) == 2


def test_what_is_no_alert_is_refused_unless_it_is_mapped() -> None:
    """A body with nothing that is known is no alert without a name."""
    with pytest.raises(BadRequest, match="alert_title"):
        read({"x": {"name": "n"}})
    [alert] = read({"x": {"name": "n"}}, alert_name="x.name").alerts

    assert alert.alert_name == "n"


def test_an_alert_without_a_name_gets_one() -> None:
    """And no variable that was not filled in."""
    alert = one({"alert_title": "$ALERT_TITLE", "tags": "a:b", "body": "b"})

    assert alert.alert_name == "Datadog Alert"


@pytest.mark.parametrize(
    ("links", "runbook"),
    [
        ([{"name": "a", "url": "first"}, {"name": "b", "url": "second"}], "first"),
        ([5, {}, {"name": "RUNBOOK"}, {"name": "x", "url": "x"}], "x"),
        ([], ""),
        ("https://x", ""),
        (None, ""),
    ],
)
def test_the_runbook_is_the_link_that_is_named_so_else_the_first(links: object, runbook: str) -> None:
    """Links may be anything."""
    assert one(DATADOG, event_links=links).runbook_url == runbook


def test_published_paths_into_tags_hold_for_every_shape_of_tags() -> None:
    """`tags.host` is found whether tags are an object, an array or a text."""
    for tags in ("host:h,env:x", ["host:h"], {"host": "h"}):
        reading = read(changed(DATADOG, tags=tags), target_host="tags.host")
        assert (reading.alerts[0].target_host, reading.warnings) == ("h", ())

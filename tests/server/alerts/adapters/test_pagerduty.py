"""Reading PagerDuty's events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from akmatori_server.alerts.adapters import pagerduty as adapter
from akmatori_server.alerts.models import AlertStatus, NormalisedAlert, Reading, Severity
from akmatori_server.errors import BadRequest
from tests.server.alerts.adapters.examples import PAGERDUTY, PAGERDUTY_2, PAGERDUTY_OTHERS, pagerduty

OCCURRED = datetime(2026, 4, 20, 7, 20, 11, tzinfo=UTC)
CREATED = datetime(2026, 4, 20, 7, 19, 58, tzinfo=UTC)


def read(document: object, **mappings: str) -> Reading:
    """Read a document with mappings of the source."""
    return adapter.read({}, document, mappings)


def one(document: object, **mappings: str) -> NormalisedAlert:
    """Read a document of one alert."""
    [alert] = read(document, **mappings).alerts
    return alert


def test_an_incident_in_full() -> None:
    """The name of the service is its summary; there is no host in an incident."""
    url = "https://acme.pagerduty.com/incidents/Q2M7ZK4PLAXE01"

    assert one(PAGERDUTY) == NormalisedAlert(
        alert_name="Payments 5xx above 4%",
        severity=Severity.HIGH,
        status=AlertStatus.FIRING,
        description=url,
        target_service="Payments API",
        target_labels={
            "service_id": "PF9KMXH",
            "service_name": "Payments API",
            "urgency": "high",
            "priority_id": "PSO75BM",
            "priority": "P2",
            "incident_number": "4821",
            "html_url": url,
        },
        started_at=CREATED,
        told_at=OCCURRED,
        source_alert_id="Q2M7ZK4PLAXE01",
        source_fingerprint="Q2M7ZK4PLAXE01",
        raw_payload=PAGERDUTY,
    )


@pytest.mark.parametrize(
    ("kind", "status", "started"),
    [
        ("incident.triggered", AlertStatus.FIRING, CREATED),
        ("incident.acknowledged", AlertStatus.FIRING, CREATED),
        ("incident.unacknowledged", AlertStatus.FIRING, CREATED),
        ("incident.reopened", AlertStatus.FIRING, OCCURRED),
        ("incident.resolved", AlertStatus.RESOLVED, CREATED),
    ],
)
def test_what_begins_and_what_ends(kind: str, status: AlertStatus, started: datetime) -> None:
    """An acknowledged incident is not over; a reopened one begins again."""
    alert = one(pagerduty(kind))

    assert (alert.status, alert.started_at, alert.told_at) == (status, started, OCCURRED)
    assert alert.ended_at == (OCCURRED if status is AlertStatus.RESOLVED else None)


@pytest.mark.parametrize("document", PAGERDUTY_OTHERS, ids=lambda document: document["event"]["event_type"])
def test_other_events_are_no_alerts(document: dict[str, Any]) -> None:
    """They are taken, and there is nothing to warn of, not even mappings that found nothing."""
    assert read(document, target_host="event.data.nowhere") == Reading()


@pytest.mark.parametrize("document", [{}, None, [], {"events": []}, {"messages": [{}]}])
def test_nothing_is_no_alert(document: object) -> None:
    """An empty body is no firing alert without a name."""
    assert read(document) == Reading()


@pytest.mark.parametrize(
    ("priority", "urgency", "severity"),
    [
        ("P1", "low", Severity.CRITICAL),
        ("Sev 1 - Critical", "low", Severity.CRITICAL),
        ("p2", "low", Severity.HIGH),
        ("High", "low", Severity.HIGH),
        ("P3", "high", Severity.HIGH),
        ("P3", "low", Severity.INFO),
        ("P10", "low", Severity.INFO),
        (None, "high", Severity.HIGH),
        (None, "", Severity.WARNING),
        (None, None, Severity.WARNING),
    ],
)
def test_severity_is_the_priority_else_the_urgency(
    priority: str | None, urgency: str | None, severity: Severity
) -> None:
    """The priority of the account may be missing."""
    of = None if priority is None else {"id": "P", "summary": priority}

    assert one(pagerduty(priority=of, urgency=urgency)).severity is severity


def test_a_batch_holds_several_events() -> None:
    """Wrapped or not, under either name, or as an array; those that are no alerts are passed over."""
    events = [
        pagerduty(id="A"),
        pagerduty("incident.resolved", id="B"),
        PAGERDUTY_OTHERS[0],
        pagerduty(id="C")["event"],
    ]

    for document in ({"events": events}, {"messages": events}, events):
        assert [(alert.source_fingerprint, alert.is_firing) for alert in read(document).alerts] == [
            ("A", True),
            ("B", False),
            ("C", True),
        ]


def test_messages_of_version_2_are_read_too() -> None:
    """Their trigger and their resolve are the same alert."""
    begins, ends = read(PAGERDUTY_2).alerts

    assert (begins.alert_name, begins.target_service) == ("Old style", "Production XDB Cluster")
    assert (begins.severity, begins.is_firing, ends.is_firing) == (Severity.INFO, True, False)
    assert begins.source_fingerprint == ends.source_fingerprint == "PT4KHLK"


def test_an_incident_of_little() -> None:
    """The smallest one has a name, and an identity."""
    alert = one({"event": {"event_type": "incident.triggered", "data": {}}})

    assert alert.alert_name == "PagerDuty Incident"
    assert alert.source_fingerprint


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"x": 1}, "event_type"),
        ({"event": {}}, "event_type"),
        ({"event": 5}, r"body\.event"),
        ({"event": None}, r"body\.event"),
        ({"event": {"event_type": "incident.triggered"}}, r"event\.data"),
        ({"event": {"event_type": "incident.triggered", "data": []}}, r"event\.data"),
        ({"messages": ["x"]}, r"messages\[0\]"),
        ([PAGERDUTY, 5], r"body\[1\]"),
        ("x", "array"),
    ],
)
def test_another_shape_is_refused(document: object, named: str) -> None:
    """With the place in the sentence."""
    with pytest.raises(BadRequest, match=named):
        read(document)


def test_paths_begin_with_event_however_it_came() -> None:
    """The published paths hold for batches and for events that are not wrapped."""
    mapped = {"target_host": "event.data.custom.hosts.0", "severity": "event.data.custom.level"}
    document = pagerduty(custom={"hosts": ["pay-1"], "level": "disaster"})

    for wrapped in (document, {"events": [document]}, [document["event"]]):
        alert = one(wrapped, **mapped)
        assert (alert.target_host, alert.severity) == ("pay-1", Severity.CRITICAL)

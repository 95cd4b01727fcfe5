"""Reading Grafana's payload."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from akmatori_server.alerts.adapters import grafana
from akmatori_server.alerts.models import AlertStatus, NormalisedAlert, Reading, Severity
from akmatori_server.errors import BadRequest
from tests.server.alerts.adapters.examples import GRAFANA, GRAFANA_LEGACY, changed

FIRING, RESOLVED = GRAFANA["alerts"]


def read(document: object, **mappings: str) -> Reading:
    """Read a document with mappings of the source."""
    return grafana.read({}, document, mappings)


def test_a_delivery_in_full() -> None:
    """One alert per entry, with what Grafana's rules add; the published paths of old Grafana do no harm."""
    reading = read(GRAFANA)

    assert reading.warnings == ()
    assert reading.alerts[0] == NormalisedAlert(
        alert_name="Queue lag",
        severity=Severity.CRITICAL,
        status=AlertStatus.FIRING,
        summary="lag over 50k",
        description=(
            "orders queue\nDashboard: https://grafana.example.net/d/queues\n"
            "Panel: https://grafana.example.net/d/queues?viewPanel=4"
        ),
        target_host="mq-2",
        target_service="rabbit",
        target_labels=FIRING["labels"],
        metric_value="51230",
        started_at=datetime(2026, 4, 20, 7, 15, tzinfo=UTC),
        source_alert_id="c6eadffa33fcdf37",
        source_fingerprint="c6eadffa33fcdf37",
        group_key=GRAFANA["groupKey"],
        raw_payload=FIRING,
    )
    ended = reading.alerts[1]
    assert (ended.status, ended.ended_at) == (
        AlertStatus.RESOLVED,
        datetime(2026, 4, 20, 7, 14, 30, tzinfo=UTC),
    )
    assert ended.metric_value == "[ var='B' labels={instance=mq-1} value=12 ]"


@pytest.mark.parametrize("document", [{}, None, {"alerts": []}, {"alerts": None}])
def test_no_alerts_are_no_fault(document: object) -> None:
    """The contact point's test button may send such."""
    assert read(document) == Reading()


def test_a_body_of_something_else_is_told() -> None:
    """It may be another vendor's, sent to the wrong source."""
    reading = read({"alert_title": "CPU high", "alert_transition": "Triggered"})

    assert reading.alerts == ()
    assert "no member alerts" in reading.warnings[0]


@pytest.mark.parametrize(
    ("status", "resolved"),
    [("resolved", True), ("Normal", True), ("OK", True), ("firing", False), ("alerting", False), ("", False)]
    + [(word, False) for word in ("nodata", "error", "pending", "paused", "broker")],
)
def test_state_words(status: str, *, resolved: bool) -> None:
    """What is normal again ends an alert; missing data and errors are problems."""
    [alert] = read({"alerts": [{**FIRING, "status": status}]}).alerts

    assert alert.is_firing is not resolved


def test_several_values_and_none() -> None:
    """Each with the name of its query."""
    several, none = (
        read({"alerts": [{**FIRING, "values": values, "valueString": ""}]}).alerts[0]
        for values in ({"A": 1.5, "B": 2, "C": None}, {})
    )

    assert (several.metric_value, none.metric_value) == ("A=1.5, B=2", "")


def test_a_name_when_there_is_none() -> None:
    """The product's constant."""
    assert read({"alerts": [{"status": "firing"}]}).alerts[0].alert_name == "Grafana Alert"


def test_another_organisation_has_groups_of_its_own() -> None:
    """The same group key in two of them is not the same problem."""
    keys = {read({**GRAFANA, "orgId": org}).alerts[0].group_key for org in (1, "1", None, 2, "3")}

    assert len(keys) == 3


def test_alerts_that_were_left_out_are_told() -> None:
    """By the contact point's limit."""
    [warning] = read({**GRAFANA, "truncatedAlerts": "3"}).warnings

    assert "3 alerts" in warning


def test_a_time_that_is_none_does_not_cost_the_alert() -> None:
    """It is left out, and the operator is told."""
    reading = read({"alerts": [{**FIRING, "startsAt": "yesterday"}, {**FIRING, "startsAt": {}}]})

    assert [alert.started_at for alert in reading.alerts] == [None, None]
    assert reading.warnings == ("startsAt: left out of 2 alerts, because it is not a time that can be read.",)


OTHER_SHAPES: list[tuple[object, str]] = [
    ({"alerts": {}}, "alerts"),
    ({"alerts": [FIRING, "x"]}, r"alerts\[1\]"),
    ({"alerts": [{"labels": []}]}, r"alerts\[0\]\.labels"),
    ([FIRING], "object"),
    (5, "object"),
]


@pytest.mark.parametrize(("document", "named"), OTHER_SHAPES)
def test_another_shape_is_refused(document: object, named: str) -> None:
    """With the place in the sentence."""
    with pytest.raises(BadRequest, match=named):
        read(document)


def test_the_alerting_before_unified_is_read_as_published() -> None:
    """One alert per notification, found where the published mappings say."""
    [alert] = read(GRAFANA_LEGACY).alerts
    [over] = read(changed(GRAFANA_LEGACY, state="ok", evalMatches=[], message="")).alerts

    assert (alert.alert_name, alert.summary, alert.target_host) == ("CPU load", "CPU is busy", "web-1")
    assert (alert.metric_name, alert.metric_value) == ("cpu", "91.5")
    assert alert.runbook_url == "https://grafana.example.net/d/hZ7BuVbWz/cpu"
    assert alert.target_labels == {"team": "web", "instance": "web-1", "dc": "fra"}
    assert (alert.source_alert_id, alert.source_fingerprint) == ("7", "2/7")
    assert alert.is_firing
    assert not over.is_firing
    assert over.source_fingerprint == alert.source_fingerprint


def test_a_mapping_may_lead_into_the_group() -> None:
    """What is not in the entry is looked for in the body."""
    mapped: dict[str, Any] = {"summary": "message", "target_host": "groupLabels.alertname"}
    [alert, _] = read(GRAFANA, **mapped).alerts

    assert (alert.summary, alert.target_host) == (GRAFANA["message"], "Queue lag")

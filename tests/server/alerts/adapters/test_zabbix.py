"""Reading Zabbix' problems."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from akmatori_server.alerts.adapters import zabbix
from akmatori_server.alerts.models import AlertStatus, NormalisedAlert, Reading, Severity
from akmatori_server.errors import BadRequest
from tests.server.alerts.adapters.examples import ZABBIX, ZABBIX_EXPORT, ZABBIX_MEDIA_TYPE, changed


def read(document: object, **mappings: str) -> Reading:
    """Read a document with mappings of the source."""
    return zabbix.read({}, document, mappings)


def one(document: dict[str, Any], **members: Any) -> NormalisedAlert:
    """Read one problem with other members."""
    [alert] = read(changed(document, **members)).alerts
    return alert


def test_a_problem_in_full() -> None:
    """As the product reads it."""
    began = datetime(2026, 4, 20, 7, 25, tzinfo=UTC)

    assert one(ZABBIX) == NormalisedAlert(
        alert_name="Load average too high",
        severity=Severity.HIGH,
        status=AlertStatus.FIRING,
        summary="{host:system.cpu.load.avg(5m)}>5",
        description="system.cpu.load[percpu,avg1] = 7.9\nTrigger: {host:system.cpu.load.avg(5m)}>5",
        target_host="hv-12",
        target_labels={
            "hardware": "hv-12",
            "trigger_expression": "{host:system.cpu.load.avg(5m)}>5",
            "pending_duration": "5m",
        },
        metric_name="system.cpu.load[percpu,avg1]",
        metric_value="7.9",
        started_at=began,
        told_at=began,
        source_alert_id="990217",
        source_fingerprint="990217",
        raw_payload=ZABBIX,
    )


def test_a_recovery_by_the_media_types_of_zabbix_itself() -> None:
    """Other names, date and time apart, a time zone, macros that were not filled in."""
    reading = read(ZABBIX_MEDIA_TYPE)
    [alert] = reading.alerts

    assert reading.warnings == ()
    assert (alert.alert_name, alert.target_host, alert.severity) == (
        "Load average too high",
        "hv-12",
        Severity.WARNING,
    )
    assert alert.status is AlertStatus.RESOLVED
    assert alert.started_at == datetime(2026, 4, 20, 5, 25, tzinfo=UTC)
    assert alert.ended_at == alert.told_at == datetime(2026, 4, 20, 5, 45, 30, tzinfo=UTC)
    assert (alert.summary, alert.description) == ("Current load: 0.9", "")
    assert alert.target_labels == {"scope": "performance", "kept": ""}
    assert alert.source_fingerprint == "990217"


def test_exported_events_in_an_array() -> None:
    """The recovery names its problem, and happened when it says."""
    begins, ends = read(ZABBIX_EXPORT).alerts

    assert (begins.severity, begins.target_host, begins.is_firing) == (Severity.CRITICAL, "Host A", True)
    assert begins.started_at == datetime(2026, 4, 20, 7, 25, tzinfo=UTC)
    assert begins.source_fingerprint == ends.source_fingerprint == "42"
    assert not ends.is_firing
    assert (ends.started_at, ends.ended_at) == (None, datetime(2026, 4, 20, 7, 35, tzinfo=UTC))
    assert read({"events": ZABBIX_EXPORT}).alerts == (begins, ends)


@pytest.mark.parametrize(
    ("members", "severity"),
    [
        ({"priority": "5"}, Severity.CRITICAL),
        ({"priority": 4}, Severity.HIGH),
        ({"priority": 3.0, "severity": "Disaster"}, Severity.CRITICAL),
        ({"priority": "3", "severity": "Disaster"}, Severity.WARNING),
        ({"priority": "2"}, Severity.INFO),
        ({"priority": "1"}, Severity.INFO),
        ({"priority": "0", "severity": "Not classified"}, Severity.WARNING),
        ({"priority": ..., "severity": "Disaster"}, Severity.CRITICAL),
        ({"priority": "", "severity": "high"}, Severity.HIGH),
        ({"priority": ..., "severity": "Average"}, Severity.WARNING),
        ({"priority": ..., "severity": "Information"}, Severity.INFO),
        ({"priority": ..., "severity": ...}, Severity.WARNING),
        ({"priority": [], "severity": {}}, Severity.WARNING),
    ],
)
def test_severity_is_the_number_else_the_word(members: dict[str, Any], severity: Severity) -> None:
    """As a number or as a text."""
    assert one(ZABBIX, **members).severity is severity


@pytest.mark.parametrize(
    ("members", "resolved"),
    [
        ({"event_status": "RESOLVED"}, True),
        ({"event_status": "OK"}, True),
        ({"event_status": "ok"}, True),
        ({"event_status": "PROBLEM", "event_value": "0"}, False),
        ({"event_status": "BROKEN"}, False),
        ({"event_status": ..., "event_value": "0"}, True),
        ({"event_status": ..., "event_value": 0}, True),
        ({"event_status": ..., "event_value": 1}, False),
        ({"event_status": "{EVENT.STATUS}", "recovery_event_id": "990300"}, True),
        ({"event_status": ..., "recovery_event_id": "{EVENT.RECOVERY.ID}"}, False),
        ({"event_status": ..., "recovery_event_id": "0"}, False),
        ({"event_status": ...}, False),
        ({"event_status": ..., "value": "0"}, False),
    ],
)
def test_status_is_the_word_else_the_value_else_the_recovery(
    members: dict[str, Any], *, resolved: bool
) -> None:
    """An item's value is none of them."""
    assert one(ZABBIX, **members).is_firing is not resolved


@pytest.mark.parametrize(
    ("members", "moment"),
    [
        ({"event_time": "2026-04-20T07:25:00+05:30"}, datetime(2026, 4, 20, 1, 55, tzinfo=UTC)),
        ({"event_time": "2026.04.20 07:25:00"}, datetime(2026, 4, 20, 7, 25, tzinfo=UTC)),
        ({"event_time": "2026-04-20 07:25:00 +0200"}, datetime(2026, 4, 20, 5, 25, tzinfo=UTC)),
        ({"event_time": "2026-04-20 07:25:00 Asia/Tokyo"}, datetime(2026, 4, 19, 22, 25, tzinfo=UTC)),
        ({"timezone": "America/New_York"}, datetime(2026, 4, 20, 11, 25, tzinfo=UTC)),
        ({"timezone": "-03:00"}, datetime(2026, 4, 20, 10, 25, tzinfo=UTC)),
        ({"event_time": "1776669900"}, datetime(2026, 4, 20, 7, 25, tzinfo=UTC)),
        ({"event_time": 1776669900}, datetime(2026, 4, 20, 7, 25, tzinfo=UTC)),
        ({"event_time": "07:25:00"}, None),
        ({"event_time": "07:25", "event_date": "2026.04.20"}, datetime(2026, 4, 20, 7, 25, tzinfo=UTC)),
        ({"event_time": ...}, None),
        ({"event_time": "{EVENT.TIME}"}, None),
    ],
)
def test_times(members: dict[str, Any], moment: datetime | None) -> None:
    """UTC unless a zone is given; what is left out warns of nothing."""
    reading = read(changed(ZABBIX, **members))

    assert (reading.alerts[0].started_at, reading.warnings) == (moment, ())


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"event_time": "soon"}, "event_time"),
        ({"event_time": "2026-02-30 07:25:00"}, "event_time"),
        ({"event_time": True}, "event_time"),
        ({"event_time": [1]}, "event_time"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"timezone": "../etc/passwd"}, "timezone"),
    ],
)
def test_a_time_that_is_none_does_not_cost_the_problem(members: dict[str, Any], named: str) -> None:
    """The operator is told."""
    [warning] = read(changed(ZABBIX, **members)).warnings

    assert warning.startswith(named)


def test_the_problem_identifies_not_its_recovery() -> None:
    """Scripts may send the recovery's own id as the event's."""
    alert = one(ZABBIX, event_id="990300", problem_event_id=990217, event_status="RESOLVED")

    assert (alert.source_fingerprint, alert.source_alert_id) == ("990217", "990300")


def test_without_ids_the_trigger_or_the_name_identifies() -> None:
    """Together with the host."""

    def identity(**members: Any) -> str:
        return one(ZABBIX, **{"event_id": ..., **members}).source_fingerprint

    assert identity() == identity(metric_value="8.1", event_status="OK")
    assert identity() != identity(hardware="hv-13")
    assert identity(trigger_id=5) == identity(trigger_id="5", alert_name="renamed") != identity(trigger_id=6)


@pytest.mark.parametrize("missing", list(ZABBIX))
def test_any_member_may_be_missing(missing: str) -> None:
    """And is a number, or something quite different, elsewhere."""
    for value in (..., None, 5, [], {"a": 1}):
        assert one(ZABBIX, **{missing: value}).alert_name


def test_a_name_when_there_is_none() -> None:
    """For people."""
    assert one({"event_id": 5}).alert_name == "Zabbix Problem"


@pytest.mark.parametrize("document", [{}, None, [], [{}, {}], {"events": []}])
def test_nothing_is_no_problem(document: object) -> None:
    """An empty body is no firing alert without a name."""
    assert read(document) == Reading()


@pytest.mark.parametrize(
    ("document", "named"),
    [({"x": 1}, "event_id"), ([ZABBIX, 5], r"body\[1\]"), ({"events": ["x"]}, r"events\[0\]"), (5, "array")],
)
def test_another_shape_is_refused(document: object, named: str) -> None:
    """With the place in the sentence."""
    with pytest.raises(BadRequest, match=named):
        read(document)

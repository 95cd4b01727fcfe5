"""Reading Alertmanager's payload."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from akmatori_server.alerts.adapters import alertmanager
from akmatori_server.alerts.document import read_document
from akmatori_server.alerts.fingerprint import label_fingerprint
from akmatori_server.alerts.models import AlertStatus, NormalisedAlert, Severity
from akmatori_server.alerts.severity import severity_of
from akmatori_server.errors import BadRequest

# As Alertmanager 0.28 sends it.
DISK: dict[str, Any] = {
    "status": "firing",
    "labels": {
        "alertname": "NodeDiskFilling",
        "severity": "major",
        "instance": "db-07.example.net:9100",
        "job": "node",
        "mountpoint": "/var",
    },
    "annotations": {
        "summary": "/var is 93% full",
        "description": "Predicted full in 5h",
        "runbook_url": "https://wiki.example.net/rb/disk",
    },
    "startsAt": "2026-04-20T07:12:30.115Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prom.example.net/graph?g0.expr=disk",
    "fingerprint": "9f1c2b7a44e0d5aa",
}


def parse(document: object, mappings: dict[str, str]) -> list[NormalisedAlert]:
    """Read a document."""
    return list(alertmanager.read({}, document, mappings).alerts)


def read(entry: dict[str, Any], **mappings: str) -> NormalisedAlert:
    """Read one entry with mappings of the source."""
    [alert] = parse({"alerts": [entry]}, mappings)
    return alert


def test_an_alert_in_full() -> None:
    """Every member comes from where Alertmanager has it."""
    assert read(DISK) == NormalisedAlert(
        alert_name="NodeDiskFilling",
        severity=Severity.HIGH,
        status=AlertStatus.FIRING,
        summary="/var is 93% full",
        description="Predicted full in 5h",
        target_host="db-07.example.net:9100",
        target_service="node",
        target_labels=DISK["labels"],
        runbook_url="https://wiki.example.net/rb/disk",
        started_at=datetime(2026, 4, 20, 7, 12, 30, 115000, tzinfo=UTC),
        source_alert_id="9f1c2b7a44e0d5aa",
        source_fingerprint="9f1c2b7a44e0d5aa",
        raw_payload=DISK,
    )


@pytest.mark.parametrize("document", [{}, {"alerts": []}, {"alerts": None}, {"status": "firing"}])
def test_no_alerts_are_no_fault(document: dict[str, Any]) -> None:
    """Alertmanager's own test button sends such."""
    assert parse(document, {}) == []


def test_an_entry_may_hold_nothing() -> None:
    """It is a firing warning, with a name for people."""
    alert = read({})

    assert (alert.severity, alert.status) == (Severity.WARNING, AlertStatus.FIRING)
    assert alert.headline == alert.alert_name == "Alertmanager Alert"


def test_alerts_that_were_left_out_are_told() -> None:
    """The receiver's limit cut the delivery short; zero and nonsense are no warning."""
    reading = alertmanager.read({}, {"alerts": [DISK], "truncatedAlerts": 17}, {})

    assert len(reading.alerts) == 1
    assert len(reading.warnings) == 1
    assert "17 alerts" in reading.warnings[0]
    for nothing in (0, "0", None, -1, "x", {}, 1.5):
        assert alertmanager.read({}, {"alerts": [DISK], "truncatedAlerts": nothing}, {}).warnings == ()


@pytest.mark.parametrize(
    ("status", "resolved"),
    [
        ("resolved", True),
        ("OK", True),
        ("Recovery", True),
        (" inactive ", True),
        ("firing", False),
        ("", False),
    ],
)
def test_when_an_alert_is_resolved(status: str, *, resolved: bool) -> None:
    """Four words in any case; everything else fires."""
    assert read({**DISK, "status": status}).is_firing is not resolved


def test_the_end_counts_for_resolved_alerts_only() -> None:
    """A firing alert's end is a guess of Alertmanager's."""
    ended = {**DISK, "endsAt": "2026-04-20T09:00:00+02:00"}

    assert read(ended).ended_at is None
    assert read({**ended, "status": "resolved"}).ended_at == datetime(2026, 4, 20, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "severity"),
    [
        ("critical Disaster p1 5 EMERGENCY fatal", Severity.CRITICAL),
        ("high major P2 4 error severe", Severity.HIGH),
        ("warning minor p3 3 average warn page unknown none", Severity.WARNING),
        ("info informational p4 1 2 low notice debug", Severity.INFO),
    ],
)
def test_severity_words(words: str, severity: Severity) -> None:
    """The table of words, in any case; an unknown one is a warning."""
    assert {severity_of(word) for word in words.split()} == {severity}
    assert severity_of("") is Severity.WARNING
    assert severity_of(" CRITICAL ") is Severity.CRITICAL


@pytest.mark.parametrize(
    ("moment", "read_as"),
    [
        ("2026-04-20T07:12:30Z", datetime(2026, 4, 20, 7, 12, 30, tzinfo=UTC)),
        ("2026-04-20t07:12:30.123456789z", datetime(2026, 4, 20, 7, 12, 30, 123456, tzinfo=UTC)),
        ("2026-04-20T07:12:30.1+05:30", datetime(2026, 4, 20, 1, 42, 30, 100000, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01T00:00:00+05:00", None),
        ("0001-01-01T00:00:00-05:00", None),
        ("1969-12-31T23:59:59Z", None),
        ("", None),
        (None, None),
    ],
)
def test_moments(moment: str | None, read_as: datetime | None) -> None:
    """RFC 3339 with any offset and fraction; Go's zero time means never."""
    assert read({**DISK, "startsAt": moment}).started_at == read_as


@pytest.mark.parametrize(
    "moment",
    [
        "yesterday",
        "2026-04-20",
        "2026-04-20T07:12:30",
        "2026-13-20T07:12:30Z",
        "2026-02-30T07:12:30Z",
        "2026-04-20T07:12:60Z",
        "2026-04-20T07:12:30+25:00",
        "9999-12-31T23:59:59-23:00",
        "20260420T071230Z",
        "2026-04-20T07:12:30Z ",
        1776669150,
        True,
        {},
    ],
)
@pytest.mark.parametrize("member", ["startsAt", "endsAt"])
def test_a_time_that_is_none_refuses_the_delivery(member: str, moment: object) -> None:
    """Naming the entry and the member."""
    with pytest.raises(BadRequest, match=rf"alerts\[1\]\.{member}"):
        parse({"alerts": [DISK, {**DISK, member: moment}]}, {})


OTHER_SHAPES: list[tuple[dict[str, Any], str]] = [
    ({"alerts": {}}, "alerts"),
    ({"alerts": "x"}, "alerts"),
    ({"alerts": [DISK, 5]}, r"alerts\[1\]"),
    ({"alerts": [{"labels": []}]}, r"alerts\[0\]\.labels"),
    ({"alerts": [{"labels": {"a": {}}}]}, r"alerts\[0\]\.labels"),
    ({"alerts": [{"annotations": "x"}]}, r"alerts\[0\]\.annotations"),
]


@pytest.mark.parametrize(("document", "named"), OTHER_SHAPES)
def test_another_shape_is_refused(document: dict[str, Any], named: str) -> None:
    """With the place in the sentence."""
    with pytest.raises(BadRequest, match=named):
        parse(document, {})


def test_numbers_are_read_as_text() -> None:
    """Templates render labels as they like."""
    alert = read({"labels": {"alertname": 42, "severity": 5, "on": True, "none": None, "load": 1.5}})

    assert (alert.alert_name, alert.severity) == ("42", Severity.CRITICAL)
    assert alert.target_labels == {
        "alertname": "42",
        "severity": "5",
        "on": "true",
        "none": "",
        "load": "1.5",
    }


@pytest.mark.parametrize(
    ("key", "value", "member", "expected"),
    [
        ("alert_name", "n", "alert_name", "n"),
        ("severity", "fatal", "severity", Severity.CRITICAL),
        ("status", "ok", "status", AlertStatus.RESOLVED),
        ("summary", "s", "summary", "s"),
        ("description", "d", "description", "d"),
        ("target_host", "h", "target_host", "h"),
        ("target_service", "t", "target_service", "t"),
        ("metric_name", "m", "metric_name", "m"),
        ("metric_value", 7.5, "metric_value", "7.5"),
        ("threshold_value", 90, "threshold_value", "90"),
        ("runbook_url", "u", "runbook_url", "u"),
        ("source_alert_id", "i", "source_alert_id", "i"),
        ("source_fingerprint", "f", "source_fingerprint", "f"),
        ("started_at", "2026-01-02T03:04:05Z", "started_at", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("path", ["own.here", "own.list.1.here", "own.dotted.key"])
def test_every_mapping_is_honoured(key: str, value: object, member: str, expected: object, path: str) -> None:
    """Through objects, array indexes, and keys that hold dots themselves."""
    own = {"here": value, "list": [{}, {"here": value}], "dotted.key": value}

    assert getattr(read({**DISK, "own": own}, **{key: path}), member) == expected


def test_the_end_may_be_mapped_too() -> None:
    """For a resolved alert."""
    entry = {**DISK, "status": "resolved", "own": {"end": "2026-01-02T03:04:05Z"}}

    assert read(entry, ended_at="own.end").ended_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    "path", ["labels.nothing", "labels", "nothing.0.x", "labels.0", "annotations.summary.x", "."]
)
def test_a_mapping_that_finds_nothing_changes_nothing(path: str) -> None:
    """The member is read from its usual place."""
    assert read(DISK, alert_name=path).alert_name == "NodeDiskFilling"


def test_a_mapped_time_that_is_none_leaves_the_usual_one() -> None:
    """The operator's slip costs no alert, and is told."""
    mapped = {"started_at": "labels.mountpoint"}
    reading = alertmanager.read({}, {"alerts": [DISK]}, mapped)

    assert reading.alerts[0].started_at == datetime(2026, 4, 20, 7, 12, 30, 115000, tzinfo=UTC)
    assert len(reading.warnings) == 1
    assert reading.warnings[0].startswith("field_mappings.started_at: ")


def test_without_a_fingerprint_the_labels_make_alertmanagers_own() -> None:
    """Known pairs of labels and fingerprint, from Prometheus' own tests."""
    assert label_fingerprint({}) == f"{14695981039346656037:016x}"
    assert (
        label_fingerprint({"name": "garland, briggs", "fear": "love is not enough"})
        == f"{5799056148416392346:016x}"
    )
    entry = {"labels": {"name": "garland, briggs", "fear": "love is not enough"}}
    assert read(entry).source_fingerprint == read(entry).source_alert_id == f"{5799056148416392346:016x}"


def test_without_fingerprint_and_labels_the_texts_tell_alerts_apart() -> None:
    """Two hand-made alerts are not one."""
    one, two = ({"annotations": {"summary": text}} for text in ("a", "b"))

    assert read(one).source_fingerprint != read(two).source_fingerprint
    assert (
        read(one).source_fingerprint == read({**one, "startsAt": "2026-04-20T07:12:30Z"}).source_fingerprint
    )


def test_a_long_fingerprint_keeps_its_difference() -> None:
    """Its column is short, so a digest stands for it."""
    long = [read({**DISK, "fingerprint": "x" * 300 + end}).source_fingerprint for end in "ab"]

    assert long[0] != long[1]
    assert all(len(text) <= 255 for text in long)


def test_a_delivery_tells_its_group() -> None:
    """Every alert carries the key."""
    alerts = parse({"groupKey": "{}:{a}", "alerts": [DISK, DISK]}, {})

    assert {alert.group_key for alert in alerts} == {"{}:{a}"}
    assert read(DISK).group_key == ""


def test_unstorable_characters_are_replaced() -> None:
    """In every text that is kept, labels' names and the raw payload included."""
    body = rb'{"alerts":[{"labels":{"alertname":"a\u0000b","l\ud800":"\udfff","raw":"?"},"annotations":{}}]}'
    body = body.replace(b"?", b"\xff")
    [alert] = parse(read_document(body), {})

    assert alert.alert_name == "a\ufffdb"
    assert alert.target_labels == {"alertname": "a\ufffdb", "l\ufffd": "\ufffd", "raw": "\ufffd"}
    orjson.dumps(alert.as_json())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"[]",
        b"5",
        b'"x"',
        b"{",
        b'{"a":NaN}',
        b"\x00",
        b"[" * 100_000,
        b'{"a":' * 3000,
        b"9" * 5000,
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    """Malformed, another type, too deep, or a number without end."""
    with pytest.raises(BadRequest):
        read_document(body)


def test_null_is_an_empty_delivery() -> None:
    """As the product reads it."""
    assert read_document(b"null") == {}

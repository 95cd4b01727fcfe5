"""Reading JSON of any shape by its mapping."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from akmatori_server.alerts.adapters import generic
from akmatori_server.alerts.models import AlertStatus, NormalisedAlert, Reading, Severity
from akmatori_server.errors import BadRequest
from tests.server.alerts.adapters.examples import GENERIC, GENERIC_MAPPINGS

[PROBLEM] = GENERIC["problems"]


def read(document: object, **mappings: str) -> Reading:
    """Read a document with mappings of the source."""
    return generic.read({}, document, mappings)


def test_an_alert_in_full() -> None:
    """From the alert, and from the body where the alert has nothing at the path."""
    reading = read(GENERIC, **GENERIC_MAPPINGS)

    assert reading.warnings == ()
    assert reading.alerts == (
        NormalisedAlert(
            alert_name="Backup is late",
            severity=Severity.HIGH,
            status=AlertStatus.FIRING,
            target_host="shared-host",
            target_labels={"cluster": "eu-1", "team": "storage"},
            started_at=datetime(2026, 4, 20, 7, 25, tzinfo=UTC),
            source_alert_id="77",
            source_fingerprint="77",
            raw_payload=PROBLEM,
        ),
    )


@pytest.mark.parametrize(
    ("document", "path", "names"),
    [
        ({"n": "a"}, None, ["a"]),
        ([{"n": "a"}, {}, {"n": "b"}], None, ["a", "b"]),
        ({"x": [{"y": [{"n": "a"}]}]}, "x.0.y", ["a"]),
        ([{"y": {"n": "a"}}], "0.y", ["a"]),
        ({"x": None}, "x", []),
        ({"x": []}, "x", []),
        ({"x": {}}, "x", []),
        ({}, "x", []),
        ({}, None, []),
        (None, None, []),
        ([], None, []),
    ],
)
def test_where_the_alerts_are(document: object, path: str | None, names: list[str]) -> None:
    """The body, its array, or what the mapping says; nothing is no alert."""
    mapped = {"alert_name": "n"} if path is None else {"alert_name": "n", "alerts": path}

    assert [alert.alert_name for alert in read(document, **mapped).alerts] == names


@pytest.mark.parametrize(
    ("document", "mappings", "named"),
    [
        ({"n": "a"}, {}, r"field_mappings\.alert_name"),
        ({"n": "a"}, {"severity": "n"}, r"field_mappings\.alert_name"),
        ({"n": "a"}, {"alert_name": "n", "alerts": "x.y"}, r"nothing at x\.y"),
        ({"x": 5}, {"alert_name": "n", "alerts": "x"}, "x must be"),
        ({"x": [5]}, {"alert_name": "n", "alerts": "x"}, r"x\[0\]"),
        ([{}, "a"], {"alert_name": "n"}, r"body\[1\]"),
        ("text", {"alert_name": "n"}, "The body must be"),
        (5, {"alert_name": "n"}, "The body must be"),
    ],
)
def test_what_does_not_fit_is_refused(document: object, mappings: dict[str, str], named: str) -> None:
    """In a sentence for whoever wrote the mapping."""
    with pytest.raises(BadRequest, match=named):
        read(document, **mappings)


@pytest.mark.parametrize(
    ("word", "resolved"),
    [
        (word, True)
        for word in ("resolved", "OK", " closed ", "Recovered", "cleared", "normal", "up", "success")
    ]
    + [(word, False) for word in ("open", "down", "", "broker", "true", "false")],
)
def test_status_words(word: str, *, resolved: bool) -> None:
    """A word of the table ends, every other one fires."""
    [alert] = read({"n": "a", "s": word}, alert_name="n", status="s").alerts

    assert alert.is_firing is not resolved


@pytest.mark.parametrize(
    "labels",
    [{"a": "1", "b": None}, ["a:1", "b:"], [{"key": "a", "value": 1}, {"label": "b", "val": ""}], "a:1,b:"],
)
def test_labels_in_every_shape(labels: object) -> None:
    """An object, arrays, a text."""
    [alert] = read({"n": "x", "l": labels}, alert_name="n", labels="l").alerts

    assert alert.target_labels == {"a": "1", "b": ""}


def test_unstorable_characters_of_labels_are_replaced() -> None:
    """In names and values, whatever shape they have."""
    for labels in ({"a\0": "\ud800"}, ["a\0:\ud800"], [{"name": "a\0", "value": "\ud800"}], "a\0:\ud800"):
        [alert] = read({"n": "x", "l": labels}, alert_name="n", labels="l").alerts
        assert alert.target_labels == {"a\ufffd": "\ufffd"}


def test_what_identifies() -> None:
    """A mapped fingerprint, else a mapped id, else name, host, service and metric."""
    base: dict[str, Any] = {"n": "x", "h": "h", "id": "i", "fp": "f", "sum": "93%"}

    def identity(document: dict[str, Any], **mappings: str) -> str:
        [alert] = read(document, alert_name="n", target_host="h", summary="sum", **mappings).alerts
        return alert.source_fingerprint

    assert identity(base, source_alert_id="id", source_fingerprint="fp") == "f"
    assert identity(base, source_alert_id="id") == "i"
    assert identity(base) == identity({**base, "sum": "94%", "id": "j"}) != identity({**base, "h": "g"})


def test_a_name_that_is_nowhere_is_replaced_and_told() -> None:
    """The alert is not lost."""
    reading = read([{"x": 1}, {"x": 2}], alert_name="n")

    assert [alert.alert_name for alert in reading.alerts] == ["Alert", "Alert"]
    assert len(reading.warnings) == 1
    assert "field_mappings.alert_name" in reading.warnings[0]


def test_alerts_whose_names_are_nowhere_are_not_each_other() -> None:
    """Told apart by what they say, whatever may change; so the end of one is not the end of the other."""
    jobs = [{"name": name, "state": state} for name in ("pg", "files") for state in ("failed", "success")]
    failed, ended, other, _ = read(jobs, alert_name="naem", status="state").alerts

    assert failed.source_fingerprint == ended.source_fingerprint != other.source_fingerprint
    assert (failed.is_firing, ended.is_firing) == (True, False)

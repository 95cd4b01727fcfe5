"""What an alert says is read as far as it can be, and never trusted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from akmatori_server.investigation.case import AttachedAlert
from akmatori_server.investigation.facts import Link, read_facts
from tests.server.investigation.cases import NOW, case_of, disk_alert


def test_facts_of_an_alertmanager_alert() -> None:
    """Names, labels, times and links of a real payload."""
    facts = read_facts(case_of(disk_alert()))

    assert facts.is_alert
    assert facts.name == "NodeFilesystemSpaceFillingUp"
    assert facts.host == "db-07.example.net:9100"
    assert facts.labels["mountpoint"] == "/var"
    assert facts.started_at == datetime(2026, 11, 22, 2, 41, 17, 893000, tzinfo=UTC)
    assert [link.title for link in facts.links] == ["Query that raised the alert"]
    assert set(facts.annotations) == {"summary", "description"}


def test_facts_of_a_task() -> None:
    """What the caller gave beside the task is kept by its own names."""
    facts = read_facts(
        case_of({"task": " Look at db-1 ", "created_by": "api", "region": "eu", "tries": 3}, source="api")
    )

    assert not facts.is_alert
    assert facts.task == "Look at db-1"
    assert facts.given == {"region": "eu", "tries": "3"}


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"alert_name": 7, "target_labels": ["a"], "raw_payload": "text"},
        {"raw_payload": {"labels": 3, "annotations": None, "startsAt": 12, "event": []}},
        {"raw_payload": {"startsAt": "not a time", "event": {"data": "x"}}, "started_at": None},
        {"raw_payload": {"startsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://["}},
        {"target_labels": {"deep": {"er": []}}, "runbook_url": {"a": 1}},
    ],
)
def test_unexpected_shapes_are_left_out(context: dict[str, object]) -> None:
    """A payload of another shape must not end the investigation."""
    facts = read_facts(case_of(context))

    assert facts.started_at is None
    assert facts.links == ()
    assert facts.labels == {}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://wiki.example.net/rb", "https://wiki.example.net/rb"),
        ("https://user:secret@wiki.example.net/rb", "https://wiki.example.net/rb"),
        ("javascript:alert(1)", ""),
        ("file:///etc/passwd", ""),
        ("https://wiki.example.net/a b", ""),
        ("https://wiki.example.net/><script>", ""),
        ("//wiki.example.net", ""),
    ],
)
def test_only_web_links_without_passwords_are_shown(url: str, shown: str) -> None:
    """A link in a report is clicked."""
    facts = read_facts(case_of({"alert_name": "A", "runbook_url": url}))

    assert facts.runbook_url == shown
    assert facts.links == ((Link("Runbook", shown),) if shown else ())


def test_the_beginning_is_taken_from_the_attached_alerts_when_nothing_else_tells() -> None:
    """The oldest of them."""
    alerts = tuple(
        AttachedAlert(name="A", severity="high", status="firing", payload={}, started_at=began, deliveries=1)
        for began in (NOW, None, NOW - timedelta(hours=2))
    )

    assert read_facts(case_of({"alert_name": "A"}, alerts=alerts)).started_at == NOW - timedelta(hours=2)

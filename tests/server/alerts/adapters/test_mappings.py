"""Field mappings: every member of every vendor."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from akmatori_server.alerts.adapters import READERS
from akmatori_server.alerts.models import AlertStatus, Severity
from tests.server.alerts.adapters.examples import EVERY_VENDOR, GENERIC, GENERIC_MAPPINGS

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MEMBERS: list[tuple[str, object, str, object]] = [
    ("alert_name", "n", "alert_name", "n"),
    ("alert_name", 42, "alert_name", "42"),
    ("severity", "fatal", "severity", Severity.CRITICAL),
    ("severity", 4, "severity", Severity.HIGH),
    ("status", "resolved", "status", AlertStatus.RESOLVED),
    ("summary", True, "summary", "true"),
    ("description", "d", "description", "d"),
    ("target_host", "h", "target_host", "h"),
    ("target_service", "t", "target_service", "t"),
    ("metric_name", "m", "metric_name", "m"),
    ("metric_value", 7.5, "metric_value", "7.5"),
    ("threshold_value", 90, "threshold_value", "90"),
    ("runbook_url", "u", "runbook_url", "u"),
    ("source_alert_id", "i", "source_alert_id", "i"),
    ("source_fingerprint", "f", "source_fingerprint", "f"),
    ("group_key", "g", "group_key", "g"),
    ("started_at", "2026-01-02T03:04:05Z", "started_at", MOMENT),
]
EVERY: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    **{name: (document, {}) for name, document in EVERY_VENDOR.items()},
    "generic": (GENERIC, GENERIC_MAPPINGS),
}


def with_own(vendor: str, own: object) -> tuple[dict[str, Any], dict[str, str], str]:
    """A payload whose first alert has the member `own`; the mappings it needs; the path to `own`."""
    document, mappings = EVERY[vendor]
    document = copy.deepcopy(document)
    entries = document.get("alerts") or document.get("problems")
    if vendor == "pagerduty":
        document["event"]["own"] = own
        return document, mappings, "event.own"
    (entries[0] if entries else document)["own"] = own
    return document, mappings, "own"


@pytest.mark.parametrize("vendor", list(EVERY))
@pytest.mark.parametrize(("key", "value", "member", "expected"), MEMBERS)
def test_every_mapping_of_every_vendor_works(
    vendor: str, key: str, value: object, member: str, expected: object
) -> None:
    """Through objects, array indexes, and keys that hold dots themselves."""
    own = {"here": value, "list": [{}, {"here": value}], "dotted.key": value}
    document, mappings, prefix = with_own(vendor, own)
    for path in ("here", "list.1.here", "dotted.key"):
        reading = READERS[vendor]({}, document, {**mappings, key: f"{prefix}.{path}"})
        assert getattr(reading.alerts[0], member) == expected
        assert reading.warnings == ()


@pytest.mark.parametrize("vendor", list(EVERY))
def test_labels_and_the_end_can_be_mapped_too(vendor: str) -> None:
    """Mapped labels are added to the vendor's."""
    own = {"labels": ["team:db"], "end": "2026-01-02T03:04:05Z", "state": "resolved"}
    document, mappings, prefix = with_own(vendor, own)
    paths = {"labels": f"{prefix}.labels", "ended_at": f"{prefix}.end", "status": f"{prefix}.state"}
    reading = READERS[vendor]({}, document, {**mappings, **paths})

    assert reading.alerts[0].target_labels["team"] == "db"
    assert reading.alerts[0].ended_at == MOMENT
    assert reading.warnings == ()


@pytest.mark.parametrize("vendor", list(EVERY_VENDOR))
@pytest.mark.parametrize("key", sorted({key for key, *_ in MEMBERS} | {"labels", "ended_at"}))
def test_a_mapping_that_finds_nothing_is_reported_and_changes_nothing(vendor: str, key: str) -> None:
    """In the words of the operator: the member and the path."""
    document, mappings, prefix = with_own(vendor, {"null": None, "object": {}, "blank": ""})
    plain = READERS[vendor]({}, document, mappings)
    for path in ("nowhere", "7", "null", "blank", "object"):
        mapped = READERS[vendor]({}, document, {**mappings, key: f"{prefix}.{path}"})
        assert mapped.alerts == plain.alerts
        assert len(mapped.warnings) == 1
        assert f"field_mappings.{key}: " in mapped.warnings[0]
        assert f"{prefix}.{path}" in mapped.warnings[0]


@pytest.mark.parametrize("vendor", list(EVERY_VENDOR))
def test_published_paths_warn_of_nothing(vendor: str) -> None:
    """Nobody set them."""
    assert READERS[vendor]({}, EVERY_VENDOR[vendor], {}).warnings == ()


def test_a_mapping_that_is_of_use_for_one_alert_is_of_use() -> None:
    """Not every alert has every label."""
    document = copy.deepcopy(EVERY_VENDOR["grafana"])
    document["alerts"][1]["labels"]["rare"] = "r"
    reading = READERS["grafana"]({}, document, {"target_service": "labels.rare"})

    assert [alert.target_service for alert in reading.alerts] == ["rabbit", "r"]
    assert reading.warnings == ()


def test_each_mapping_is_reported_by_itself() -> None:
    """Those of use are not, and of no use are all the others."""
    paths = {"summary": "labels.alertname", "target_host": "labels.nowhere", "metric_name": "nowhere.0"}
    warnings = READERS["alertmanager"]({}, EVERY_VENDOR["alertmanager"], paths).warnings

    assert [warning.partition(":")[0] for warning in warnings] == [
        "field_mappings.target_host",
        "field_mappings.metric_name",
    ]


def test_an_empty_delivery_says_nothing_about_mappings() -> None:
    """There was nothing to find."""
    for vendor, read in READERS.items():
        assert read({}, {}, {"alert_name": "x.y", "summary": "z"}).warnings == (), vendor


def test_a_mapped_time_that_is_none_costs_no_alert() -> None:
    """With a warning that names the mapping."""
    for vendor in EVERY:
        document, mappings, prefix = with_own(vendor, "yesterday")
        reading = READERS[vendor]({}, document, {**mappings, "started_at": prefix})
        assert len(reading.alerts) > 0
        assert any("field_mappings.started_at" in warning for warning in reading.warnings), vendor

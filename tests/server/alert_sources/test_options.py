"""What a source's settings and mappings may be."""

from __future__ import annotations

from typing import Any

import pytest

from akmatori_server.alert_sources.mappings import mapping_complaints
from akmatori_server.alert_sources.models import AlertSource, AlertSourceChanges, NewAlertSource
from akmatori_server.alert_sources.options import SourceOptions, setting_complaints
from akmatori_server.errors import BadRequest
from tests.server.alerts.sources import source_of
from tests.server.incidents.domain import Domain


def create(domain: Domain, type_name: str = "grafana", **members: Any) -> AlertSource:
    """Add a source."""
    return domain.sources.create(NewAlertSource(source_type_name=type_name, name="source", **members))


def test_settings_that_are_acted_on(domain: Domain) -> None:
    """They are typed; what is not known is kept for those who know it."""
    settings = {
        "identity_fields": ["alert_name", " labels.cluster "],
        "rate_limit_per_minute": 600,
        "storm_threshold": 30.0,
        "signature_header": "X-Signature",
        "timestamp_header": "X-Signed-At",
        "theirs": {"any": ["thing"]},
    }
    source = create(domain, settings=settings)

    assert source.settings == settings
    assert source.options == SourceOptions(
        identity_fields=("alert_name", "labels.cluster"),
        rate_limit_per_minute=600,
        storm_threshold=30,
        signature_header="x-signature",
        timestamp_header="x-signed-at",
    )


@pytest.mark.parametrize(
    "settings", [None, {}, {"theirs": 1}, dict.fromkeys(("identity_fields", "storm_threshold"))]
)
def test_what_is_left_out_has_its_default(settings: dict[str, Any] | None) -> None:
    """No limit, the vendor's fingerprint, sixty incidents a minute, no signature."""
    options = source_of("grafana", settings=settings).options

    assert options == SourceOptions()
    assert (options.rate_limit_per_minute, options.storm_threshold) == (None, 60)


WRONG: list[tuple[str, Any]] = [
    ("identity_fields", "alert_name"),
    ("identity_fields", ["alert_name", 5]),
    ("identity_fields", ["", "alert_name"]),
    ("identity_fields", ["labels."]),
    ("identity_fields", ["a", "a"]),
    ("identity_fields", [f"l{number}" for number in range(33)]),
    ("identity_fields", ["x" * 256]),
    ("rate_limit_per_minute", 0),
    ("rate_limit_per_minute", -1),
    ("rate_limit_per_minute", 1.5),
    ("rate_limit_per_minute", True),
    ("rate_limit_per_minute", "60"),
    ("rate_limit_per_minute", 1_000_001),
    ("storm_threshold", 0),
    ("storm_threshold", [60]),
    ("signature_header", "no header"),
    ("signature_header", 5),
    ("signature_header", "x" * 129),
    ("timestamp_header", "x:y"),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_a_wrong_setting_is_named_and_harmless_where_it_is_stored(name: str, value: object) -> None:
    """With its sentence; a stored one counts as left out."""
    settings = {"signature_header": "X-Signature", name: value}

    assert list(setting_complaints("grafana", settings)) == [f"settings.{name}"]
    default = getattr(SourceOptions(), name)
    assert getattr(source_of("grafana", settings=settings).options, name) == default


def test_every_wrong_member_has_its_sentence(domain: Domain) -> None:
    """Settings and mappings at once, and nothing is stored."""
    with pytest.raises(BadRequest, match="3 more") as refused:
        create(
            domain,
            field_mappings={"host": "labels.host", "summary": ""},
            settings={"storm_threshold": 0, "identity_fields": 5},
        )

    assert domain.sources.listing.all() == []
    assert set(refused.value.details) == {
        "field_mappings.host",
        "field_mappings.summary",
        "settings.storm_threshold",
        "settings.identity_fields",
    }


@pytest.mark.parametrize("type_name", ["alertmanager", "pagerduty", "datadog", "zabbix"])
def test_a_signature_is_set_where_its_sender_signs(type_name: str) -> None:
    """Elsewhere it would lock the sender out, or be of no effect."""
    wrong = setting_complaints(type_name, {"signature_header": "X-Signature"})

    assert list(wrong) == ["settings.signature_header"]
    assert setting_complaints(type_name, {"signature_header": "", "timestamp_header": None}) == {}


def test_a_signed_time_needs_a_signature() -> None:
    """There is nothing to sign it with."""
    assert list(setting_complaints("grafana", {"timestamp_header": "X-Time"})) == [
        "settings.timestamp_header"
    ]


@pytest.mark.parametrize(
    ("mappings", "named", "reason"),
    [
        ({"host": "labels.host"}, "host", "target_host"),
        ({"severity": 5}, "severity", "dotted path"),
        ({"severity": ["labels.severity"]}, "severity", "dotted path"),
        ({"severity": " "}, "severity", "dotted path"),
        ({"severity": "labels..x"}, "severity", "two dots"),
        ({"severity": ".labels"}, "severity", "two dots"),
        ({"severity": "x" * 501}, "severity", "500 characters"),
        ({"severity": "x" + ".x" * 64}, "severity", "64 steps"),
        ({"alerts": "items"}, "alerts", "no such member"),
    ],
)
def test_a_wrong_mapping_is_refused(mappings: dict[str, Any], named: str, reason: str) -> None:
    """With the members there are."""
    [(place, sentence)] = mapping_complaints("grafana", mappings).items()

    assert place == f"field_mappings.{named}"
    assert reason in sentence


def test_null_is_a_mapping_left_out(domain: Domain) -> None:
    """As everywhere."""
    source = create(domain, field_mappings={"severity": None, "summary": "a.0.b", "labels": "tags"})

    assert source.own_mappings == {"summary": "a.0.b", "labels": "tags"}


def test_a_generic_source_is_nothing_without_a_name(domain: Domain) -> None:
    """Its mapping is all that is known of its alerts, when it is added and when it is changed."""
    for mappings in (None, {}, {"alerts": "items"}, {"alert_name": None}):
        with pytest.raises(BadRequest, match=r"field_mappings\.alert_name"):
            create(domain, "generic", field_mappings=mappings)
    created = create(domain, "generic", field_mappings={"alert_name": "title", "alerts": "items"})
    with pytest.raises(BadRequest, match=r"field_mappings\.alert_name"):
        domain.sources.update(created.uuid, AlertSourceChanges(field_mappings={"alerts": "items"}))

    assert domain.sources.get(created.uuid).own_mappings == {"alert_name": "title", "alerts": "items"}

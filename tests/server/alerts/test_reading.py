"""Reading deliveries of sources: mappings, identity, types without webhooks."""

from __future__ import annotations

import orjson
import pytest

from akmatori_server.alerts.models import Reading
from akmatori_server.alerts.reading import read_delivery
from akmatori_server.errors import BadRequest
from tests.server.alerts.adapters.examples import (
    ALERTMANAGER,
    EVERY_VENDOR,
    GENERIC,
    GENERIC_MAPPINGS,
    GRAFANA,
    ZABBIX_EXPORT,
    changed,
)
from tests.server.alerts.payloads import delivery, entry
from tests.server.alerts.sources import source_of


@pytest.mark.parametrize("vendor", list(EVERY_VENDOR))
def test_every_vendor_is_read(vendor: str) -> None:
    """Without warnings, by the published type alone; `{}` and null hold no alerts."""
    source = source_of(vendor)
    reading = read_delivery(source, {}, orjson.dumps(EVERY_VENDOR[vendor]))

    assert len(reading.alerts) >= 1
    assert reading.warnings == ()
    assert read_delivery(source, {}, b"{}") == read_delivery(source, {}, b"null") == Reading()


def test_arrays_are_bodies_too() -> None:
    """Where a type sends them."""
    source = source_of("generic", field_mappings=GENERIC_MAPPINGS | {"alerts": "0.problems"})

    assert len(read_delivery(source_of("zabbix"), {}, orjson.dumps(ZABBIX_EXPORT)).alerts) == 2
    assert len(read_delivery(source, {}, orjson.dumps([GENERIC])).alerts) == 1


@pytest.mark.parametrize("body", [b"", b" ", b"{", b"\xff", b"nul", b'{"a":NaN}'])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    """For every type."""
    for vendor in EVERY_VENDOR:
        with pytest.raises(BadRequest):
            read_delivery(source_of(vendor), {}, body)


def test_a_type_without_webhooks_is_refused() -> None:
    """Messages of a Slack channel are read from Slack."""
    with pytest.raises(BadRequest, match="Slack"):
        read_delivery(source_of("slack_channel"), {}, b"{}")


def test_mappings_from_before_they_were_checked_do_no_harm() -> None:
    """What is no path is none, and a member that is not known is told."""
    source = source_of("grafana", field_mappings={"severity": 5, "summary": "", "no_such": "labels.job"})
    reading = read_delivery(source, {}, orjson.dumps(GRAFANA))

    assert reading.alerts[0].summary == "lag over 50k"
    assert len(reading.warnings) == 1
    assert "field_mappings.no_such" in reading.warnings[0]


def identities(*names: str, bodies: list[bytes]) -> list[str]:
    """The fingerprint of the first alert of each body, under these identity fields."""
    source = source_of("alertmanager", settings={"identity_fields": list(names)})
    return [read_delivery(source, {}, body).alerts[0].source_fingerprint for body in bodies]


def test_identity_fields_replace_the_fingerprint() -> None:
    """The vendor's is kept beside it; the chosen members alone count."""
    bodies = [
        delivery(entry("A", instance="h1", pod="p1", fingerprint="1")),
        delivery(entry("A", instance="h1", pod="p2", fingerprint="2")),
        delivery(entry("A", instance="h2", pod="p1", fingerprint="3")),
    ]
    first, second, third = identities("alert_name", "labels.instance", bodies=bodies)
    source = source_of("alertmanager", settings={"identity_fields": ["alert_name"]})
    [alert] = read_delivery(source, {}, bodies[0]).alerts

    assert first == second != third
    assert identities("alertname", "target_host", bodies=bodies)[0] != first
    assert alert.vendor_fingerprint == "1"
    assert len(alert.source_fingerprint) == 64


def test_values_do_not_run_into_each_other() -> None:
    """Neither over the end of a value, nor between members."""
    bodies = [delivery(entry(a=a, b=b)) for a, b in (("1", "2,3"), ("1,2", "3"), ("12", "3"), ("", "123"))]

    # With nothing between them, these two would make the same text.
    pairs = (("1labels.b", "2"), ("1", "labels.b2"))
    bodies += [delivery(entry(a=a, b=b)) for a, b in pairs]

    assert len(set(identities("labels.a", "labels.b", bodies=bodies))) == 6


def test_an_alert_without_any_identity_field_keeps_its_fingerprint() -> None:
    """They would all be one otherwise; the operator is told."""
    source = source_of("alertmanager", settings={"identity_fields": ["labels.nowhere"]})
    reading = read_delivery(source, {}, orjson.dumps(ALERTMANAGER))

    assert reading.alerts[0].source_fingerprint == "9f1c2b7a44e0d5aa"
    assert reading.alerts[0].vendor_fingerprint == ""
    assert "labels.nowhere" in reading.warnings[0]


def test_a_fingerprint_may_be_part_of_the_identity() -> None:
    """And the source, for rules that are written for all of them."""
    bodies = [orjson.dumps(changed(ALERTMANAGER)), delivery(entry(fingerprint="x"))]

    assert len(set(identities("fingerprint", "source", bodies=bodies))) == 2

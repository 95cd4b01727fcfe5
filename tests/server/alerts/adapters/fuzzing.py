"""What every adapter promises for any input, and inputs that look like payloads."""

from __future__ import annotations

import copy
from typing import Any, cast

import orjson
from hypothesis import strategies as st

from akmatori_server.alert_sources.mappings import MEMBERS
from akmatori_server.alerts.adapters import READERS
from akmatori_server.alerts.document import read_json
from akmatori_server.alerts.models import NormalisedAlert
from akmatori_server.errors import BadRequest
from tests.server.alerts.adapters import examples

PAYLOADS: list[Any] = [
    *examples.EVERY_VENDOR.values(),
    examples.GRAFANA_LEGACY,
    examples.PAGERDUTY_2,
    examples.DATADOG_STOCK,
    examples.ZABBIX_MEDIA_TYPE,
    examples.ZABBIX_EXPORT,
    examples.GENERIC,
]
PATHS = [
    "labels.alertname",
    "event.data.title",
    "tags.host",
    "hosts.0.name",
    "alerts.0",
    "a.b",
    ".",
    "0",
    "severity",
]
MAPPINGS = st.dictionaries(
    st.sampled_from([*MEMBERS, "alerts"]),
    st.sampled_from(PATHS) | st.text("abx.0", min_size=1, max_size=6),
    max_size=4,
)
GENERIC_MAPPINGS = {"alert_name": "what.title", "alerts": "problems"}


def check(document: object, mappings: dict[str, str]) -> None:
    """Read a document by every adapter.

    Raises:
        AssertionError: what was read could not be stored.
    """
    for vendor, read in READERS.items():
        own = {**GENERIC_MAPPINGS, **mappings} if vendor == "generic" else mappings
        try:
            reading = read({}, document, own)
        except BadRequest as error:
            error.message.encode()
            continue
        for alert in reading.alerts:
            _check_alert(alert, vendor)
        "\n".join(reading.warnings).encode()


def check_bytes(body: bytes) -> None:
    """Read a body by every adapter."""
    try:
        document = read_json(body)
    except BadRequest:
        return
    check(document, {})


def _check_alert(alert: NormalisedAlert, vendor: str) -> None:
    stored = orjson.dumps(alert.as_context(source_type=vendor, source_instance="fuzzed"))
    assert b"\\u0000" not in stored
    assert alert.alert_name
    assert 0 < len(alert.source_fingerprint) <= 255
    alert.group_key.encode()
    for moment in (alert.started_at, alert.ended_at, alert.told_at):
        assert moment is None or moment.utcoffset() is not None


@st.composite
def mutated(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> object:
    """A real payload in which some values are something else."""
    document = copy.deepcopy(draw(st.sampled_from(PAYLOADS)))
    for _ in range(draw(st.integers(1, 4))):
        places = _places(document)
        holder, key = places[draw(st.integers(0, len(places) - 1))]
        holder[key] = draw(values)
    return document


def _places(document: object) -> list[tuple[Any, Any]]:
    """Every object or array with each of its keys or indexes."""
    found: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict):
            members = list(cast("dict[Any, Any]", holder).items())
        elif isinstance(holder, list):
            members = list(enumerate(cast("list[Any]", holder)))
        else:
            continue
        found += [(holder, key) for key, _ in members]
        waiting += [value for _, value in members]
    return found or [({"": None}, "")]

"""Reading a delivery: its type's adapter with the source's own mappings, and what identifies its alerts."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import attrs

from akmatori_server.alert_sources.models import AlertSource
from akmatori_server.alerts.adapters import READERS
from akmatori_server.alerts.document import read_json
from akmatori_server.alerts.fields import fields_of
from akmatori_server.alerts.models import NormalisedAlert, Reading
from akmatori_server.errors import BadRequest
from akmatori_server.matching import value_of

__all__ = ["Reading", "read_delivery"]


def read_delivery(source: AlertSource, headers: Mapping[str, str], body: bytes) -> Reading:
    """Read the alerts of a delivery.

    Args:
        source: the source it is addressed to; its mappings and options count.
        headers: those of the request, in lower case.
        body: as it arrived.

    Raises:
        BadRequest: the source's type sends no webhooks, or not this.
    """
    reader = READERS.get(source.type.name)
    if reader is None:
        raise BadRequest(f"Sources of the type {source.type.display_name} take no webhooks.")
    reading = reader(headers, read_json(body), source.own_mappings)
    names = source.options.identity_fields
    return _identified(reading, names, source) if names else reading


def _identified(reading: Reading, names: tuple[str, ...], source: AlertSource) -> Reading:
    """Let the operator's members tell alerts apart instead of the vendor's fingerprint."""
    alerts = tuple(_identify(alert, names, source) for alert in reading.alerts)
    kept = sum(1 for alert in alerts if not alert.vendor_fingerprint)
    if not kept:
        return attrs.evolve(reading, alerts=alerts)
    # All of them would be one alert: the vendor's fingerprint is the safer guess.
    warning = (
        f"settings.identity_fields: {kept} alerts have none of {', '.join(names)}; they keep their vendor's "
        "fingerprint."
    )
    return attrs.evolve(reading, alerts=alerts, warnings=(*reading.warnings, warning))


def _identify(alert: NormalisedAlert, names: tuple[str, ...], source: AlertSource) -> NormalisedAlert:
    fields = fields_of(alert, source=source.name, source_type=source.type.name)
    values = [value_of(fields, name) for name in names]
    if not any(values):
        return alert
    # Every part is told its length, so that no two lists of values make the same text.
    text = "".join(f"{len(part)}:{part}" for pair in zip(names, values, strict=True) for part in pair)
    return attrs.evolve(
        alert,
        source_fingerprint=sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        vendor_fingerprint=alert.source_fingerprint,
    )

"""Any JSON: the field mappings of the source are all that is known of it.

`alerts` is the path of the array of alerts in the body; without it the body is one alert, or an array of them.
The other paths are looked for in the alert first and then in the body, for what all its alerts have in common.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

import attrs

from akmatori_server.alert_sources.mappings import ALERT_NAME, ALERTS
from akmatori_server.alerts.adapters.batches import entries_of
from akmatori_server.alerts.adapters.fields import MISSING, find
from akmatori_server.alerts.adapters.mapper import RESOLVED_WORDS, Draft, Mapper, Vendor
from akmatori_server.alerts.models import Reading, Severity
from akmatori_server.errors import BadRequest

ENDED_WORDS = RESOLVED_WORDS | {
    "recovered",
    "resolve",
    "closed",
    "close",
    "cleared",
    "clear",
    "normal",
    "up",
    "success",
}


def _is_resolved(word: str) -> bool:
    return word.strip().lower() in ENDED_WORDS


VENDOR = Vendor(nameless="Alert", is_resolved=_is_resolved)
# What may be another each time the same alert is told.
_CHANGING = ("status", "severity", "summary", "description", "metric_value", "started_at", "ended_at")
# There is nothing that is known without the operator's mappings.
_NOTHING = Draft(texts={}, severity=Severity.WARNING, is_resolved=False)


def read(_headers: Mapping[str, str], document: object, mappings: Mapping[str, str]) -> Reading:
    """Read every alert of a delivery.

    Raises:
        BadRequest: the mapping does not say where an alert's name is, or does not fit the body.
    """
    if ALERT_NAME not in mappings:
        raise BadRequest(
            "field_mappings.alert_name of this source must say where the name of an alert is in the body."
        )
    mapper = Mapper(VENDOR, mappings)
    entries = _entries(document, mappings.get(ALERTS))
    common = (cast("dict[str, object]", document),) if isinstance(document, dict) else ()
    return mapper.reading(
        [
            mapper.alert(
                _NOTHING if mapper.finds(ALERT_NAME, entry, *common) else _nameless(entry, mappings),
                entry,
                entry,
                *common,
            )
            for entry in entries
        ]
    )


def _nameless(entry: Mapping[str, object], mappings: Mapping[str, str]) -> Draft:
    """Tell alerts whose name is not where the mapping says apart by all that they say.

    Alike but for their names, they would be one alert, and the end of one would be the end of the other.
    """
    changing = {mappings[name].partition(".")[0] for name in _CHANGING if name in mappings}
    rest = {name: value for name, value in entry.items() if name not in changing}
    return attrs.evolve(_NOTHING, identity=json.dumps(rest, sort_keys=True, default=str))


def _entries(document: object, path: str | None) -> list[dict[str, object]]:
    if document is None or document == {}:
        return []
    found, place = document, "The body"
    if path is not None:
        found, place = find(document, path), path
        if found is MISSING:
            raise BadRequest(
                f"The body has nothing at {path}, where field_mappings.alerts looks for its alerts."
            )
    if found is None:
        return []
    if isinstance(found, dict):
        return [cast("dict[str, object]", found)] if found else []
    if not isinstance(found, list):
        raise BadRequest(f"{place} must be an object or an array of objects.")
    return [entry for entry in entries_of(cast("list[object]", found), place=path or "body") if entry]

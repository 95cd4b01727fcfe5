"""Field mappings: where an operator says that the members of an alert are found in a vendor's payload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LABELS = "labels"
ALERTS = "alerts"
ALERT_NAME = "alert_name"
GENERIC = "generic"
MEMBERS = (
    ALERT_NAME,
    "severity",
    "status",
    "summary",
    "description",
    "target_host",
    "target_service",
    "metric_name",
    "metric_value",
    "threshold_value",
    "runbook_url",
    "started_at",
    "ended_at",
    "source_alert_id",
    "source_fingerprint",
    "group_key",
    LABELS,
)
"""What can be mapped for every type of source."""

LONGEST_PATH = 500
MOST_STEPS = 64


def own_paths(mappings: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the operator's paths; what is stored and is no path, from before mappings were checked, is none."""
    return {name: path for name, path in (mappings or {}).items() if isinstance(path, str) and path.strip()}


def mapping_complaints(type_name: str, mappings: Mapping[str, Any] | None) -> dict[str, str]:
    """Return what is wrong with written mappings: a sentence per member, by its place."""
    known = _known(type_name)
    written = {name: path for name, path in (mappings or {}).items() if path is not None}
    complaints = {
        f"field_mappings.{name}": _complaint(name, path, known)
        for name, path in written.items()
        if _complaint(name, path, known)
    }
    if type_name == GENERIC and ALERT_NAME not in written:
        complaints[f"field_mappings.{ALERT_NAME}"] = (
            "must be given: the mapping is all that is known of a generic source's alerts."
        )
    return complaints


def _known(type_name: str) -> tuple[str, ...]:
    return (*MEMBERS, ALERTS) if type_name == GENERIC else MEMBERS


def _complaint(name: str, path: object, known: tuple[str, ...]) -> str:
    if name not in known:
        return f"there is no such member; use one of {', '.join(known)}."
    if not isinstance(path, str) or not path.strip():
        return "must be a dotted path such as labels.instance or events.0.host."
    if len(path) > LONGEST_PATH or path.count(".") >= MOST_STEPS:
        return f"must have {LONGEST_PATH} characters and {MOST_STEPS} steps at most."
    if not all(path.split(".")):
        return "must have a name or an index between any two dots."
    return ""

"""Which incidents share places among those that are investigated at once: the ones of one source."""

from __future__ import annotations


def group_of(source: str, alert_source_id: int | None) -> str:
    """Return the group of an incident: its alert source, or else the way it came, as `api`."""
    return source if alert_source_id is None else f"alert-source-{alert_source_id}"


def places_of_group(places: int, wanted: int | None = None) -> int:
    """Return how many of `places` one group may take: three quarters, so that a burst leaves some to the others."""
    return max(1, min(places, places * 3 // 4 if wanted is None else wanted))

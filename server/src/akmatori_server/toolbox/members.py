"""Looking into values by a path."""

from __future__ import annotations

from akmatori_server.incidents.storable import JSON


def member(value: JSON, path: str) -> JSON:
    """Return what is deep inside of a value, such as `rows.0.0`, itself by ""; None where there is nothing."""
    for step in path.split(".") if path else ():
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value

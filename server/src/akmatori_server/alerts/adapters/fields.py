"""Finding members in a vendor's payload, and reading them as text, labels or moments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, cast

from akmatori_server.errors import BadRequest
from akmatori_server.incidents.storable import storable_text

MISSING: Final = object()
"""Nothing is at the path; null is something else."""

_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_INDEX = re.compile(r"[0-9]{1,6}")
# Go programs write year 1 for a moment that was never set, in whatever time zone they run.
FIRST_REAL_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


def find(value: object, path: str) -> object:
    """Return what is at a dotted path, or MISSING.

    A step is a key of an object or an index of an array. A key that itself holds dots is found too.
    """
    # JSON has no other containers; asking for abstract ones costs five times as much.
    if isinstance(value, dict):
        return _find_key(cast("dict[str, object]", value), path)
    if isinstance(value, list):
        items = cast("list[object]", value)
        head, _, rest = path.partition(".")
        if _INDEX.fullmatch(head) and int(head) < len(items):
            return find(items[int(head)], rest) if rest else items[int(head)]
    return MISSING


def _find_key(members: Mapping[str, object], path: str) -> object:
    if path in members:
        return members[path]
    dot = path.find(".")
    while dot != -1:
        head, rest = path[:dot], path[dot + 1 :]
        if rest and head in members and (found := find(members[head], rest)) is not MISSING:
            return found
        dot = path.find(".", dot + 1)
    return MISSING


def text_of(value: object) -> str | None:
    """Return a scalar as storable text; None for what is no text: nothing, null, an object or an array."""
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return hex(value) if value.bit_length() > 4096 else str(value)
    if isinstance(value, float):
        return repr(value)
    return None


def first_text(members: Mapping[str, object], *paths: str) -> str:
    """Return the first text that is not blank at one of the paths, "" when there is none."""
    for path in paths:
        text = text_of(find(members, path))
        if text and text.strip():
            return text
    return ""


def first_value(members: Mapping[str, object], *paths: str) -> object:
    """Return the first value at one of the paths that is neither null nor "", MISSING when there is none."""
    for path in paths:
        found = find(members, path)
        if found is not MISSING and found is not None and found != "":
            return found
    return MISSING


def object_at(members: Mapping[str, object], key: str, *, place: str) -> dict[str, object]:
    """Return the object under `key`; absent and null are an empty one.

    Raises:
        BadRequest: there is something else; the sentence says where.
    """
    value = members.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadRequest(f"{place}.{key} must be an object.")
    return cast("dict[str, object]", value)


def texts_at(members: Mapping[str, object], key: str, *, place: str) -> dict[str, str]:
    """Return the object of texts under `key`, such as labels; scalars are read as text, null as "".

    Raises:
        BadRequest: it is no object, or one of its members is an object or an array.
    """
    texts: dict[str, str] = {}
    for name, value in object_at(members, key, place=place).items():
        text = "" if value is None else text_of(value)
        if text is None:
            raise BadRequest(f"{place}.{key}: every member must be text.")
        texts[storable_text(name)] = text
    return texts


def moment_of(value: object, *, place: str) -> datetime | None:
    """Read an RFC 3339 moment. Absent, null, "" and a moment up to 1970 mean that it was never set.

    Raises:
        BadRequest: it is something else; the sentence says where.
    """
    if value is MISSING or value is None or value == "":
        return None
    matched = _RFC3339.fullmatch(value) if isinstance(value, str) else None
    if matched is None:
        raise BadRequest(f"{place} must be an RFC 3339 time such as 2026-04-20T07:12:30Z.")
    day, time, fraction, offset = matched.groups()
    microseconds = (fraction or "").ljust(6, "0")[:6]
    try:
        moment = datetime.fromisoformat(f"{day}T{time}.{microseconds}{offset.upper()}")
        # Year 1 has no UTC east of Greenwich, so it is not converted.
        moment = FIRST_REAL_MOMENT if moment.year == 1 else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadRequest(f"{place} is not a moment that exists.") from error
    return None if moment <= FIRST_REAL_MOMENT else moment

"""Taking a body apart into the objects that are read one by one."""

from __future__ import annotations

from typing import cast

from akmatori_server.errors import BadRequest


def body_of(document: object) -> dict[str, object]:
    """Return the object that the body is; null is an empty one.

    Raises:
        BadRequest: it is something else.
    """
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise BadRequest("The body must be a JSON object.")
    return cast("dict[str, object]", document)


def entries_of(value: object, *, place: str) -> list[dict[str, object]]:
    """Return the objects of an array; null is an empty one.

    Raises:
        BadRequest: it is no array, or holds something else; the sentence says where.
    """
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRequest(f"{place} must be an array.")
    entries = cast("list[object]", value)
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise BadRequest(f"{place}[{index}] must be an object.")
    return cast("list[dict[str, object]]", entries)


def one_or_many(document: object, *batches: str) -> list[tuple[str, dict[str, object]]]:
    """Return the object that the body is, or those of the array that it is or holds, each with its place.

    Objects that hold nothing are left out: there is no alert in `{}`.

    Args:
        document: the body.
        batches: members that may hold the array.

    Raises:
        BadRequest: the body has another shape.
    """
    if document is None:
        return []
    place, entries = "body", document
    if isinstance(document, dict):
        body = cast("dict[str, object]", document)
        place = next((name for name in batches if isinstance(body.get(name), list)), "")
        if not place:
            return [("body", body)] if body else []
        entries = body[place]
    return [
        (f"{place}[{index}]", entry) for index, entry in enumerate(entries_of(entries, place=place)) if entry
    ]

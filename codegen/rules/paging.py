"""Rules about lists: which operations are pages of one, and that `x-paging` names what is really there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from codegen.rules.document import Document, Operation, Problem
from codegen.source import is_object

_NEEDED = ("items", "info", "page", "size", "total", "id")
_ALLOWED = frozenset({*_NEEDED, "cursor", "next", "bare"})


def lists_paged(document: Document) -> Iterator[Problem]:
    """Whatever answers a list is paged: an unbounded list is a promise no server can keep.

    A list is an array, or an object whose `data` is one; an object with an array among other members is not.
    """
    for operation in document.operations:
        queries = {p.get("name") for p in operation.parameters if p.get("in") == "query"}
        asks_for_pages = str(operation.value.get("x-sdk")).endswith(".list") and "page" in queries
        is_list = asks_for_pages or _answers_array(document, operation)
        if is_list and "x-paging" not in operation.value:
            sentence = f"{operation.title} answers a list, so it needs x-paging and its parameters."
            yield document.problem(operation.pointer, "lists-paged", sentence)


def paging_fits(document: Document) -> Iterator[Problem]:
    """`x-paging` names query parameters of the operation and members of its answer."""
    for operation in document.operations:
        if "x-paging" in operation.value:
            for sentence in _misfits(document, operation):
                where = f"{operation.pointer}/x-paging"
                yield document.problem(where, "paging-fits", f"x-paging of {operation.title}: {sentence}")


def _misfits(document: Document, operation: Operation) -> Iterator[str]:
    paging = operation.value["x-paging"]
    if not is_object(paging) or not set(_NEEDED) <= set(paging) <= _ALLOWED:
        yield f"it needs {', '.join(_NEEDED)}, and may have cursor, next, bare."
        return
    queries = {p.get("name") for p in operation.parameters if p.get("in") == "query"}
    for key in ("page", "size", "cursor"):
        if key in paging and paging[key] not in queries:
            yield f"{paging[key]} is not a query parameter."
    if ("cursor" in paging) != ("next" in paging):
        yield "cursor and next belong together."
    arms = _arms(document, _success(document, operation))
    pages = [arm for arm in arms if paging["items"] in _properties(arm)]
    if len(pages) != 1:
        yield f"the answer needs one schema with the property {paging['items']}."
        return
    if (paging.get("bare") is True) != any(arm.get("type") == "array" for arm in arms):
        yield "bare must be true exactly if the bare array is answered, too."
    items = document.resolve(_properties(pages[0])[paging["items"]])
    item = document.resolve(items.get("items"))
    if items.get("type") != "array":
        yield f"{paging['items']} is not an array."
    elif paging["id"] not in _properties(item):
        yield f"an item has no property {paging['id']}."
    info = document.resolve(_properties(pages[0]).get(paging["info"]))
    for key in ("total", "next"):
        if key in paging and paging[key] not in _properties(info):
            yield f"{paging['info']} has no property {paging[key]}."


def _success(document: Document, operation: Operation) -> dict[str, Any]:
    for media in document.bodies:
        if media.operation is operation and media.status == "200" and media.is_json:
            return document.resolve(media.value.get("schema"))
    return {}


def _arms(document: Document, schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [document.resolve(arm) for arm in schema["oneOf"]] if "oneOf" in schema else [schema]


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties", {})
    return properties if is_object(properties) else {}


def _answers_array(document: Document, operation: Operation) -> bool:
    for arm in _arms(document, _success(document, operation)):
        data = document.resolve(_properties(arm).get("data"))
        if arm.get("type") == "array" or data.get("type") == "array":
            return True
    return False


RULES = (lists_paged, paging_fits)

"""Labels and tags in the shapes they come in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from akmatori_server.alerts.adapters.fields import text_of
from akmatori_server.incidents.storable import storable_text

# What systems call the two halves of a label in an array of objects.
_NAMES = ("name", "key", "tag", "label")
_VALUES = ("value", "val")
# A tag without a value is there, which is all it says.
_THERE = "true"


def labels_of(value: object) -> dict[str, str]:
    """Read an object, an array of `name:value` or of {name, value}, or a comma separated text.

    What has none of these shapes holds no labels; of two with the same name the last one counts.
    """
    return {storable_text(name): storable_text(text) for name, text in _pairs(value) if name}


def _pairs(value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield from (_split(part) for part in value.split(","))
    elif isinstance(value, dict):
        for name, member in cast("dict[str, object]", value).items():
            text = "" if member is None else text_of(member)
            if text is not None:
                yield name, text
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            if isinstance(item, dict):
                yield _named(cast("dict[str, object]", item))
            else:
                yield _split(text_of(item) or "")


def _split(tag: str) -> tuple[str, str]:
    name, colon, value = tag.partition(":")
    return name.strip(), value.strip() if colon else _THERE


def _named(item: Mapping[str, object]) -> tuple[str, str]:
    name = next((text for text in map(text_of, map(item.get, _NAMES)) if text), "")
    value = next((text for text in map(text_of, map(item.get, _VALUES)) if text is not None), "")
    return name, value

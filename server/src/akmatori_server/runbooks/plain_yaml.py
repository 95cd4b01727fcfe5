"""YAML as the values that JSON has: mappings, lists, texts, numbers, true, false and null; nothing else is made.

Only the parser of the YAML library is used, the one in C where there is one. `on` and `2026-11-22` are texts, there
are no aliases and no tags, and no name is there twice.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import attrs
import yaml

from akmatori_server.incidents.storable import JSON

DEEPEST = 20

_NULLS = frozenset(("", "~", "null", "Null"))
_BOOLEANS = {"true": True, "True": True, "false": False, "False": False}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_TEXT = "tag:yaml.org,2002:str"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class PlainYamlError(ValueError):
    """A text that is not YAML, or uses more of it than this; the sentence says what, and the line is known."""

    def __init__(self, reason: str, line: int) -> None:
        self.reason = reason
        self.line = line
        super().__init__(f"line {line}: {reason}")


def read_plain_yaml(text: str) -> JSON:
    """Return the values of one document.

    Raises:
        PlainYamlError: it cannot be read.
    """
    try:
        return _Reader(iter(yaml.parse(text, Loader=_Loader))).read()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = error.problem or error.context or "it cannot be read"
        raise PlainYamlError(reason, 1 if mark is None else mark.line + 1) from None
    except yaml.YAMLError as error:
        # A character that YAML does not allow.
        raise PlainYamlError(str(error).splitlines()[0], 1) from None


@attrs.define
class _Reader:
    _events: Iterator[Any]

    def read(self) -> JSON:
        next(self._events)  # the stream begins
        first = next(self._events)
        if isinstance(first, yaml.StreamEndEvent):
            return None
        value = self._value(next(self._events), 0)
        next(self._events)  # the document ends
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise _refused(after, "there is more than one document")
        return value

    def _value(self, event: Any, depth: int) -> JSON:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _refused(event, "anchors and aliases are not allowed")
        if depth > DEEPEST:
            raise _refused(event, f"there may be {DEEPEST} levels at most")
        tag = getattr(event, "tag", None)
        if tag not in {None, "!", _TEXT} or (tag is not None and not isinstance(event, yaml.ScalarEvent)):
            raise _refused(event, f"the tag {tag} is not allowed")
        if isinstance(event, yaml.ScalarEvent):
            return str(event.value) if tag is not None or event.style else _scalar(str(event.value))
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[JSON] = []
            while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
                items.append(self._value(item, depth + 1))
            return items
        return self._mapping(depth)

    def _mapping(self, depth: int) -> dict[str, JSON]:
        members: dict[str, JSON] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise _refused(event, "a name must be a text")
            name = str(event.value)
            if name in members:
                raise _refused(event, f"{name} is there twice")
            members[name] = self._value(next(self._events), depth + 1)
        return members


def _scalar(text: str) -> JSON:
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _refused(event: Any, reason: str) -> PlainYamlError:
    mark = event.start_mark
    return PlainYamlError(reason, 1 if mark is None else mark.line + 1)

"""YAML as plain values: mappings, lists, texts and null, with the line of each; nothing is ever constructed.

Only the parser of the YAML library is used. Every scalar is a text (a label `on`, `010` or `1:30` stays what it
says), tags are refused, names may not repeat, and what aliases expand to is counted, so that no small file
becomes a large document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import attrs
import yaml

from akmatori_server.correlation.document import RulesDocument
from akmatori_server.correlation.nodes import RulesError
from akmatori_server.correlation.reading import read_document

LARGEST_FILE = 1024 * 1024
DEEPEST = 20
# Values in a document, those that aliases repeat included; far more than the limits of a document allow.
MOST_VALUES = 200_000

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TEXT_TAGS = frozenset({None, "!", "tag:yaml.org,2002:str"})
# The one in C is ten times as fast; it is part of the library's usual packages.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_rules_file(path: Path) -> RulesDocument:
    """Read a rules document from a file.

    Raises:
        RulesError: the file cannot be read, or is no such document; the error names the line.
    """
    return read_rules_text(read_bytes(path))


def read_bytes(path: Path) -> bytes:
    """Read a file that is not too large.

    Raises:
        RulesError: it cannot be read, or is too large.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise RulesError(f"The file cannot be read: {error.strerror or type(error).__name__}.") from error
    if len(content) > LARGEST_FILE:
        raise RulesError(f"The file may have {LARGEST_FILE} bytes at most.")
    return content


def read_rules_text(content: bytes) -> RulesDocument:
    """Read a rules document from YAML (or JSON, which is YAML).

    Raises:
        RulesError: it is no such document; the error names the line.
    """
    value, lines = read_yaml(content)
    if value is None:
        raise RulesError("The document is empty; it needs at least: version: 1")
    try:
        return read_document(value)
    except RulesError as error:
        raise error.at_line(_nearest(lines, error.place)) from error


def read_yaml(content: bytes) -> tuple[object, dict[str, int]]:
    """Return the plain values of one YAML document, and the line of each place.

    Raises:
        RulesError: it is not YAML, or uses more of YAML than a rules document may.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RulesError("The file is not UTF-8.", line=line) from None
    try:
        return _Reader(yaml.parse(text, Loader=_Loader)).read()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "it cannot be read"
        # What is missing at the end is missing behind the last line; a person looks at the last one.
        last = text.rstrip("\n").count("\n") + 1
        at = last if mark is None else min(mark.line + 1, last)
        raise RulesError(f"This is not valid YAML: {problem}.", line=at) from None
    except yaml.YAMLError as error:
        # What the reader refuses: characters that YAML does not allow.
        raise RulesError(f"This is not valid YAML: {str(error).splitlines()[0]}.") from None


@attrs.define
class _Reader:
    """Builds the values from the parser's events. Anchored values are kept, and copied where they are used."""

    _events: Iterator[yaml.Event]
    _lines: dict[str, int] = attrs.field(factory=dict[str, int])
    _anchors: dict[str, object] = attrs.field(factory=dict[str, object])
    _values: int = 0

    def read(self) -> tuple[object, dict[str, int]]:
        """Read the one document."""
        next(self._events)  # the stream begins
        first = next(self._events)
        if isinstance(first, yaml.StreamEndEvent):
            return None, {}
        value = self._value(next(self._events), "", 0)
        next(self._events)  # the document ends
        after = next(self._events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise _refused(after, "there may be one document in a file only.")
        return value, self._lines

    def _value(self, event: yaml.Event, place: str, depth: int) -> object:
        self._lines[place] = _line(event)
        self._count(event)
        if isinstance(event, yaml.AliasEvent):
            name = str(event.anchor)
            # An anchor is known once its value has ended, so that no value can hold itself.
            if name not in self._anchors:
                raise _refused(event, f"*{name} has no value above it.")
            return self._copy(event, self._anchors[name], depth)
        value = self._new(event, place, depth)
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors[str(anchor)] = value
        return value

    def _new(self, event: yaml.Event, place: str, depth: int) -> object:
        if depth > DEEPEST:
            raise _refused(event, f"there may be {DEEPEST} levels at most.")
        tag = getattr(event, "tag", None)
        if isinstance(event, yaml.ScalarEvent):
            if tag not in _TEXT_TAGS:
                raise _refused(event, f"the tag {tag} is not allowed; all values are texts.")
            text = str(event.value)
            return None if tag is None and not event.style and text in _NULLS else text
        if tag is not None:
            raise _refused(event, f"the tag {tag} is not allowed.")
        if isinstance(event, yaml.SequenceStartEvent):
            return self._list(place, depth)
        return self._mapping(place, depth)

    def _list(self, place: str, depth: int) -> list[object]:
        items: list[object] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, f"{place}[{len(items)}]", depth + 1))
        return items

    def _mapping(self, place: str, depth: int) -> dict[str, object]:
        members: dict[str, object] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise _refused(event, "a name must be a text.")
            name = str(event.value)
            if name in members:
                raise _refused(event, f"the name {name} is there twice; one of them would hide the other.")
            where = f"{place}.{name}" if place else name
            members[name] = self._value(next(self._events), where, depth + 1)
            # The line of the name is where a person looks for the member.
            self._lines[where] = _line(event)
        return members

    def _copy(self, event: yaml.Event, value: object, depth: int) -> object:
        """Return the value again, every part of it counted."""
        self._count(event)
        if depth > DEEPEST:
            raise _refused(event, f"there may be {DEEPEST} levels at most.")
        if isinstance(value, list):
            return [self._copy(event, item, depth + 1) for item in cast("list[object]", value)]
        if isinstance(value, dict):
            members = cast("dict[str, object]", value)
            return {name: self._copy(event, member, depth + 1) for name, member in members.items()}
        return value

    def _count(self, event: yaml.Event) -> None:
        self._values += 1
        if self._values > MOST_VALUES:
            raise _refused(event, f"the document has more than {MOST_VALUES} values.")


def _nearest(lines: Mapping[str, int], place: str) -> int | None:
    """Return the line of the place, or of what it is part of: what an alias repeats has no line of its own."""
    while place and place not in lines:
        place = place[: max(place.rfind("."), place.rfind("["), 0)]
    return lines.get(place)


def _line(event: yaml.Event) -> int:
    # Every event of the parser has its mark; only those made by hand have none.
    return 1 if event.start_mark is None else event.start_mark.line + 1


def _refused(event: yaml.Event, sentence: str) -> RulesError:
    return RulesError(sentence[0].upper() + sentence[1:], line=_line(event))

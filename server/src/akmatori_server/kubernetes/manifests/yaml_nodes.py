"""From the events of the YAML parser to nodes: nothing is constructed, and aliases cannot multiply."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

import attrs
import yaml

from akmatori_server.kubernetes.manifests.documents import DocumentCutter
from akmatori_server.kubernetes.manifests.nodes import DEEPEST, MISSING, Node

# Values in an object, those that aliases repeat included; the API server takes objects of 1.5 MiB.
MOST_VALUES = 200_000

# The one in C is ten times as fast; it is part of the library's usual packages.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Scalars that are no plain text although they may be in quotes.
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float", "null"))


class ManifestError(Exception):
    """A document that cannot be read.

    Args:
        message: One sentence.
        line: Where, counted from the document's first line.
    """

    def __init__(self, message: str, line: int | None) -> None:
        super().__init__(message)
        self.line = line


@attrs.frozen
class Body:
    """A whole object, or an item of the list that `list_kind` names."""

    node: Node
    list_kind: str = ""


@attrs.frozen
class _Built:
    node: Node
    size: int
    height: int


def read_bodies(cutter: DocumentCutter, doubt: Callable[[int, str], None]) -> Iterator[Body]:
    """Return the objects of the document that the cutter stands at, the items of a list one by one.

    Args:
        cutter: The document.
        doubt: Called with the line and a sentence about what is read, but looks wrong.

    Raises:
        ManifestError: it is not YAML, or larger or deeper than a manifest may be.
    """
    try:
        yield from _Builder(yaml.parse(cutter, Loader=_Loader), cutter.first_line, doubt).bodies()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "it cannot be read"
        line = None if mark is None else min(cutter.first_line + mark.line + 1, cutter.last_line)
        raise ManifestError(f"This is not valid YAML: {problem}.", line) from None
    except yaml.YAMLError as error:
        # What the reader refuses: bytes that are not UTF-8, characters that YAML does not allow.
        reason = str(getattr(error, "reason", "")) or "it cannot be read"
        raise ManifestError(f"This is not valid YAML: {reason}.", cutter.last_line) from None


@attrs.define
class _Builder:
    _events: Iterator[yaml.Event]
    _before: int
    _doubt: Callable[[int, str], None]
    _anchors: dict[str, _Built] = attrs.field(factory=dict[str, _Built])
    _values: int = 0

    def bodies(self) -> Iterator[Body]:
        """Return the objects of all documents that are left."""
        next(self._events)  # the stream begins
        event = next(self._events)
        while not isinstance(event, yaml.StreamEndEvent):
            self._anchors, self._values = {}, 0
            body = yield from self._document(next(self._events))
            next(self._events)  # the document ends
            # Only now is it known that nothing broken follows that belongs to it.
            event = next(self._events)
            if body is not None:
                yield body

    def _document(self, event: yaml.Event) -> Generator[Body, None, Body | None]:
        """Return the document, or give the items of the list that it is."""
        if not isinstance(event, yaml.MappingStartEvent):
            node = self._value(event, 0).node
            return Body(node) if node.exists else None
        line, members, kind = self._line(event), dict[str, Node](), ""
        streamed = False
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            name = self._name(event)
            value = next(self._events)
            may_be_list = not kind or kind.endswith("List")
            if name == "items" and may_be_list and isinstance(value, yaml.SequenceStartEvent):
                # The items of a list may be many; each is an object, and is given away before the next is read.
                streamed = True
                yield from self._items(kind)
                continue
            built = self._value(value, 1)
            self._member(members, name, built.node, event)
            kind = members.get("kind", MISSING).text()
        return None if streamed else Body(self._node(line, members))

    def _items(self, kind: str) -> Iterator[Body]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            self._values = 0
            yield Body(self._value(event, 2).node, list_kind=kind or "List")

    def _value(self, event: yaml.Event, depth: int) -> _Built:
        if depth > DEEPEST:
            raise self._refused(event, f"there may be {DEEPEST} levels at most.")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        self._count(event, 1)
        if isinstance(event, yaml.ScalarEvent):
            # No style at all in the parser in Python, an empty one in that in C.
            plain = not event.style or event.tag in _PLAIN_TAGS
            built = _Built(Node(self._line(event), scalar=event.value, plain=plain), 1, 0)
        elif isinstance(event, yaml.SequenceStartEvent):
            built = self._list(event, depth)
        else:
            built = self._mapping(event, depth)
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            # An anchor is known once its value has ended, so that no value can hold itself.
            self._anchors[str(anchor)] = built
        return built

    def _alias(self, event: yaml.AliasEvent, depth: int) -> _Built:
        built = self._anchors.get(str(event.anchor))
        if built is None:
            raise self._refused(event, f"*{event.anchor} has no value above it.")
        if depth + built.height > DEEPEST:
            raise self._refused(event, f"there may be {DEEPEST} levels at most.")
        # The value is shared, not copied; it counts all the same, because every check walks through it again.
        self._count(event, built.size)
        return built

    def _list(self, start: yaml.Event, depth: int) -> _Built:
        items: list[Node] = []
        size, height = 1, 0
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            built = self._value(event, depth + 1)
            items.append(built.node)
            size, height = size + built.size, max(height, built.height + 1)
        return _Built(Node(self._line(start), items=tuple(items)), size, height)

    def _mapping(self, start: yaml.Event, depth: int) -> _Built:
        members: dict[str, Node] = {}
        size, height = 1, 0
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            name = self._name(event)
            built = self._value(next(self._events), depth + 1)
            self._member(members, name, built.node, event)
            size, height = size + built.size, max(height, built.height + 1)
        return _Built(self._node(self._line(start), members), size, height)

    def _member(self, members: dict[str, Node], name: str, node: Node, event: yaml.Event) -> None:
        if name in members and name != "<<":
            self._doubt(self._line(event), f"The name {name[:100]} is there twice; the last one counts.")
        if node.scalar is None and node.line != self._line(event):
            # A block begins on the line after its name, and a person looks at the name.
            node = Node(self._line(event), items=node.items, members=node.members)
        members[name] = node

    def _node(self, line: int, members: dict[str, Node]) -> Node:
        merged = members.pop("<<", None)
        if merged is not None:
            # What is written in the mapping wins over what is merged into it, and the first of several wins.
            for source in (merged, *merged.each()):
                for name, node in source.named():
                    members.setdefault(name, node)
        return Node(line, members=members)

    def _name(self, event: yaml.Event) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise self._refused(event, "a name must be a text.")
        return str(event.value)

    def _count(self, event: yaml.Event, values: int) -> None:
        self._values += values
        if self._values > MOST_VALUES:
            raise self._refused(event, f"the object has more than {MOST_VALUES} values.")

    def _line(self, event: yaml.Event) -> int:
        # Every event of the parser has its mark; only those made by hand have none.
        return self._before + (1 if event.start_mark is None else event.start_mark.line + 1)

    def _refused(self, event: yaml.Event, sentence: str) -> ManifestError:
        return ManifestError(sentence[0].upper() + sentence[1:], self._line(event))

"""A value of a manifest with the line it is written on; asking it for what it does not hold answers "missing"."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias, cast

import attrs

_TRUE = frozenset({"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})
_FALSE = frozenset({"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_INTEGER = re.compile(r"[-+]?(?:0x[0-9a-fA-F]{1,16}|0o?[0-7]{1,22}|[0-9]{1,20}(?:\.0{1,20})?)")

DEEPEST = 100
"""Levels that an object may have."""

Path: TypeAlias = tuple[str | int, ...]
"""Where a value is: names of members and numbers of items."""


@attrs.frozen
class Node:
    """A scalar, a list or a mapping.

    What is written is never trusted to have the shape it should: every question has an answer, so that no
    manifest can make a check fail. Types are decided by who asks, as the API server does.
    """

    line: int
    scalar: str | None = None
    plain: bool = False
    items: tuple[Node, ...] | None = None
    members: dict[str, Node] | None = None

    def get(self, *names: str) -> Node:
        """Return the member of the member, or a missing node."""
        node = self
        for name in names:
            found = None if node.members is None else node.members.get(name)
            if found is None:
                return MISSING
            node = found
        return node

    @property
    def exists(self) -> bool:
        """Whether there is a value other than null."""
        if self.scalar is None:
            return self.items is not None or self.members is not None
        return not (self.plain and self.scalar in _NULL)

    @property
    def is_mapping(self) -> bool:
        """Whether it has members."""
        return self.members is not None

    def text(self) -> str:
        """Return the scalar as it is written; empty for anything else, null included."""
        return self.scalar if self.scalar is not None and self.exists else ""

    def boolean(self) -> bool | None:
        """Return true or false; None where neither is written (a text in quotes is neither)."""
        if not self.plain or self.scalar is None:
            return None
        return True if self.scalar in _TRUE else False if self.scalar in _FALSE else None

    def integer(self) -> int | None:
        """Return the whole number; None where none is written."""
        if not self.plain or self.scalar is None or not _INTEGER.fullmatch(self.scalar):
            return None
        digits = self.scalar.lower().partition(".")[0]
        bare = digits.lstrip("+-")
        base = 16 if bare.startswith("0x") else 8 if len(bare) > 1 and bare.startswith("0") else 10
        try:
            return int(bare.removeprefix("0o"), base) * (-1 if digits.startswith("-") else 1)
        except ValueError:
            return None

    def each(self) -> Sequence[Node]:
        """Return the items; none for anything but a list."""
        return () if self.items is None else self.items

    def named(self) -> Iterator[tuple[str, Node]]:
        """Return the members with their names; none for anything but a mapping."""
        return iter(()) if self.members is None else iter(self.members.items())

    def texts(self) -> dict[str, str]:
        """Return the members that are scalars, such as labels."""
        return {name: node.text() for name, node in self.named() if node.scalar is not None}

    def nearest(self, path: Path) -> Node:
        """Return what is at the path, or the last value on the way there that exists."""
        node = self
        for step in path:
            if isinstance(step, str):
                after = node.get(step)
            else:
                items = node.each()
                after = items[step] if step < len(items) else MISSING
            if after is MISSING:
                break
            node = after
        return node


MISSING = Node(line=0)
"""What is not there."""


def json_node(value: object, line: int = 0, *, depth: int = 0) -> Node:
    """Return the node of a value that was read from JSON, whose lines are not known.

    Raises:
        RecursionError: it is deeper than an object may be.
    """
    if isinstance(value, str):
        return Node(line, scalar=value)
    if depth > DEEPEST:
        raise RecursionError
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return Node(
            line,
            members={name: json_node(member, line, depth=depth + 1) for name, member in members.items()},
        )
    if isinstance(value, list):
        items = cast("list[object]", value)
        return Node(line, items=tuple(json_node(item, line, depth=depth + 1) for item in items))
    return Node(line, scalar="null" if value is None else json.dumps(value), plain=True)

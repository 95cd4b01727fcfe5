"""Looking into a plain document of mappings, lists and texts, and refusing with the place of what is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import NoReturn, cast

import attrs

from akmatori_server.incidents.storable import storable_text

LONGEST_NAME = 255


class RulesError(Exception):
    """A rules document that cannot be used: where, and why. The line is known for files only."""

    def __init__(self, sentence: str, *, place: str = "", line: int | None = None) -> None:
        self.sentence = sentence
        self.place = place
        self.line = line
        where = [f"line {line}"] if line is not None else []
        super().__init__(": ".join([*where, *([place] if place else []), sentence]))

    def at_line(self, line: int | None) -> RulesError:
        """Return the same error with the line of its place."""
        return RulesError(self.sentence, place=self.place, line=line)


@attrs.frozen
class Node:
    """A value of the document, and where it stands (`rules[2].by[0]`; "" is the document itself)."""

    value: object
    place: str = ""

    def fail(self, sentence: str) -> NoReturn:
        """Refuse this value.

        Raises:
            RulesError: always.
        """
        raise RulesError(sentence, place=self.place)

    def members(self, known: Iterable[str]) -> dict[str, Node]:
        """Read a mapping that has no other members than these; null counts as left out.

        Raises:
            RulesError: it is no mapping, or has another member.
        """
        names = tuple(known)
        found = self.entries()
        for name, member in found.items():
            if name not in names:
                close = difflib.get_close_matches(name, names, n=1)
                meant = f"; did you mean {close[0]}?" if close else f"; known are {', '.join(names)}."
                member.fail(f"is not known here{meant}")
        return {name: member for name, member in found.items() if member.value is not None}

    def entries(self) -> dict[str, Node]:
        """Read a mapping with any names.

        Raises:
            RulesError: it is no mapping, or a name is not a text.
        """
        given = self.value
        if not isinstance(given, dict):
            self.fail("must be a mapping." if self.place else "The document must be a mapping.")
        found: dict[str, Node] = {}
        for name, value in cast("dict[object, object]", given).items():
            if not isinstance(name, str):
                self.fail("must have texts as names.")
            if len(name) > LONGEST_NAME:
                self.fail(f"has a name of more than {LONGEST_NAME} characters.")
            if not _is_storable(name):
                self.fail("has a name with a character that cannot be stored.")
            found[name] = Node(value, f"{self.place}.{name}" if self.place else name)
        return found

    def items(self, most: int, *, least: int = 0) -> list[Node]:
        """Read a list.

        Raises:
            RulesError: it is no list, or has more or fewer items.
        """
        given = self.value
        if not isinstance(given, list):
            self.fail("must be a list.")
        values = cast("list[object]", given)
        if len(values) > most:
            self.fail(f"may have {most} items at most.")
        if len(values) < least:
            self.fail("must not be empty.")
        return [Node(value, f"{self.place}[{index}]") for index, value in enumerate(values)]

    def text(self, longest: int, *, least: int = 0) -> str:
        """Read a text that a database can hold.

        Raises:
            RulesError: it is no text, or too long or too short.
        """
        if not isinstance(self.value, str):
            self.fail("must be a text.")
        if len(self.value) > longest:
            self.fail(f"may have {longest} characters at most.")
        if len(self.value) < least:
            self.fail("must not be empty.")
        if not _is_storable(self.value):
            self.fail("holds a character that cannot be stored.")
        return self.value


def _is_storable(text: str) -> bool:
    return storable_text(text) == text


def required(members: Mapping[str, Node], name: str, parent: Node) -> Node:
    """Return a member that must be there.

    Raises:
        RulesError: it is left out.
    """
    if name not in members:
        parent.fail(f"{name} is missing." if parent.place else f"{name} is missing from the document.")
    return members[name]

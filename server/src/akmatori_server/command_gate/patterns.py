"""Patterns of file names, taken apart; the gate's own and those that a shell would match."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import attrs

from akmatori_server.command_gate.models import Word

# `[abc]`, `[!0-9]`: one letter. What is more than that is no pattern to us, and is quoted.
_CLASS = re.compile(r"\[[!^]?\]?[A-Za-z0-9_.,:-]*\]")
MANY, ONE = "*", "?"


@attrs.frozen
class Piece:
    """A part of a word. `wild` is "" for text that stands for itself, else MANY or ONE."""

    text: str
    wild: str = ""


def pieces(word: Word) -> tuple[Piece, ...]:
    """Take a word apart into texts and patterns."""
    found: list[Piece] = []
    at = 0
    for place in sorted(word.wild):
        if place < at:
            continue
        letter = word.text[place]
        bracket = _CLASS.match(word.text, place) if letter == "[" else None
        if letter == "[" and bracket is None:
            continue
        if place > at:
            found.append(Piece(word.text[at:place]))
        at = bracket.end() if bracket else place + 1
        found.append(Piece(word.text[place:at], MANY if letter == MANY else ONE))
    if at < len(word.text):
        found.append(Piece(word.text[at:]))
    return tuple(found)


def symbols(word: Word) -> tuple[str, ...]:
    """Return the letters of a word; MANY and ONE with a mark in front stand for patterns."""
    result: list[str] = []
    for piece in pieces(word):
        result.extend([f"wild{piece.wild}"] if piece.wild else piece.text)
    return tuple(result)


@cache
def of_pattern(text: str) -> tuple[str, ...]:
    """Return the symbols of a pattern that we wrote ourselves: * and ? are wild."""
    return tuple(f"wild{letter}" if letter in {MANY, ONE} else letter for letter in text)


def overlap(left: Sequence[str], right: Sequence[str]) -> bool:
    """Whether some name keeps both patterns."""
    # The places in `right` that can be reached with what was read of `left`.
    reached: set[int] = _closed({0}, right)
    for symbol in left:
        if symbol == "wild*":
            # It reads any text, and so every place behind the first that is reached.
            reached = set(range(min(reached), len(right) + 1)) if reached else set[int]()
            continue
        stepped: set[int] = set()
        for place in reached:
            if place == len(right):
                continue
            other = right[place]
            if other == "wild*":
                stepped.add(place)
            elif other == "wild?" or symbol in {"wild?", other}:
                stepped.add(place + 1)
        reached = _closed(stepped, right)
        if not reached:
            return False
    return len(right) in reached


def _closed(places: set[int], symbols_: Sequence[str]) -> set[int]:
    """Add the places behind a MANY, which may also stand for nothing."""
    result = set(places)
    for place in places:
        at = place
        while at < len(symbols_) and symbols_[at] == "wild*":
            at += 1
            result.add(at)
    return result

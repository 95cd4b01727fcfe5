"""Command lines as values."""

from __future__ import annotations

import attrs


class RefusedError(Exception):
    """A command line is not one that only reads; the sentence says what to write instead, where there is such."""


@attrs.frozen
class Word:
    """One argument. `wild` are the places of the characters in it that the shell matches with file names."""

    text: str
    wild: frozenset[int] = frozenset()

    def literal(self) -> Word:
        """The same text, of which the shell expands nothing."""
        return Word(self.text)


@attrs.frozen(kw_only=True)
class Command:
    """One program of a line with its arguments."""

    # What stands between the previous command and this one: "" for the first, else | && || ;
    joint: str
    words: tuple[Word, ...]
    # Of "2>&1", ">/dev/null", "2>/dev/null", in the order in which they were written.
    redirections: tuple[str, ...] = ()

    @property
    def argv(self) -> tuple[str, ...]:
        """The arguments as the program gets them, apart from patterns of file names."""
        return tuple(word.text for word in self.words)


@attrs.frozen(kw_only=True)
class Verdict:
    """What the gate says of a line. `pipeline` is what may run, argument by argument; empty when refused."""

    allowed: bool
    pipeline: tuple[Command, ...] = ()
    # Why the line is refused; empty when it is allowed.
    sentence: str = ""

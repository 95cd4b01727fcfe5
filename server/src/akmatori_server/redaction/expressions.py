"""RE2 for finding and replacing in bytes: in time proportional to the text, whatever the text is."""

# google-re2 has neither type stubs nor annotations; what it answers is given its types in this file.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, cast

import re2  # type: ignore[import-untyped]  # see above

# Bytes that the automata of one expression may take. When they need more they are built anew on the way,
# which is slower and not wrong.
LARGEST = 32 << 20


class Found(Protocol):
    """A place where an expression matches."""

    def group(self, group: int = 0) -> bytes | None:
        """Return what a group matched; None when it took no part."""
        ...


Replacement = Callable[[Found], bytes]


class Expression(Protocol):
    """A compiled expression."""

    def search(self, text: bytes) -> Found | None:
        """Return the first match."""
        ...

    def sub(self, repl: Replacement, text: bytes) -> bytes:
        """Return the text with every match replaced."""
        ...

    def fullmatch(self, text: bytes) -> Found | None:
        """Return a match when all of the text is one."""
        ...


class ExpressionSet:
    """Many expressions looked for at once."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._set = re2.Set.SearchSet(_options())
        for pattern in patterns:
            self._set.Add(pattern.encode("latin-1"))
        self._set.Compile()

    def found_in(self, text: bytes) -> list[int]:
        """Return the numbers of those that match somewhere, in their order."""
        return sorted(cast("list[int] | None", self._set.Match(text)) or [])


def compiled(pattern: str) -> Expression:
    """Compile an expression of our own."""
    return cast("Expression", re2.compile(pattern.encode("latin-1"), _options()))


def any_of(texts: Sequence[bytes]) -> Expression:
    """Compile an expression that matches these very bytes, of several at one place the first."""
    pattern = b"|".join(cast("bytes", re2.escape(text)) for text in texts)
    return cast("Expression", re2.compile(pattern, _options()))


def _options() -> object:
    options = re2.Options()
    # A byte is a character: UTF-8 has no byte of an ASCII character within another one, and a byte that is no
    # UTF-8 must not hide a secret.
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = LARGEST
    options.log_errors = False
    return options

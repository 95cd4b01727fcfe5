"""RE2, the regular expressions of Prometheus and Alertmanager, behind the few types that we need.

RE2 takes time in proportion to the text, whatever the expression is: an operator's matcher runs against text
that anybody who can raise an alert has chosen, and a backtracking engine could be kept busy for hours by it.
"""

# google-re2 has neither type stubs nor annotations; what it answers is given its types in this file.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from typing import Protocol, cast

import re2  # type: ignore[import-untyped]  # see above

# Bytes that one expression and its automaton may take; RE2's own default is eight times as much, and there may
# be thousands of silences. A larger automaton is rebuilt, which is slower and not wrong.
LARGEST = 1 << 20


class MatcherError(ValueError):
    """A matcher that cannot be used; the message is a sentence for its author."""


class Regex(Protocol):
    """A compiled expression."""

    def fullmatch(self, text: bytes) -> object | None:
        """Return a match when all of the text is one, else None."""
        ...


def compile_regex(pattern: str) -> Regex:
    """Compile an expression that has to match the whole text.

    Raises:
        MatcherError: it is not a regular expression as RE2 knows them.
    """
    options = re2.Options()
    options.max_mem = LARGEST
    # They would go to the standard error of the server; the author of the matcher is told instead.
    options.log_errors = False
    # Which group matched what is never asked, and not looking for it is a good deal faster.
    options.never_capture = True
    try:
        return cast("Regex", re2.compile(_utf8(pattern), options))
    except re2.error as error:
        raise MatcherError(
            f'"{pattern}" is not a regular expression of RE2: {_reason(cast("Exception", error))}.'
        ) from error


def matches_whole(regex: Regex, text: str) -> bool:
    """Whether the expression matches all of the text."""
    return regex.fullmatch(_utf8(text)) is not None


def _utf8(text: str) -> bytes:
    # A lone surrogate has no UTF-8; RE2 takes these bytes as no character, which is what they are.
    return text.encode("utf-8", "surrogatepass")


def _reason(error: Exception) -> str:
    told = error.args[0] if error.args else ""
    return told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)

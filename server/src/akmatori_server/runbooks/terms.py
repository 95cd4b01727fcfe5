"""From a text to the words a full-text search is asked for: nothing in them is syntax on any database."""

from __future__ import annotations

import re
from collections.abc import Iterator

# An alert's description may be a page long; its first words tell what it is about.
MOST_TERMS = 48
LONGEST_TERM = 64

_TOKEN = re.compile(r"[^\W_]+")
# NodeDiskFilling is found by its parts too, as are OOMKilled and HTTP5xxRate.
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z]|\d)|[A-Z]?[a-z]+|[A-Z]+|\d+[a-z]*")
# PostgreSQL's English dictionary leaves such words out by itself; SQLite would find every runbook by them.
STOP_WORDS = frozenset(
    """
    a about above after again against all am an and any are as at be because been before being below
    between both but by can could did do does doing don down during each few for from further had has
    have having he her here hers him his how i if in into is it its itself just me more most my no nor
    not now of off on once only or other our out over own same she should so some such than that the
    their them then there these they this those through to too under until up very was we were what when
    where which while who whom why will with would you your
    """.split()  # noqa: SIM905  readable as a text
)


def search_terms(text: str) -> list[str]:
    """Return the words of a text, each once, in lower case; of a compound word also its parts."""
    return list(dict.fromkeys(_terms(text)))[:MOST_TERMS]


def _terms(text: str) -> Iterator[str]:
    for token in _TOKEN.findall(text):
        parts = _PART.findall(token) if token.isascii() else []
        for word in (token, *parts):
            term = word.lower()
            if 1 < len(term) <= LONGEST_TERM and term not in STOP_WORDS:
                yield term

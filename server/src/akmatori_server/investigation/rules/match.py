"""Which runbook fits: a score between 0 and 1 that means the same on every database.

The database's search finds candidates; its ranks have no fixed scale, so the choice is made here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol
from urllib.parse import urlsplit

import attrs

from akmatori_server.investigation.facts import Facts
from akmatori_server.investigation.rules.query import Query
from akmatori_server.investigation.rules.words import stem, synonyms, words
from akmatori_server.runbooks.front_matter import body_of

# Where a word is found decides how much it says.
IN_TITLE, IN_HEADING, IN_TEXT = 1.0, 0.6, 0.35
BY_SYNONYM = 0.8
# What the problem is called says more than what is said about it.
NAMING_SHARE, DESCRIBING_SHARE = 0.7, 0.3
# A long description must not drown the few words that fit.
BEST_WORDS = 5
# These many words are enough to see why a runbook fits; words that merely occur in its text are not shown.
MOST_TERMS = 8
LEAST_SHOWN = IN_TEXT

MATCHES_FROM = 0.4
SURE_FROM = 0.6
# The best of two that are closer than this may well be the second.
CLEAR_LEAD = 0.1


class Candidate(Protocol):
    """A runbook the search came up with."""

    @property
    def id(self) -> int:
        """Its number."""
        ...

    @property
    def title(self) -> str:
        """What it is called."""
        ...

    @property
    def content(self) -> str:
        """Its Markdown."""
        ...


@attrs.frozen
class Match:
    """A runbook with how well it fits and by which words."""

    candidate: Candidate
    score: float
    terms: tuple[str, ...]
    # The alert's own runbook link names it.
    is_linked: bool = False


def rank(candidates: Iterable[Candidate], query: Query, facts: Facts) -> list[Match]:
    """Score every candidate: the linked one first, then the best; equal ones in the order of their titles."""
    matches = [_match(candidate, query, facts) for candidate in candidates]
    return sorted(
        matches,
        key=lambda match: (not match.is_linked, -match.score, match.candidate.title, match.candidate.id),
    )


def choose(ranked: Sequence[Match]) -> Match | None:
    """Return the one to follow, or None when none fits well enough."""
    return ranked[0] if ranked and ranked[0].score >= MATCHES_FROM else None


def is_clear(ranked: Sequence[Match]) -> bool:
    """Whether the first fits clearly better than the second."""
    return len(ranked) < 2 or ranked[0].is_linked or ranked[0].score - ranked[1].score >= CLEAR_LEAD


def _match(candidate: Candidate, query: Query, facts: Facts) -> Match:
    if facts.runbook_url and _is_named_by(facts.runbook_url, candidate.title):
        return Match(candidate, 1.0, ("runbook link of the alert",), is_linked=True)
    places = _Places(candidate)
    naming = [(word, places.weight(word)) for word in query.naming]
    describing = [(word, places.weight(word)) for word in query.describing]
    score = _cover(naming)
    if describing:
        score = NAMING_SHARE * score + DESCRIBING_SHARE * _cover(describing)
    return Match(candidate, round(score, 2), _terms(naming, describing))


def _cover(weighted: list[tuple[str, float]]) -> float:
    """How much of the best words is found: 1 when all of them stand in the title."""
    if not weighted:
        return 0.0
    best = sorted((weight for _, weight in weighted), reverse=True)[:BEST_WORDS]
    return sum(best) / min(BEST_WORDS, len(weighted))


def _terms(naming: list[tuple[str, float]], describing: list[tuple[str, float]]) -> tuple[str, ...]:
    hits = [(word, weight) for word, weight in naming if weight]
    hits += [(word, weight) for word, weight in describing if weight > LEAST_SHOWN or (weight and not hits)]
    hits.sort(key=lambda hit: -hit[1])
    return tuple(word for word, _ in hits[:MOST_TERMS])


class _Places:
    """The words of a runbook by where they stand."""

    def __init__(self, candidate: Candidate) -> None:
        # What programs read at the top says nothing about the problem.
        body = body_of(candidate.content)
        headings = "\n".join(re.findall(r"(?m)^#{1,6} +(.+)$", body))
        self._weights: dict[str, float] = {}
        for text, weight in (
            (body, IN_TEXT),
            (headings, IN_HEADING),
            (candidate.title, IN_TITLE),
        ):
            self._weights.update((stem(word), weight) for word in words(text))

    def weight(self, word: str) -> float:
        """How much a word of the case says for this runbook."""
        own = self._weights.get(stem(word), 0.0)
        others = (self._weights.get(stem(other), 0.0) for other in synonyms(word))
        return max(own, BY_SYNONYM * max(others, default=0.0))


def _is_named_by(url: str, title: str) -> bool:
    last = urlsplit(url).path.rstrip("/").rpartition("/")[2].rpartition("#")[2]
    last = re.sub(r"\.(md|html?)$", "", last)
    return bool(last) and _slug(last) == _slug(title)


def _slug(text: str) -> str:
    return re.sub(r"[\W_]+", "-", text.lower()).strip("-")

"""Verdicts that are remembered for a while, by a hash of the token and the question."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import TypeAlias

import attrs

from akmatori_server.kubernetes.access.model import Admitted, Question, Verdict

ALLOWED_SECONDS = 60.0
REFUSED_SECONDS = 10.0
MOST_REMEMBERED = 4096

Key: TypeAlias = tuple[bytes, str, str]


@attrs.frozen
class _Remembered:
    verdict: Verdict
    until: float


class Verdicts:
    """Remembers verdicts; a flood of bad tokens never pushes out those of good ones."""

    def __init__(
        self, *, clock: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time
    ) -> None:
        self._clock = clock
        self._wall = wall
        self._admitted: dict[Key, _Remembered] = {}
        self._refused: dict[Key, _Remembered] = {}

    @staticmethod
    def key(token: str, question: Question) -> Key:
        """Return what a verdict is remembered by; the token cannot be had back from it."""
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        return digest, question.verb, question.path

    def get(self, key: Key) -> Verdict | None:
        """Return the verdict, if it is still good."""
        for known in (self._admitted, self._refused):
            found = known.get(key)
            if found is not None and found.until > self._clock():
                return found.verdict
        return None

    def put(self, key: Key, verdict: Verdict) -> None:
        """Remember a verdict, but never beyond the end of the token."""
        is_admitted = isinstance(verdict, Admitted)
        seconds = ALLOWED_SECONDS if is_admitted else REFUSED_SECONDS
        if isinstance(verdict, Admitted) and verdict.expires is not None:
            seconds = min(seconds, verdict.expires - self._wall())
        known = self._admitted if is_admitted else self._refused
        # The oldest are at the front.
        known.pop(key, None)
        while len(known) >= MOST_REMEMBERED:
            del known[next(iter(known))]
        known[key] = _Remembered(verdict, self._clock() + seconds)

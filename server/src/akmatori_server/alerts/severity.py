"""The words vendors use for severities, and what they mean here."""

from __future__ import annotations

from akmatori_server.alerts.models import Severity

WORDS: dict[Severity, frozenset[str]] = {
    Severity.CRITICAL: frozenset({"critical", "disaster", "p1", "5", "emergency", "fatal"}),
    Severity.HIGH: frozenset({"high", "major", "p2", "4", "error", "severe"}),
    Severity.WARNING: frozenset({"warning", "minor", "p3", "3", "average", "warn"}),
    Severity.INFO: frozenset({"info", "informational", "p4", "1", "2", "low", "notice", "debug"}),
}
_MEANING = {word: severity for severity, words in WORDS.items() for word in words}


def severity_of(word: str) -> Severity:
    """Return what the word means in any case; an unknown word, and none at all, is a warning."""
    return _MEANING.get(word.strip().lower(), Severity.WARNING)

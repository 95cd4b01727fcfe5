"""What the patterns of the specification mean, in words for whoever broke one."""

from __future__ import annotations

from collections.abc import Mapping

_WORDS: Mapping[str, str] = {
    r"\S": "must not be blank.",
    r"^([hH][tT][tT][pP][sS]?://.*)?$": "must begin with http:// or https://, or be empty.",
    r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$": (
        "must be small letters and digits, joined by single hyphens and beginning with a letter, such as disk-full."
    ),
    r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$": (
        "must be a name as Kubernetes has them: small letters, digits and hyphens, with a letter or digit at both ends."
    ),
    r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?|_cluster)$": (
        "must be a name as Kubernetes has them: small letters, digits and hyphens, or _cluster."
    ),
    r"^[A-Za-z0-9-]+$": "may hold letters, digits and hyphens only.",
    r"^[A-Za-z0-9][A-Za-z0-9_-]*\.[A-Za-z0-9]+$": (
        "must be letters, digits, _ and -, then one dot and an ending, such as notes.md."
    ),
    r"^[A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+$": (
        "must be letters, digits, _ and - with a dot and an ending, such as notes.md."
    ),
    r"^(=|!=|=~|!~)$": "must be =, !=, =~ or !~.",
    r"^(off|minimal|low|medium|high|xhigh)?$": "must be off, minimal, low, medium, high or xhigh, or be empty.",
    r"^[0-9a-f]{64}$": "must be 64 hexadecimal digits in small letters.",
    r"^[0-9]+$": "may hold digits only.",
    r"^[!-~]+$": "may hold visible ASCII characters only, and no blanks.",
}


def in_words(pattern: str) -> str:
    """Return what a pattern asks for; a pattern itself is never shown."""
    return _WORDS.get(pattern, "is not written in the form that the documentation of the API describes.")


def has_words(pattern: str) -> bool:
    """Whether there is a sentence for a pattern."""
    return pattern in _WORDS

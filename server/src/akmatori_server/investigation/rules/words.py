"""Words of alerts and runbooks, brought to a form in which they can be compared."""

from __future__ import annotations

import re
from collections.abc import Iterator

# Words that stand in half of all alerts and runbooks and tell none of them apart.
COMMON = frozenset(
    """
    a about above after alert alerts all also an and any are as at be been before below between but by can
    check could critical current do does for from firing has have high host how if in info instance into
    investigate is it its job level list look low major may minor more most much node no not of on one or
    our out over please prometheus resolved see server service severity shall should so some status than
    that the their them then there these they this threshold to too total under up use value very warning
    was we were what when where which why will with within you your for last min mins minute minutes hour
    hours second seconds day days now since still runbook average only run next predicted way has var com
    net org local example svc cluster kube kubernetes
    """.split()  # noqa: SIM905  a paragraph is easier to keep than two hundred quoted words
)

# Words of one meaning; a hit by another word of the group counts nearly as much as the word itself.
SYNONYMS: tuple[frozenset[str], ...] = tuple(
    frozenset(group.split())
    for group in (
        "disk filesystem volume storage partition mountpoint inode",
        "full fill filling space capacity",
        "memory ram oom heap rss swap oomkilled",
        "cpu load processor throttling",
        "certificate cert tls ssl x509",
        "expiry expire expires expired expiration expiring",
        "down unreachable offline absent dead unavailable",
        "pod container",
        "crash crashing crashloop crashloopbackoff looping loop backoff restart restarting restarts",
        "5xx 500 502 503 504 errors error",
        "queue backlog lag consumer kafka rabbitmq",
        "latency slow slowness timeout p95 p99",
        "http https ingress request requests",
        "database postgres postgresql mysql db",
        "replication replica standby follower",
        "target exporter scrape",
        "deployment deploy rollout release",
        "network packet connection connections interface",
        "dns resolve resolver resolution",
        "backup snapshot dump",
        "clock ntp time skew drift",
    )
)

_TOKEN = re.compile(r"[^\W_]+")
# CamelCase, acronyms and words with digits inside one token: KubePodCrash, HTTP5xxRate, OOMKilled,
# Checkout502, x509.
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z]|\d+x)|[A-Z]?[a-z]{2,}(?=\d{3})|[A-Z]?[a-z]+\d*|[A-Z]+|\d+[a-z]+|\d+")
_NUMBERS_WITH_MEANING = frozenset({"500", "502", "503", "504"})


def words(text: str) -> list[str]:
    """Return the telling words of a text in their order, each once, in lower case."""
    return list(dict.fromkeys(_words(text)))


def stem(word: str) -> str:
    """Cut the ending that differs between two forms of a word, such as filling and fills."""
    for ending in ("ing", "es", "ed", "s", "e"):
        if len(word) - len(ending) >= 3 and word.endswith(ending):
            return word[: -len(ending)]
    return word


def synonyms(word: str) -> frozenset[str]:
    """Return the other words that mean nearly the same."""
    own = stem(word)
    for group in _STEMMED_GROUPS:
        if own in group:
            return group[own]
    return frozenset()


def _words(text: str) -> Iterator[str]:
    for token in _TOKEN.findall(text):
        parts = _PART.findall(token) if token.isascii() else [token]
        for part in parts:
            word = part.lower()
            if len(word) < 2 or word in COMMON or (word.isdigit() and word not in _NUMBERS_WITH_MEANING):
                continue
            yield word


_STEMMED_GROUPS: tuple[dict[str, frozenset[str]], ...] = tuple(
    {stem(word): frozenset(other for other in group if stem(other) != stem(word)) for word in group}
    for group in SYNONYMS
)

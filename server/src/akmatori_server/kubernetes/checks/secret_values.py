"""Which texts are secrets, by their name and by themselves."""

from __future__ import annotations

import hashlib
import itertools
import math
import re
from collections import Counter

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS = frozenset(
    {"password", "passwd", "pwd", "passphrase", "secret", "secrets", "token", "credential", "credentials"}
)
_SECRET_WORDS_GLUED = frozenset({"apikey", "accesskey", "privatekey", "secretkey", "authkey"})
_SECRET_PAIRS = frozenset({("api", "key"), ("access", "key"), ("private", "key"), ("secret", "key")})
# What a name ends with that speaks about a secret and is none: where it is, how long it lives, what it is called.
_ABOUT = re.compile(
    "file|path|dir|directory|url|uri|endpoint|host|port|name|ref|id|enabled|disabled|type|method|mode|ttl|expiry"
    "|expiration|timeout|length|size|algorithm|issuer|audience|header|provider|count|limit|limits|budget|rotation"
    "|policy|class|version|max|min"
)
_REFERENCE = re.compile(r"\$\([A-Za-z_][A-Za-z0-9_.-]*\)|\$\{[^}]*\}")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d)?")
_BOOLEANS = frozenset({"true", "false", "yes", "no", "on", "off", "none", "null", "enabled", "disabled"})
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
# No object of a cluster holds more.
_LONGEST = 1_500_000

# What a text is, the part of it that may be shown (it is the same for everybody), and the pattern.
_SHAPES: tuple[tuple[str, str, re.Pattern[str]], ...] = (
    ("private key", "-----BEGIN", re.compile(r"-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----")),
    ("AWS access key", "AKIA", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    (
        "GitHub token",
        "ghp_",
        re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})"),
    ),
    ("Slack token", "xox", re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,250}")),
    ("Google API key", "AIza", re.compile(r"\bAIza[0-9A-Za-z_-]{35}")),
    (
        "JSON web token",
        "eyJ",
        re.compile(
            r"(?<![A-Za-z0-9_.-])eyJ[A-Za-z0-9_-]{10,4000}\.eyJ[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{10,1000}"
        ),
    ),
    (
        "password in a URL",
        "://",
        re.compile(r"\b[a-z][a-z0-9+.-]{0,20}://[^\s/:@$<>{}]{0,200}:[^\s/:@$<>{}*]{1,200}@"),
    ),
)
_DENSE = re.compile(r"[A-Za-z0-9+/_-]{40,200}={0,2}")
_DENSE_ENTROPY = 4.6


def is_secret_name(name: str) -> bool:
    """Whether a variable of this name holds a secret: by whole words, so that AUTHOR and TOKENIZER are none."""
    words = [word.lower() for word in _WORDS.findall(name[:1000])]
    if not words or _ABOUT.fullmatch(words[-1]):
        return False
    if words[-1] == "auth" or any(word in _SECRET_WORDS | _SECRET_WORDS_GLUED for word in words):
        return True
    return any(pair in _SECRET_PAIRS for pair in itertools.pairwise(words))


def may_be_secret(value: str) -> bool:
    """Whether a value could be a secret at all: not a switch, a number, a path, an address or a reference."""
    text = value.strip()
    if not text or text.lower() in _BOOLEANS or _NUMBER.fullmatch(text):
        return False
    return not (_REFERENCE.fullmatch(text) or text.startswith(("/", "./")) or _URL.match(text))


def recognised(value: str) -> tuple[str, str] | None:
    """Return what secret a text holds, and evidence of it that gives nothing away."""
    text = value[:_LONGEST]
    for what, shown, pattern in _SHAPES:
        found = pattern.search(text)
        if found is not None:
            return (
                what,
                f"{what} ({shown}…, {_fingerprint(found[0])})" if what != "password in a URL" else what,
            )
    return None


def is_dense(value: str) -> bool:
    """Whether a text looks random, as keys do, and names, hashes in hexadecimal and sentences do not."""
    text = value.strip()
    if not _DENSE.fullmatch(text) or not (re.search("[a-z]", text) and re.search("[A-Z]", text)):
        return False
    counts = Counter(text)
    entropy = -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())
    return entropy >= _DENSE_ENTROPY and re.search("[0-9]", text) is not None


def _fingerprint(text: str) -> str:
    """Tell two tokens apart; they are too random to be found from a few digits of their hash."""
    return "sha256 " + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]

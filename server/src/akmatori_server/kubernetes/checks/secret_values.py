"""Which texts are secrets, by their name and by themselves."""

from __future__ import annotations

import enum
import functools
import hashlib
import itertools
import math
import re
from collections import Counter

import attrs

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS = frozenset(
    {"pwd", "secret", "secrets", "token", "credential", "credentials", "creds", "apikey", "accesskey"}
    | {
        "privatekey",
        "secretkey",
        "authkey",
        "dbpass",
        "pgpass",
        "rootpass",
        "userpass",
        "adminpass",
        "smtppass",
    }
    | {"mailpass", "redispass", "ftppass", "sshpass", "keypass", "storepass", "requirepass", "masterauth"}
)
_SECRET_ENDS = ("password", "passwd", "passphrase")
_SECRET_PAIRS = frozenset(
    {("api", "key"), ("access", "key"), ("private", "key"), ("secret", "key"), ("pass", "phrase")}
)
# Keys of which some are secrets and others are names: their values decide.
_KEYS = frozenset(
    {"signing", "signature", "encryption", "decryption", "encrypt", "master", "app", "application", "session"}
    | {
        "cookie",
        "jwt",
        "hmac",
        "aes",
        "crypto",
        "cipher",
        "account",
        "storage",
        "shared",
        "unseal",
        "auth",
        "hash",
        "fernet",
    }
)
_GLUED_KEYS = frozenset({"signingkey", "encryptionkey", "masterkey", "appkey"})
# What stands before "pass" where it is no password.
_PASSING = frozenset(
    {
        "by",
        "first",
        "second",
        "single",
        "one",
        "two",
        "three",
        "multi",
        "low",
        "high",
        "band",
        "all",
        "last",
        "final",
    }
)
# What a Secret of the cluster is called by, where only its name is given.
_NAMED_SECRETS = frozenset({"tls", "ca", "ssl", "cert", "certificate", "pull", "existing"})
_SWITCHES = frozenset(
    {
        "no",
        "use",
        "enable",
        "disable",
        "allow",
        "require",
        "show",
        "skip",
        "verify",
        "with",
        "without",
        "print",
    }
)
# What a name ends with that speaks about a secret and is none: where it is, how long it lives, what it is called.
_ABOUT = re.compile(
    "file|path|dir|directory|url|uri|endpoint|host|port|name|ref|id|enabled|disabled|type|method|mode|ttl|expiry"
    "|expiration|timeout|length|size|algorithm|issuer|audience|header|provider|count|limit|limits|budget|rotation"
    "|policy|class|version|max|min|arn|alias|prefix|location|namespace|from|env|hint|label|placeholder|message|stdin"
    "|description|scope|scopes|field|format|interval|lifetime|duration|required"
    "|alg|algs|encryption|encoder|hasher|iterations|strength|store|storage|manager|backend|backends|source|kind|claim"
    "|service|server|plugin|module|handler|validator|generator|factory|strategy|pattern|regex|time|role|roles|group"
)
_REFERENCE = re.compile(r"\$\([A-Za-z_][A-Za-z0-9_.-]*\)|\$\{[^}]*\}")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d)?")
# Switches, and ways and types that are written where a secret could be.
_CHOICES = frozenset(
    {"true", "false", "yes", "no", "on", "off", "none", "null", "enabled", "disabled", "required", "optional"}
    | {
        "basic",
        "digest",
        "bearer",
        "ldap",
        "oidc",
        "oauth",
        "oauth2",
        "jwt",
        "saml",
        "kerberos",
        "mtls",
        "plain",
    }
    | {"string", "str", "bytes", "object", "vault", "kubernetes", "internal", "external"}
)
# Where a tool takes the value from, or what it has encrypted.
_SOURCED = re.compile(
    r"<[^<>]{1,500}>|\{\{.{0,500}\}\}|ENC\[.{0,100000}\]|ENC\(.{0,10000}\)|ref\+[a-z0-9]+://.{1,1000}"
    r"|(?:vault|op|arn|classpath|file|env):.{1,2000}",
    re.DOTALL,
)
# What tools put in the place of a value, and people too.
_STAND_IN = re.compile(
    r"\$\{[^}]{0,500}\}|\$\([^)]{0,500}\)|\$[A-Z_][A-Z0-9_]{0,100}|%[A-Z_]{1,100}%"
    r"|x{3,100}|\*{3,100}|\.{3}|(?:change|replace|fill)[-_ ]?(?:me|this|it)?(?:[-_ ].{0,40})?"
    r"|(?:your|example|sample|dummy|placeholder|todo|tbd|fixme|redacted|masked)(?:[-_ ].{0,60})?",
    re.IGNORECASE | re.DOTALL,
)
_PARTS = re.compile(r"[-_.:/@,=\s]+")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_LONGEST_NAME = 1000
# No object of a cluster holds more.
_LONGEST = 1_500_000


@attrs.frozen
class _Shape:
    """What a text is, by how it looks."""

    what: str
    marks: tuple[str, ...]
    """One of them is in every such text, which is looked for first: that is quick. The first may be shown."""
    pattern: re.Pattern[str]
    shown: bool = True
    """Whether a hash of it gives nothing away: it is random enough."""


_SHAPES = (
    _Shape(
        "private key",
        ("-----BEGIN",),
        re.compile(r"-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"),
    ),
    _Shape("AWS access key", ("AKIA", "ASIA"), re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    _Shape(
        "GitHub token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})"),
    ),
    _Shape("Slack token", ("xox",), re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,250}")),
    _Shape(
        "Slack webhook",
        ("hooks.slack",),
        # The documentation's own, of one letter repeated, is nobody's.
        re.compile(
            r"\bhooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/T[A-Z0-9]{2,20}/[A-Z0-9]{2,20}/"
            r"(?!([A-Za-z])\1+\b)[A-Za-z0-9]{6,80}"
        ),
    ),
    _Shape("Google API key", ("AIza",), re.compile(r"\bAIza[0-9A-Za-z_-]{35}")),
    _Shape(
        "JSON web token",
        ("eyJ",),
        re.compile(
            r"(?<![A-Za-z0-9_.-])eyJ[A-Za-z0-9_-]{10,4000}\.eyJ[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{10,1000}"
        ),
    ),
    _Shape(
        "password in a URL",
        ("://",),
        re.compile(r"\b[a-z][a-z0-9+.-]{0,20}://[^\s/:@$<>{}]{0,200}:[^\s/:@$<>{}*]{1,200}@"),
        shown=False,
    ),
)
_URLS = re.compile(r"://([^\s\"'`<>]{1,4000})")
_QUERY = re.compile(r"[?&]([A-Za-z][\w.-]{0,60})=([^?&;#\s\"'`<>{}$]{4,500})(?![^?&;#\s\"'`])")
_CONNECTION = re.compile(
    r"\b(?:User ?I[dD]|U[iI][dD]|Username|AccountName|SharedAccessKeyName)=[^;\s\"']{1,200};\s?"
    r"(?:[Pp]assword|[Pp]wd|PWD|AccountKey|SharedAccessKey)=([^;\s\"'${}<>]{4,500})"
)
_HEADER = re.compile(
    r"[Aa]uthorization[\"']?[\s:=]{1,5}[\"']?(?:[Bb]earer|[Bb]asic|[Tt]oken)\s{1,5}([A-Za-z0-9+/=._~-]{8,4000})"
)
_DENSE = re.compile(r"[A-Za-z0-9+/_-]{40,200}={0,2}")
_DENSE_ENTROPY = 4.6


class _Name(enum.Enum):
    """What a name says of its value."""

    NOTHING = 0
    KEY = 1
    SECRET = 2


def is_secret_name(name: str) -> bool:
    """Whether a variable of this name may hold a secret: by whole words, so that AUTHOR and TOKENIZER are none."""
    return _named(name[:_LONGEST_NAME]) is not _Name.NOTHING


def is_secret(name: str, value: str) -> bool:
    """Whether this value under this name is a secret."""
    named = _named(name[:_LONGEST_NAME])
    if named is _Name.NOTHING or not may_be_secret(value):
        return False
    return named is _Name.SECRET or is_made(value)


def is_about(name: str) -> bool:
    """Whether the value of this name is known to be none: an address, an identifier, a switch."""
    words = _words(name)
    return bool(words) and _ABOUT.fullmatch(words[-1]) is not None


def is_switch(name: str) -> bool:
    """Whether an option of this name takes no value, such as `--use-token`."""
    words = _words(name)
    return bool(words) and words[0] in _SWITCHES


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name[:_LONGEST_NAME])]


@functools.lru_cache(maxsize=4096)
def _named(name: str) -> _Name:
    words = _words(name)
    while len(words) > 1 and words[-1].isdigit():
        words.pop()
    if not words or _ABOUT.fullmatch(words[-1]):
        return _Name.NOTHING
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in ("secret", "secrets") and before in _NAMED_SECRETS:
        return _Name.NOTHING
    pairs = set(itertools.pairwise(words))
    if pairs & _SECRET_PAIRS or last in ("auth", "pw") or (last == "pass" and before not in _PASSING):
        return _Name.SECRET
    if any(word in _SECRET_WORDS or word.endswith(_SECRET_ENDS) for word in words):
        # PASSWORD_KEY is what a password is called at another place as often as it is one.
        return _Name.KEY if last == "key" else _Name.SECRET
    if any(second == "key" and first in _KEYS for first, second in pairs) or last in _GLUED_KEYS:
        return _Name.KEY
    return _Name.NOTHING


def may_be_secret(value: str) -> bool:
    """Whether a value could be a secret at all: not a switch, a number, a path, an address or a reference."""
    text = value.strip()
    if not text or text.lower() in _CHOICES or _NUMBER.fullmatch(text):
        return False
    return not (
        _REFERENCE.fullmatch(text)
        or text.startswith(("/", "./"))
        or _URL.match(text)
        or _SOURCED.fullmatch(text)
    )


def is_stand_in(value: str) -> bool:
    """Whether a value is to be replaced, or was encrypted."""
    return _STAND_IN.fullmatch(value) is not None or _SOURCED.fullmatch(value) is not None


def is_made(value: str) -> bool:
    """Whether a value looks like a password or a key that somebody made, and not like a word, a name or a version."""
    text = value.strip()[:5000]
    if " " in text or "\n" in text:
        return False
    return any(_is_made_part(part) for part in _PARTS.split(text)) or is_dense(text)


def _is_made_part(part: str) -> bool:
    if len(part) < 8:
        return False
    letters = re.search("[A-Za-z]", part) is not None
    if letters and ("secret" in part.lower() or "passw" in part.lower() or re.search("[!#^&~]", part)):
        return True
    mixed = re.search("[a-z]", part) and re.search("[A-Z]", part) and re.search("[0-9]", part)
    # A number at the end of a word counts things: postgres15.
    return bool(mixed) or re.search("[0-9][A-Za-z]", part) is not None


def recognised(value: str) -> tuple[str, str] | None:
    """Return what secret a text holds, and evidence of it that gives nothing away."""
    text = value[:_LONGEST]
    for shape in _SHAPES:
        found = shape.pattern.search(text) if any(mark in text for mark in shape.marks) else None
        if found is not None:
            told = (
                f"{shape.what} ({shape.marks[0]}…, {_fingerprint(found[0])})" if shape.shown else shape.what
            )
            return shape.what, told
    if "://" in text and any(
        is_secret(name, secret) and not is_stand_in(secret)
        for url in _URLS.findall(text)
        if "=" in url
        for name, secret in _QUERY.findall(url)
    ):
        return "password in a URL", "password in a URL"
    if ";" in text and not all(is_stand_in(secret) for secret in _CONNECTION.findall(text)):
        return "password in a connection string", "password in a connection string"
    if "uthorization" in text and any(
        not is_stand_in(secret) and not is_secret_name(secret) for secret in _HEADER.findall(text)
    ):
        return "Authorization header", "Authorization header"
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

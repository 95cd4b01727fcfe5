r"""What looks like a secret, whoever's it is.

Each rule is an expression of RE2 over bytes. What its first group matches is kept in front of the mask, such as
a key's name, and what its last one matches behind it; `_value` decides about values that are no secrets after
all, such as `password: ${DB_PASSWORD}`. Masking a masked text changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from akmatori_server.redaction.expressions import Expression, ExpressionSet, Found, compiled
from akmatori_server.secrets.masking import MASK

MASKED = MASK.encode()

# What may stand around the name of a member: quotes, also those of JSON within JSON.
_QUOTE = r"""(?:\\*["'`])"""
# A value: between quotes that are escaped, between quotes, or up to where a word ends.
_VALUE = (
    r"""(?:\\+["'][^"'\\\n]*(?:\\\\+[^"'\\\n]+)*|"(?:[^"\\\n]|\\[^\n])*|'(?:[^'\\\n]|\\[^\n])*"""
    r"""|[^\s"'`,;&<>\\][^\s"'`,;&<>]*)"""
)
_NAME = (
    "password|passwd|passphrase|passcode|secret|api[_.-]?key|access[_.-]?key|secret[_.-]?key|private[_.-]?key"
    "|signing[_.-]?key|encryption[_.-]?key|account[_.-]?key|shared[_.-]?key|master[_.-]?key|auth[_.-]?key"
    "|license[_.-]?key|access[_.-]?key[_.-]?id|credentials?|token|client-key-data|connection[_.-]?string|sessionid"
    "|webhook[_.-]?url|[_-]pass|[_-]pwd|[;?&][ \t]*pwd|x-amz-signature"
)
# A second look nearly always finds nothing more.
MOST_ROUNDS = 6
_CREDENTIAL = r"[A-Za-z0-9._~+/=-]"


@attrs.frozen
class Rule:
    """An expression, and what is put in place of what it matches."""

    pattern: str
    replaced: Callable[[Found], bytes]
    expression: Expression = attrs.field(
        init=False, repr=False, default=attrs.Factory(lambda rule: compiled(rule.pattern), takes_self=True)
    )

    def apply(self, text: bytes) -> bytes:
        """Mask what the expression matches."""
        return self.expression.sub(self.replaced, text)


def _group(found: Found, group: int) -> bytes:
    return found.group(group) or b""


def _after(found: Found) -> bytes:
    return _group(found, 1) + MASKED


def _between(found: Found) -> bytes:
    return _group(found, 1) + MASKED + _group(found, 2)


def _pair(found: Found) -> bytes:
    return _group(found, 1) + MASKED + _group(found, 2) + MASKED


# Words that stand where a value would, and a value that names where the secret is kept.
_NO_SECRET = compiled(
    r"(?i)(?:true|false|null|none|nil|undefined|required|optional|missing|invalid|expired|expiring|incorrect|wrong"
    r"|changed|unset|empty|n/a|yes|no|string|text|bearer|basic|is|was|not|must|for|and|or|the|of|to|in|cannot"
    r"|\$\{[A-Za-z_][A-Za-z0-9_.:-]*\}?|\$\([^)]*\)?|\$[A-Z_][A-Z0-9_]*|%[A-Za-z_]+%?|\{\{[^}]*\}*|<[^>]*>?|\(.*"
    r"|\.{2,}|-+|=.*|\*+|file:.*|vault:.*|env:.*|/(?:run|etc|var|opt|home|mnt|tmp)/.*)"
)


def _named(found: Found) -> bytes:
    """Mask the value of a name, with its quotes left where they are."""
    kept, value = _group(found, 1), _group(found, 2)
    bare = value.lstrip(b"\\\"'")
    if len(bare) < (2 if len(bare) != len(value) else 3) or _NO_SECRET.fullmatch(bare) is not None:
        return kept + value
    return kept + value[: len(value) - len(bare)] + MASKED


def _prefixed(prefix: str, rest: str) -> Rule:
    """A token that is known by how it begins; its kind is kept."""
    return Rule(rf"\b({prefix}){rest}", _after)


RULES: tuple[Rule, ...] = (
    Rule(
        r"(-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----)"
        # Masked already, or whatever there is of it: logs are cut off.
        r"(?:\*{4}|(?:(?:\s|\\[nr])*(?:Proc-Type|DEK-Info|Version|Comment):[^\n\r\\]*){0,6}"
        r"(?:[A-Za-z0-9+/=\s]|\\[nrt])*"
        r"(?:-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----)?)",
        _after,
    ),
    Rule(r"(Private-Lines: [0-9]+\s+)[A-Za-z0-9+/=\s]+", _after),
    _prefixed("AGE-SECRET-KEY-1", "[0-9A-Z]{20,}"),
    # Amazon's secret keys look like nothing of their own; beside an identifier they are known.
    Rule(
        r"""\b((?:AKIA|ASIA))[A-Z0-9]{16}(["']?[\s:,;|/="']{1,8}(?:[A-Za-z_]{1,40}["']?[\s:="']{1,8})?)"""
        r"[A-Za-z0-9/+]{40}\b",
        _pair,
    ),
    _prefixed("AKIA|ASIA|ABIA|ACCA", r"[A-Z0-9]{16}\b"),
    _prefixed("gh[pousr]_", "[A-Za-z0-9]{20,}"),
    _prefixed("github_pat_", "[A-Za-z0-9_]{20,}"),
    _prefixed("gl(?:pat|dt|ptt|rt|cbt|soat|agent|ft|imt|oas)-", r"[A-Za-z0-9_.=-]{16,}"),
    _prefixed("xox[abeoprs]-|xapp-", r"[A-Za-z0-9.-]{10,}"),
    Rule(r"(hooks\.slack\.com/(?:services|workflows|triggers)/)[A-Za-z0-9/_-]+", _after),
    Rule(r"(discord(?:app)?\.com/api/webhooks/[0-9]+/)[A-Za-z0-9_-]+", _after),
    _prefixed("[rs]k_(?:live|test)_|whsec_", "[A-Za-z0-9+/=]{10,}"),
    _prefixed("sk-(?:proj|svcacct|admin|ant|or-v1|None)-", "[A-Za-z0-9_-]{16,}"),
    _prefixed("sk-", r"[A-Za-z0-9]{32,}"),
    _prefixed("npm_", r"[A-Za-z0-9]{30,}"),
    _prefixed("pypi-", "[A-Za-z0-9_-]{40,}"),
    _prefixed("AIza", "[0-9A-Za-z_-]{30,}"),
    _prefixed(r"ya29\.|GOCSPX-|1//0", "[0-9A-Za-z_.-]{20,}"),
    Rule(r"()\b[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}", _after),
    Rule(r"(?i)([?&]sig=)[A-Za-z0-9%+/=_-]{16,}", _after),
    _prefixed(r"hv[sbr]\.", "[A-Za-z0-9_-]{20,}"),
    _prefixed(
        "hf_|dapi|NRAK-|NRII-|glsa_|glc_|dop_v1_|doo_v1_|dckr_pat_|shp(?:at|ca|pa|ss)_|lin_api_|ATATT3|rubygems_",
        "[A-Za-z0-9_=+/-]{24,}",
    ),
    _prefixed(r"SG\.", r"[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    Rule(r"(\b[0-9]{8,10}:AA)[A-Za-z0-9_-]{32,}", _after),
    Rule(r"(\beyJ)[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){0,3}", _after),
    # Hashes of passwords can be guessed at.
    Rule(
        r"(\$(?:1|2[abxy]|5|6|7|y|gy|apr1|argon2(?:id?|d)|pbkdf2-sha(?:256|512)|scrypt)\$)[A-Za-z0-9./$,=+-]{20,}",
        _after,
    ),
    Rule(r"(SCRAM-SHA-(?:1|256)\$)[A-Za-z0-9:$+/=]{20,}", _after),
    Rule(
        rf"(?i)(\b(?:proxy-)?authorization{_QUOTE}?[ \t]*[:=]>?[ \t]*\[?{_QUOTE}?"
        r"(?:(?:bearer|basic|token|digest|negotiate|apikey|splunk|aws4-hmac-sha256)[ \t]+)?)"
        r"""[^\s"'`,;\\][^"'`\n\r\\]*""",
        _after,
    ),
    Rule(
        rf"(?i)(\b(?:bearer|basic)[ \t]+)"
        rf"(?:[A-Za-z._~+/-]*[0-9]{_CREDENTIAL}{{7,}}|{_CREDENTIAL}{{24,}}|[A-Za-z0-9+/]{{7,}}=+)",
        _after,
    ),
    Rule(rf"(?i)(\b(?:set-)?cookie{_QUOTE}?[ \t]*[:=][ \t]*{_QUOTE}?)[^\s\"'\\][^\"'\n\r\\]*", _after),
    Rule(r"(?i)(\b(?:curl|wget|http)\b[^\n|;]*?[ \t](?:-u|--user)[ =]?[\"']?[^\s:\"']+:)[^\s\"']+", _after),
    Rule(r"(?i)(\bsshpass[ \t]+-p[ \t]*[\"']?)[^\s\"']+", _after),
    # mysql takes its password without a blank.
    Rule(r"(\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n|;]*?[ \t]-p[\"']?)[^\s\"']+", _after),
    Rule(r"(?i)(\blogin[ \t]+\S+[ \t]+password[ \t]+)\S+", _after),
    Rule(
        r"(?i)(\b(?:identified[ \t]+by|password)[ \t]+(?:password[ \t]+)?')(?:[^'\\\n]|''|\\[^\n])+", _after
    ),
    Rule(r"(\b[A-Za-z][A-Za-z0-9+.-]{1,30}://[^\s:/@\"'<>`]*:)[^\s/\"'<>`]+(@)", _between),
    # A token in place of the user.
    Rule(r"(\b[A-Za-z][A-Za-z0-9+.-]{1,30}://)[^\s:/@\"'<>`]{20,}(@)", _between),
    Rule(r"(?i)(\bjdbc:oracle:[a-z]+:[^\s/@]+/)[^\s@]+(@)", _between),
    Rule(r"(\"auth\"[ \t]*:[ \t]*\")[A-Za-z0-9+/=]{8,}", _after),
    Rule(rf"(?i)(\x2d\x2d[a-z0-9-]*(?:{_NAME})[ \t]+)({_VALUE})", _named),
    # A variable of a container: its name on one line, its value on the next.
    Rule(
        rf"(?i)(\bname{_QUOTE}?[ \t]*:[ \t]*{_QUOTE}?[a-z0-9_.-]*(?:{_NAME}){_QUOTE}?[ \t]*,?\s*"
        rf"{_QUOTE}?value{_QUOTE}?[ \t]*:[ \t]*)({_VALUE})",
        _named,
    ),
    Rule(r"(?i)(\b(?:requirepass|masterauth)[ \t]+)[^\s\"']+", _after),
    Rule(rf"(?i)(<(?:[a-z0-9_.-]+:)?[a-z0-9_.-]*(?:{_NAME})>[ \t]*)[^<\s][^<]*", _after),
    Rule(rf"(?i)((?:{_NAME}){_QUOTE}?[ \t]*(?:[:=]|:=|=>|\bis\b)[ \t]*\[?)({_VALUE})", _named),
)

_SET = ExpressionSet([rule.pattern for rule in RULES])


def without_lookalikes(text: bytes) -> bytes:
    """Mask what looks like a secret."""
    for _ in range(MOST_ROUNDS):
        masked = text
        for number in _SET.found_in(text):
            masked = RULES[number].apply(masked)
        if masked == text:
            break
        # A mask may bring together what stood apart, so that another rule takes it for more of the same.
        text = masked
    return text

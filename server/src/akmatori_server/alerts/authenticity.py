"""Whether a delivery comes from its source: a shared secret or a signature, as the source's vendor has it.

Secrets and signatures are compared in the same time whatever they are. A source without a secret is open; a
type without a form of its own proves nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import attrs

from akmatori_server.alert_sources.mappings import GENERIC
from akmatori_server.alert_sources.models import AlertSource
from akmatori_server.alert_sources.options import SIGNED_TYPES, SourceOptions
from akmatori_server.errors import Unauthorized

BEARER = "bearer "
AUTHORIZATION = "authorization"
# How far a signed moment may be from ours, before or after.
WINDOW = timedelta(minutes=5)
MOST_REMEMBERED = 100_000

# Headers that may carry the secret, by the source's type; the first one that is there decides.
_SECRET_HEADERS: Mapping[str, tuple[str, ...]] = {
    "alertmanager": ("x-alertmanager-secret", AUTHORIZATION),
    "grafana": ("x-grafana-secret", AUTHORIZATION),
    "datadog": ("x-datadog-signature", "dd-api-key", AUTHORIZATION),
    "zabbix": ("x-zabbix-secret",),
    "pagerduty": (AUTHORIZATION,),
    GENERIC: ("x-webhook-secret", AUTHORIZATION),
}
# Headers of signatures that need no setting: where one is sent, it decides.
_SIGNATURE_HEADERS: Mapping[str, str] = {
    "pagerduty": "x-pagerduty-signature",
    "grafana": "x-grafana-alerting-signature",
}
_TIMESTAMP_HEADERS: Mapping[str, str] = {"grafana": "x-grafana-alerting-timestamp"}
_VERSION_1 = "v1="
# Forms in which systems write an HMAC-SHA256 in hexadecimal.
_PREFIXES = (_VERSION_1, "sha256=")
_HEXADECIMAL = re.compile(r"[0-9A-Fa-f]{64}")
_SECONDS = re.compile(r"[0-9]{1,12}")


class Replays:
    """Signed deliveries that were taken lately, so that nobody sends one again. Safe for threads.

    Only what was proven is remembered: a stranger cannot push anything out.
    """

    def __init__(self, *, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._until: OrderedDict[str, datetime] = OrderedDict()

    def remember(self, key: str, *, until: datetime, now: datetime) -> bool:
        """Note a delivery; return whether it is new."""
        with self._lock:
            known = self._until.get(key)
            if known is not None and known >= now:
                return False
            self._until[key] = until
            self._until.move_to_end(key)
            self._forget_old(now)
            return True

    def forget(self, key: str) -> None:
        """Take a delivery back that could not be stored: its sender will send it again."""
        with self._lock:
            self._until.pop(key, None)

    def _forget_old(self, now: datetime) -> None:
        while self._until:
            key, until = next(iter(self._until.items()))
            if until >= now and len(self._until) <= self._most:
                return
            del self._until[key]


def check_origin(
    source: AlertSource,
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: datetime,
    replays: Replays,
) -> str:
    """Check that the sender knows the source's secret.

    Args:
        source: the source the delivery is addressed to.
        secret: its secret, "" when it is open.
        headers: those of the request, in lower case.
        body: as it arrived.
        now: the present moment.
        replays: what was taken lately.

    Returns:
        The key under which the delivery is remembered, for `Replays.forget`; "" when it is not.

    Raises:
        Unauthorized: it does not; the code says why: secret_missing, secret_wrong, signature_missing,
            signature_wrong, signature_stale or signature_replayed.
    """
    if not secret:
        return ""
    rule = _rule(source.type.name, source.options)
    if rule.signature_header and (rule.signature_required or headers.get(rule.signature_header)):
        return _check_signature(source.uuid, rule, secret, headers, body, now=now, replays=replays)
    _check_secret(rule, secret, headers)
    return ""


@attrs.frozen(kw_only=True)
class _Rule:
    secret_headers: tuple[str, ...]
    signature_header: str
    signature_required: bool
    # Whether it is what the vendor proves itself by, so that its absence is what to tell of.
    signature_usual: bool
    timestamp_header: str
    timestamp_required: bool


def _rule(type_name: str, options: SourceOptions) -> _Rule:
    configurable = type_name in SIGNED_TYPES
    own_signature = options.signature_header if configurable else ""
    own_timestamp = options.timestamp_header if configurable else ""
    return _Rule(
        secret_headers=_SECRET_HEADERS.get(type_name, ()),
        signature_header=own_signature or _SIGNATURE_HEADERS.get(type_name, ""),
        signature_required=bool(own_signature),
        signature_usual=type_name == "pagerduty",
        timestamp_header=own_timestamp or _TIMESTAMP_HEADERS.get(type_name, ""),
        timestamp_required=bool(own_timestamp),
    )


def _check_secret(rule: _Rule, secret: str, headers: Mapping[str, str]) -> None:
    carried = next((text for header in rule.secret_headers if (text := headers.get(header))), "")
    if carried:
        if not _is_secret(carried, secret):
            raise Unauthorized("The secret of this alert source is wrong.", code="secret_wrong")
        return
    if rule.signature_usual:
        raise Unauthorized(
            "The signature of this alert source was not sent, nor its secret.", code="signature_missing"
        )
    raise Unauthorized("The secret of this alert source was not sent.", code="secret_missing")


def _is_secret(carried: str, secret: str) -> bool:
    expected = secret.encode()
    bare = carried[len(BEARER) :] if carried[: len(BEARER)].lower() == BEARER else carried
    # Both forms are compared, whatever the first one gave: a secret may itself begin with "Bearer ".
    as_sent = hmac.compare_digest(_bytes(carried), expected)
    as_bearer = hmac.compare_digest(_bytes(bare.strip()), expected)
    return as_sent or as_bearer


def _check_signature(
    source_uuid: str,
    rule: _Rule,
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: datetime,
    replays: Replays,
) -> str:
    carried = headers.get(rule.signature_header, "")
    signed_at = headers.get(rule.timestamp_header, "").strip() if rule.timestamp_header else ""
    if not carried.strip():
        raise Unauthorized("The signature of this alert source was not sent.", code="signature_missing")
    if rule.timestamp_required and not signed_at:
        raise Unauthorized("The time that is signed with the body was not sent.", code="signature_missing")
    signed = _bytes(signed_at) + b":" + body if signed_at else body
    expected = hmac.digest(secret.encode(), signed, hashlib.sha256)
    if not _is_among(expected, carried):
        raise Unauthorized("The signature of this alert source is wrong.", code="signature_wrong")
    return _check_time(source_uuid, expected, signed_at, now=now, replays=replays) if signed_at else ""


def _is_among(expected: bytes, carried: str) -> bool:
    """Whether one of the comma separated signatures fits; all are compared, whichever does."""
    fits = False
    for part in carried.split(","):
        text = part.strip()
        prefix = next((prefix for prefix in _PREFIXES if text.startswith(prefix)), "")
        written = text.removeprefix(prefix)
        # One that is cut off, or holds anything but digits, is no signature.
        sent = bytes.fromhex(written) if _HEXADECIMAL.fullmatch(written) else b""
        fits |= hmac.compare_digest(sent, expected)
    return fits


def _check_time(source_uuid: str, digest: bytes, signed_at: str, *, now: datetime, replays: Replays) -> str:
    moment = _moment(signed_at)
    if moment is None or abs(now - moment) > WINDOW:
        raise Unauthorized(
            f"The request was signed more than {WINDOW.seconds // 60} minutes from now by this server's clock.",
            code="signature_stale",
        )
    key = f"{source_uuid}:{digest.hex()}"
    if not replays.remember(key, until=moment + WINDOW, now=now):
        raise Unauthorized("This signed request was taken before.", code="signature_replayed")
    return key


def _moment(signed_at: str) -> datetime | None:
    # Twelve digits reach beyond the year 9999, which has no moment.
    if not _SECONDS.fullmatch(signed_at):
        return None
    seconds = int(signed_at)
    return datetime.fromtimestamp(seconds, tz=UTC) if seconds < _END_OF_TIME else None


_END_OF_TIME = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())


def _bytes(header: str) -> bytes:
    # Header bytes arrive decoded as Latin-1; encoding them back gives what was sent.
    try:
        return header.encode("latin-1")
    except UnicodeEncodeError:
        return header.encode("utf-8", "replace")

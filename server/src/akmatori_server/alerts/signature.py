"""Whether a delivery proves to know its source's secret. Comparisons take the same time for every value."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

BEARER = "bearer "

# Headers that may carry the secret, by the source's type; the first one that is there decides.
_HEADERS: Mapping[str, tuple[str, ...]] = {
    "alertmanager": ("x-alertmanager-secret", "authorization"),
    "grafana": ("x-grafana-secret", "authorization"),
    "datadog": ("x-datadog-signature", "dd-api-key", "authorization"),
    "zabbix": ("x-zabbix-secret",),
}


def proves_secret(source_type: str, secret: str, headers: Mapping[str, str]) -> bool:
    """Whether `headers` (lower-case names) carry the secret in a form this type of source uses.

    A source without a secret is open. A type without a form of its own proves nothing.
    """
    if not secret:
        return True
    for header in _HEADERS.get(source_type, ()):
        carried = headers.get(header, "")
        if carried:
            return _is_secret(carried, secret)
    return False


def _is_secret(carried: str, secret: str) -> bool:
    expected = secret.encode()
    bare = carried[len(BEARER) :] if carried[: len(BEARER)].lower() == BEARER else carried
    # Both forms are compared, whatever the first one gave: a secret may itself begin with "Bearer ".
    as_sent = hmac.compare_digest(_bytes(carried), expected)
    as_bearer = hmac.compare_digest(_bytes(bare.strip()), expected)
    return as_sent or as_bearer


def _bytes(header: str) -> bytes:
    # Header bytes arrive decoded as Latin-1; encoding them back gives what was sent.
    try:
        return header.encode("latin-1")
    except UnicodeEncodeError:
        return header.encode("utf-8", "replace")

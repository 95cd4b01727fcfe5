"""Which headers of a delivery are kept, and how."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from akmatori_server.secrets.masking import MASK

LONGEST_VALUE = 256
MOST = 40

# Kept as they are. A list of what may be shown: of a header nobody thought of, nothing is known.
_SHOWN = frozenset({
    "content-encoding", "content-length", "content-type", "user-agent", "x-request-id", "traceparent",
    # Ids and times of the vendors' deliveries; none of them proves anything by itself.
    "x-webhook-id", "x-webhook-subscription", "x-pagerduty-event-id", "x-grafana-alerting-timestamp",
    "x-datadog-event-id",
})  # fmt: skip
# Kept by name, so that an operator sees which proof was sent; the value could be the secret.
_PROOF = re.compile(r"[a-z0-9-]{0,64}(?:authorization|secret|signature|token|api-?key)[a-z0-9-]{0,64}")


def shown_headers(
    headers: Mapping[str, str], *, proofs: Collection[str] = (), timestamp: str = ""
) -> dict[str, str]:
    """Return what may be kept of a delivery's headers; all names are in lower case.

    Args:
        headers: as they came.
        proofs: the headers in which this source's senders send their secret or signature.
        timestamp: the header in which they send the moment they signed.
    """
    kept: dict[str, str] = {}
    for name, value in headers.items():
        if len(kept) == MOST:
            break
        if name in _SHOWN or (timestamp and name == timestamp):
            kept[name] = value[:LONGEST_VALUE]
        elif name in proofs or _PROOF.fullmatch(name):
            kept[name] = MASK
    return kept


def sent_headers(kept: Mapping[str, str]) -> dict[str, str]:
    """Return the headers a kept delivery is read with again: without those of which only the name is left."""
    return {name: value for name, value in kept.items() if value != MASK}

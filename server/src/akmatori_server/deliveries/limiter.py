"""The rate limit of a source: how many deliveries a minute it may send."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

import attrs

from akmatori_server.alert_sources.models import AlertSource
from akmatori_server.errors import ApiError, TooManyRequests, Unavailable
from akmatori_server.token_bucket import TokenBucket

RATE_LIMITED = "rate_limited"
SMALLEST_BURST = 10
# Senders that take a 4xx for a refusal for good. Alertmanager's webhook notifier tries again after a 5xx only: its
# `notify.Retrier` treats every other status as final, and the webhook names no further codes (notify/webhook/
# webhook.go and notify/util.go of prometheus/alertmanager). Grafana's Alertmanager is built on the same notifiers;
# its own webhook contact point waits for the next round of the group whatever the status is, so 503 costs nothing.
_RETRY_5XX_ONLY = frozenset({"alertmanager", "grafana"})


@attrs.frozen
class _Limited:
    per_minute: int
    bucket: TokenBucket


class RateLimiter:
    """Counts the deliveries of each source, in the memory of this process.

    Several server processes behind one address take as many times the limit altogether. A restart forgets what
    was counted. There are as many buckets as sources with a limit.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._limited: dict[str, _Limited] = {}

    def take(self, source: AlertSource) -> None:
        """Count a delivery of the source.

        Raises:
            Unavailable: it is above the limit, and the source's senders only try again after a 5xx.
            TooManyRequests: it is above the limit.
        """
        per_minute = source.options.rate_limit_per_minute
        if per_minute is None:
            return
        with self._lock:
            now = self._clock()
            limited = self._limited.get(source.uuid)
            if limited is None or limited.per_minute != per_minute:
                burst = max(SMALLEST_BURST, per_minute / 6)
                limited = _Limited(per_minute, TokenBucket(per_minute=per_minute, burst=burst, now=now))
                self._limited[source.uuid] = limited
            wait = limited.bucket.take(now)
        if wait > 0:
            raise _above_limit(source.type.name, per_minute, max(1, math.ceil(wait)))


def _above_limit(type_name: str, per_minute: int, wait: int) -> ApiError:
    kind = Unavailable if type_name in _RETRY_5XX_ONLY else TooManyRequests
    deliveries = "delivery" if per_minute == 1 else "deliveries"
    seconds = "second" if wait == 1 else "seconds"
    return kind(
        f"This alert source takes {per_minute} {deliveries} a minute; send this one again in {wait} {seconds}.",
        code=RATE_LIMITED,
        retry_after=wait,
    )

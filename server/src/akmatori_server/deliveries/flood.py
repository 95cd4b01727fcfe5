"""How many refused deliveries a minute are written down, so that a flood of them is no flood of writes."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable

import structlog

from akmatori_server.deliveries.room import SHARES, Kind
from akmatori_server.token_bucket import TokenBucket

_log = structlog.stdlib.get_logger("akmatori_server.deliveries")

# A flood is told about once in so long.
TOLD_EVERY_SECONDS = 60.0
# After a failed write none is tried for so long: the database is away, and senders wait for our answer.
PAUSE_SECONDS = 5.0


class FloodGate:
    """Says which deliveries may be written down, and counts the others. In the memory of this process.

    There are as many buckets as sources that ever had something refused.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, Kind], TokenBucket] = {}
        self._dropped: Counter[str] = Counter()
        self._told_at: dict[str, float] = {}
        self._paused_until = clock()

    def may_keep(self, source: str, kind: Kind) -> bool:
        """Whether another delivery of this kind may be written down for the source."""
        with self._lock:
            now = self._clock()
            bucket = self._buckets.get((source, kind))
            if bucket is None:
                most = SHARES[kind].per_minute
                bucket = self._buckets[source, kind] = TokenBucket(per_minute=most, burst=most, now=now)
            is_kept = now >= self._paused_until and bucket.take(now) == 0
            if not is_kept:
                self._dropped[source] += 1
            dropped = self._to_tell(source, now)
        if dropped:
            _log.warning("deliveries_not_kept", source=source, dropped=dropped)
        return is_kept

    def pause(self) -> None:
        """Write nothing down for a moment: it has just failed."""
        with self._lock:
            self._paused_until = self._clock() + PAUSE_SECONDS

    def _to_tell(self, source: str, now: float) -> int:
        told_at = self._told_at.get(source)
        if not self._dropped[source] or (told_at is not None and now - told_at < TOLD_EVERY_SECONDS):
            return 0
        self._told_at[source] = now
        return self._dropped.pop(source)

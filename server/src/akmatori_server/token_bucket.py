"""A token bucket: so many in a row, and then so many in a minute."""

from __future__ import annotations


class TokenBucket:
    """Full at first. The caller gives the time and keeps other threads away."""

    def __init__(self, *, per_minute: float, burst: float, now: float) -> None:
        self._rate = per_minute / 60
        self._burst = burst
        self._tokens = burst
        self._filled_at = now

    def take(self, now: float) -> float:
        """Take a token and return 0, or return the seconds until there is one."""
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self._rate

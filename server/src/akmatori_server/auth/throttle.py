"""Slowing down password guessing: so many failures a minute for one address, and for all of them together."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable

from akmatori_server.errors import TooManyRequests

WINDOW_SECONDS = 60.0
PER_REMOTE = 5
# Together. High enough that a guesser with one address cannot lock out everybody else.
ALTOGETHER = 60


class LoginThrottle:
    """Counts failed logins. An attempt counts as failed until it is known to be right."""

    def __init__(self, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._all: deque[float] = deque()
        self._remotes: dict[str, deque[float]] = {}

    def begin(self, remote: str) -> None:
        """Note an attempt.

        Raises:
            TooManyRequests: there were too many failures; the attempt must not be looked at.
        """
        now = self._clock()
        with self._lock:
            self._forget(now)
            tries = self._remotes.get(remote, deque())
            for past, most in ((tries, PER_REMOTE), (self._all, ALTOGETHER)):
                if len(past) >= most:
                    wait = max(1, math.ceil(past[0] + WINDOW_SECONDS - now))
                    raise TooManyRequests(f"Too many failed logins; wait {wait} seconds.", retry_after=wait)
            tries.append(now)
            self._all.append(now)
            self._remotes[remote] = tries

    def succeed(self, remote: str) -> None:
        """Take back what the address did: its user knows the password."""
        with self._lock:
            for moment in self._remotes.pop(remote, deque()):
                if moment in self._all:
                    self._all.remove(moment)

    def _forget(self, now: float) -> None:
        horizon = now - WINDOW_SECONDS
        for tries in (self._all, *self._remotes.values()):
            while tries and tries[0] <= horizon:
                tries.popleft()
        # No more addresses are left than failures are allowed altogether.
        self._remotes = {remote: tries for remote, tries in self._remotes.items() if tries}

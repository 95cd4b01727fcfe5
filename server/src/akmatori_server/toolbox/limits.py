"""How often and how often at once a tool is used, whoever uses it in this process."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import attrs

from akmatori_server.token_bucket import TokenBucket

CALLS_PER_SECOND = 10
BURST = 20
AT_ONCE = 4
# Investigations have event loops of their own, so one that waits for another looks again instead of being told.
LOOK_SECONDS = 0.05


@attrs.define
class _Use:
    bucket: TokenBucket
    running: int = 0


class CallLimits:
    """Lets calls of a tool begin no faster than its limits. There is one entry per tool ever used."""

    def __init__(
        self,
        *,
        per_second: float = CALLS_PER_SECOND,
        burst: float = BURST,
        at_once: int = AT_ONCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._per_second = per_second
        self._burst = burst
        self._at_once = at_once
        self._clock = clock
        self._lock = threading.Lock()
        self._used: dict[int, _Use] = {}

    @asynccontextmanager
    async def slot(self, tool_id: int) -> AsyncGenerator[None]:
        """Wait for a place among the calls of a tool, and hold it."""
        # An asyncio.Event would wake only those of its own loop.
        while (wait := self._take(tool_id)) > 0:  # noqa: ASYNC110
            await asyncio.sleep(wait)
        try:
            yield
        finally:
            with self._lock:
                self._used[tool_id].running -= 1

    def _take(self, tool_id: int) -> float:
        """Take a place and return 0, or return after how many seconds to ask again."""
        with self._lock:
            now = self._clock()
            use = self._used.get(tool_id)
            if use is None:
                bucket = TokenBucket(per_minute=60 * self._per_second, burst=self._burst, now=now)
                use = self._used[tool_id] = _Use(bucket)
            if use.running >= self._at_once:
                return LOOK_SECONDS
            wait = use.bucket.take(now)
            if wait <= 0:
                use.running += 1
            return wait

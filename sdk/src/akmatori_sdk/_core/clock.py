"""Time and chance, in one place, so that tests can replace them."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable

import attrs


async def _asleep(seconds: float) -> None:
    import asyncio

    await asyncio.sleep(seconds)


@attrs.frozen(kw_only=True)
class Clock:
    """What the clients know of time: one clock for durations, one for HTTP dates, two sleeps and a die."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    asleep: Callable[[float], Awaitable[None]] = _asleep
    random: Callable[[], float] = random.random

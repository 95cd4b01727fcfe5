"""Working on one investigation with coroutines, in the thread that the runner gave it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from akmatori_server.investigation.journal import Journal, Stopped

T = TypeVar("T")

# How long a cancelled investigation may go on at most, before what it waits for is cancelled.
LOOK_SECONDS = 0.1


def work(journal: Journal, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `main` in an event loop of its own, and cancel it when the journal's work is stopped.

    Everything the investigation opens lives in this loop and ends with it: one that hangs holds up no other.

    Raises:
        Stopped: the work was cancelled.
        Fenced: the incident is not ours any more.
    """
    return asyncio.run(_watched(journal, main))


async def _watched(journal: Journal, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    working = asyncio.ensure_future(main())
    while True:
        await asyncio.wait({working}, timeout=LOOK_SECONDS)
        if working.done():
            return working.result()
        if journal.is_stopped:
            working.cancel()
            # What it has open is closed before anybody else begins.
            await asyncio.wait({working})
            raise Stopped

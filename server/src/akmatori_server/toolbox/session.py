"""What one investigation has open: connections and programs, shared by its calls, and closed with it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import attrs

T = TypeVar("T")


@attrs.define
class _Open:
    """A resource, and the task that opened it: some may only be closed where they were opened."""

    ready: asyncio.Future[Any]
    over: asyncio.Event
    owner: asyncio.Task[None]


class Session:
    """Opens what calls need when the first of them needs it. Use it as an async context manager."""

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}

    async def shared(self, key: str, opening: Callable[[], AbstractAsyncContextManager[T]]) -> T:
        """Return what `opening` opens; the next call with the same key gets the same.

        One that could not be opened, or was dropped, is tried anew by the next call.
        """
        entry = self._open.get(key)
        if entry is None or entry.owner.done():
            ready: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            over = asyncio.Event()
            entry = _Open(ready, over, asyncio.create_task(_own(opening, ready, over)))
            self._open[key] = entry
        # A call that is cancelled leaves the opening to the others that wait for it.
        return cast("T", await asyncio.shield(entry.ready))

    async def drop(self, key: str) -> None:
        """Close a resource that turned out to be broken, so that the next call opens it anew."""
        entry = self._open.pop(key, None)
        if entry is not None:
            await _close(entry)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        entries = list(self._open.values())
        self._open.clear()
        await asyncio.gather(*(_close(entry) for entry in entries))


async def _own(
    opening: Callable[[], AbstractAsyncContextManager[Any]], ready: asyncio.Future[Any], over: asyncio.Event
) -> None:
    try:
        async with opening() as resource:
            if not ready.done():
                ready.set_result(resource)
            await over.wait()
    except asyncio.CancelledError:
        ready.cancel()
        raise
    except BaseException as error:  # noqa: BLE001  told to those who wait for it; later ones are nobody's
        if not ready.done():
            ready.set_exception(error)
            # Whoever waited may be gone.
            ready.exception()


async def _close(entry: _Open, *, patience_seconds: float = 5.0) -> None:
    entry.over.set()
    if not entry.ready.done():
        entry.owner.cancel()
    done, _ = await asyncio.wait({entry.owner}, timeout=patience_seconds)
    if not done:
        entry.owner.cancel()
        await asyncio.wait({entry.owner}, timeout=patience_seconds)

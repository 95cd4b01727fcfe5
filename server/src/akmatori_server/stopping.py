"""That the server is about to stop, told to what would keep it from stopping."""

from __future__ import annotations

from collections.abc import Callable


class Stopping:
    """The beginning of the end: open connections are still served, and those without an end must find one."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        """Have `listener` called, in the event loop, when the server begins to stop."""
        self._listeners.append(listener)

    def begin(self) -> None:
        """Tell all listeners. To be called in the event loop."""
        for listener in self._listeners:
            listener()

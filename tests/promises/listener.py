"""Somebody who watches the stream of events all the while, and resumes after each crash."""

from __future__ import annotations

import threading
import time

import attrs
import httpx

from akmatori_sdk._core.sse import EventDecoder, ServerSentEvent

# Longer silence ends the connection, and the listener resumes where it was.
SILENCE_SECONDS = 2.0


@attrs.define
class Listener:
    """Follows `/api/events`; use it in `with`."""

    client: httpx.Client
    seen: list[ServerSentEvent] = attrs.field(factory=list[ServerSentEvent])
    _is_over: threading.Event = attrs.field(factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Listener:
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        if self._thread is not None:
            self._thread.join()

    @property
    def ids(self) -> list[int]:
        """The numbers of the events, as they came."""
        return [int(event.id) for event in self.seen]

    def _follow(self) -> None:
        place = "0"
        timeout = httpx.Timeout(30, read=SILENCE_SECONDS)
        while not self._is_over.is_set():
            decoder = EventDecoder(place)
            try:
                with self.client.stream(
                    "GET", "/api/events", headers={"Last-Event-ID": place}, timeout=timeout
                ) as answer:
                    for piece in answer.iter_bytes():
                        self.seen += decoder.feed(piece)
                        place = decoder.last_event_id
                        if self._is_over.is_set():
                            return
            except httpx.HTTPError:
                time.sleep(0.05)

"""Following the log of an investigation as it is written."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from akmatori_sdk._core.errors import AkmatoriError
from akmatori_sdk._core.options import CallOptions
from akmatori_sdk._core.streams import EventStream
from akmatori_sdk._generated.akmatori.models import Event, Incident
from akmatori_sdk.ext.waiting import STREAM_OUTAGE, Watch, is_over


class Tail:
    """The log of an investigation, piece by piece: iterate over it.

    The iteration ends when the investigation has. `incident` is the incident as it was last read, and so its
    final state after the iteration; None before the first piece.
    """

    def __init__(
        self,
        read: Callable[[CallOptions], Incident],
        pause: Callable[[float], None],
        stream: EventStream[Event],
        watch: Watch,
        options: CallOptions | None,
    ) -> None:
        self._read = read
        self._pause = pause
        self._stream: EventStream[Event] | None = stream
        self._watch = watch
        self._options = options
        self._begun = False
        self.incident: Incident | None = None

    def close(self) -> None:
        """Stop following; the investigation goes on."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        while self.incident is None or not is_over(self.incident):
            try:
                self._wait()
                news = self._look()
            except BaseException:
                self.close()
                raise
            if news:
                return news
        self.close()
        raise StopIteration

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _look(self) -> str:
        try:
            incident = self._read(self._watch.options(self._options))
        except AkmatoriError as error:
            self._watch.missed(error)
            return ""
        self.incident = incident
        return self._watch.saw(incident)

    def _wait(self) -> None:
        """Wait for a reason to look: an event, a sign of life, or without a stream some time."""
        begun, self._begun = self._begun, True
        stream = self._stream
        # A stream is silent between two heartbeats; the end of the time is kept more closely than that.
        if stream is not None and self._watch.left() > STREAM_OUTAGE:
            try:
                # Connected before the first look, it tells of everything that the look does not show.
                if begun:
                    stream.receive()
                else:
                    stream.connect()
            except AkmatoriError:
                # Whatever it is, reading the incident tells, too.
                self.close()
            else:
                return
        if begun:
            self._pause(self._watch.pause())

"""Reading server-sent events as the WHATWG describes them, from bytes that may be cut anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator

import attrs

from akmatori_sdk._core.errors import DecodeError

# More than any event of these systems by far; what is larger is no event but a fault.
LARGEST_EVENT = 4 * 1024 * 1024
# A longer wait than a day is a mistake of the server's.
LONGEST_RETRY = 86_400.0
_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\r|\n")


@attrs.frozen
class ServerSentEvent:
    """One event: its type, its data, and the place to resume from after it ("" where none was ever given)."""

    event: str
    data: str
    id: str


class EventDecoder:
    """Turns the pieces of an answer into events.

    Attributes:
        last_event_id: The place to resume from; moved by blocks without data, too.
        retry: Seconds to wait before connecting again, if the server has said so.
    """

    def __init__(self, last_event_id: str = "", *, largest: int = LARGEST_EVENT) -> None:
        self.last_event_id = last_event_id
        self.retry: float | None = None
        self._largest = largest
        self._rest = bytearray()
        self._searched = 0
        self._at_start = True
        self._after_cr = False
        self._id = last_event_id
        self._event = ""
        self._data: list[str] = []
        self._size = 0

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Return the events that end in this piece. What is not ended yet waits for the next one.

        Raises:
            DecodeError: an event is larger than any may be.
        """
        found = [event for line in self._lines(chunk) if (event := self._take(line)) is not None]
        if self._size + len(self._rest) > self._largest:
            raise DecodeError(f"the server sent an event of more than {self._largest} bytes")
        return found

    def _lines(self, chunk: bytes) -> Iterator[bytes]:
        if self._after_cr and chunk:
            # The line ended with the CR already; an LF that follows belongs to it.
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        rest = self._rest
        rest += chunk
        begin = 0
        while (end := _LINE_END.search(rest, max(begin, self._searched))) is not None:
            line = bytes(rest[begin : end.start()])
            begin = end.end()
            self._after_cr = end.group() == b"\r" and begin == len(rest)
            if self._at_start:
                self._at_start = False
                line = line.removeprefix(_BOM)
            yield line
        del rest[:begin]
        self._searched = len(rest)

    def _take(self, line: bytes) -> ServerSentEvent | None:
        if not line:
            return self._dispatch()
        self._size += len(line)
        name, colon, raw = line.partition(b":")
        if colon and not name:
            # A comment; only its arrival matters.
            self._size -= len(line)
            return None
        value = raw.removeprefix(b" ").decode("utf-8", errors="replace")
        match name:
            case b"data":
                self._data.append(value)
            case b"event":
                self._event = value
            case b"id" if "\0" not in value:
                self._id = value
            case b"retry" if value.isascii() and value.isdigit():
                self.retry = min(float(value[:12]) / 1000, LONGEST_RETRY)
            case _:
                pass
        return None

    def _dispatch(self) -> ServerSentEvent | None:
        self.last_event_id = self._id
        data, event = self._data, self._event
        self._data, self._event, self._size = [], "", 0
        # One empty line of data is data, too.
        return ServerSentEvent(event or "message", "\n".join(data), self._id) if data else None

"""What a tool answered a moment ago, so that the same question need not be sent again."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

import attrs
import orjson

from akmatori_server.toolbox.models import Invocation, Output

MOST_ENTRIES = 500
MOST_BYTES = 32 * 1024 * 1024


@attrs.frozen
class _Entry:
    output: Output
    size: int
    ends: float


class AnswerCache:
    """Remembers answers, the oldest of them forgotten when there are too many or too large ones.

    A tool that was changed has another key, so nothing is answered with what its old settings gave.
    """

    def __init__(
        self,
        *,
        most_entries: int = MOST_ENTRIES,
        most_bytes: int = MOST_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._bytes = 0

    def get(self, call: Invocation) -> Output | None:
        """Return the answer to a call, None when it is not known or too old."""
        key = _key(call)
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            if entry.ends <= self._clock():
                self._forget(key)
                return None
            return entry.output

    def put(self, call: Invocation, output: Output, *, seconds: float) -> None:
        """Remember the answer to a call for a while."""
        key, size = _key(call), len(orjson.dumps(output.value))
        if size > self._most_bytes // 8:
            return
        with self._lock:
            if key in self._entries:
                self._forget(key)
            self._entries[key] = _Entry(output, size, self._clock() + seconds)
            self._bytes += size
            while len(self._entries) > self._most_entries or self._bytes > self._most_bytes:
                self._forget(next(iter(self._entries)))

    def _forget(self, key: bytes) -> None:
        self._bytes -= self._entries.pop(key).size


def _key(call: Invocation) -> bytes:
    tool = call.tool.tool
    asked = [tool.id, tool.updated_at, tool.type.updated_at, call.function.name, call.arguments]
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).digest()

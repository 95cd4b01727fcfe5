"""Findings, sorted: in memory while they are few, and in a file when they are many."""

from __future__ import annotations

import heapq
import os
import tempfile
import weakref
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import orjson

from akmatori_sdk._generated.aotanami.codec import decode_finding, encode_finding
from akmatori_sdk._generated.aotanami.models import Finding

MOST_IN_MEMORY = 3000
_CHUNK = 32 * 1024

Order: TypeAlias = Callable[[Finding], tuple[Any, ...]]


@attrs.define(eq=False)
class _Spill:
    """A file without a name, which is gone with whoever reads it last."""

    size: int = 0
    _number: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._number, path = tempfile.mkstemp(prefix="aotanami-")
        weakref.finalize(self, os.close, self._number)
        Path(path).unlink()

    def write(self, lines: Iterable[bytes]) -> tuple[int, int]:
        begin = self.size
        # A copy of the descriptor: closing the stream leaves the file open.
        with os.fdopen(os.dup(self._number), "ab") as stream:
            for line in lines:
                self.size += stream.write(line)
        return begin, self.size

    def lines(self, begin: int, end: int) -> Iterator[bytes]:
        rest = b""
        while begin < end:
            # With a place of its own for each reader: pieces of the file are read in turns.
            piece = os.pread(self._number, min(_CHUNK, end - begin), begin)
            begin += len(piece)
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines


@attrs.define
class FindingSpool:
    """Takes findings one by one, and keeps no more than so many in memory."""

    _order: Order
    _most: int = MOST_IN_MEMORY
    _held: list[Finding] = attrs.field(factory=list[Finding])
    _runs: list[tuple[int, int]] = attrs.field(factory=list[tuple[int, int]])
    _file: _Spill | None = None
    _count: int = 0

    def extend(self, findings: Iterable[Finding]) -> None:
        """Take findings."""
        for finding in findings:
            self._held.append(finding)
            self._count += 1
            if len(self._held) >= self._most:
                self._spill()

    def close(self) -> Collection[Finding]:
        """Return all findings in their order."""
        self._held.sort(key=self._order)
        if self._file is None:
            return self._held
        self._spill()
        return SpooledFindings(self._file, tuple(self._runs), self._count, self._order)

    def _spill(self) -> None:
        if self._file is None:
            self._file = _Spill()
        ordered = sorted(self._held, key=self._order)
        self._runs.append(self._file.write(orjson.dumps(encode_finding(item)) + b"\n" for item in ordered))
        self._held.clear()


@attrs.frozen(eq=False)
class SpooledFindings(Collection[Finding]):
    """Findings in a file: sorted pieces, which are put together while they are read."""

    _file: _Spill
    _runs: tuple[tuple[int, int], ...]
    _count: int
    _order: Order

    def __len__(self) -> int:
        """Return how many there are."""
        return self._count

    def __iter__(self) -> Iterator[Finding]:
        """Return them in their order."""
        return heapq.merge(*(self._read(begin, end) for begin, end in self._runs), key=self._order)

    def __contains__(self, item: object) -> bool:
        """Whether a finding of the same identity is among them."""
        return isinstance(item, Finding) and any(found.id == item.id for found in self)

    def _read(self, begin: int, end: int) -> Iterator[Finding]:
        return (decode_finding(orjson.loads(line)) for line in self._file.lines(begin, end))

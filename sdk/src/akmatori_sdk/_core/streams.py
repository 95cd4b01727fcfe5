"""Iterating over a stream of events: connect, read, connect again. `following` decides, these carry it out."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TypeVar

from akmatori_sdk._core.errors import AkmatoriError, DecodeError
from akmatori_sdk._core.following import BuildCall, Following, not_a_stream
from akmatori_sdk._core.operation import StreamOperation
from akmatori_sdk._core.options import CallOptions
from akmatori_sdk._core.response import Response

if TYPE_CHECKING:
    from akmatori_sdk._core.aio import AsyncSender
    from akmatori_sdk._core.sync import SyncSender
    from akmatori_sdk._core.transport import AsyncByteStream, SyncByteStream

T = TypeVar("T")


class Poller(Protocol[T]):
    """Finds events by asking again and again."""

    def poll(self) -> list[T]:
        """Wait as long as is polite, ask, and return what has changed since the last time."""
        ...


class AsyncPoller(Protocol[T]):
    """Finds events by asking again and again."""

    async def poll(self) -> list[T]:
        """Wait as long as is polite, ask, and return what has changed since the last time."""
        ...


class EventStream(Following[T]):
    """Events as they happen: iterate over it, for as long as you like.

    Entering it with `with`, or calling `connect()`, connects at once; else the first event does. When the
    connection breaks it connects again and resumes where it was: no event is lost, and none comes twice. It
    gives up after the retry policy's deadline without a connection (60 seconds, unless you choose another).

    `close()` ends the iteration, from another thread too.
    """

    def __init__(
        self,
        sender: SyncSender,
        op: StreamOperation[T],
        build: BuildCall,
        options: CallOptions | None,
        last_event_id: str,
    ) -> None:
        super().__init__(sender, op, build, options, last_event_id)
        self._sender = sender
        self._source: SyncByteStream | None = None
        self._reading = False
        self._fallback: Callable[[], Poller[T]] | None = None
        self._poller: Poller[T] | None = None

    def fall_back_to(self, fallback: Callable[[], Poller[T]]) -> None:
        """Say what to ask in place of a server that has no stream; it is made when that turns out."""
        self._fallback = fallback

    def connect(self) -> None:
        """Connect now: everything that happens after this returns will be heard of.

        Raises:
            AkmatoriError: as for every call.
        """
        while not self._closed and self._source is None and self._poller is None:
            try:
                self._source = self._opened()
            except AkmatoriError as error:
                self._failed(error)
            else:
                # The server begins with the place to resume from, without which a break could cost events.
                self._receive()

    def receive(self) -> list[T]:
        """Return the events of the next piece the server sends: none at all when it only shows that it is there.

        For those who want to do something else from time to time; everybody else iterates.

        Raises:
            AkmatoriError: as for every call.
        """
        if not self._ready:
            self._fill()
        return self._take_all()

    def close(self) -> None:
        """End the stream."""
        self._closed = True
        if self._source is not None:
            self._source.abort()
            if not self._reading:
                self._drop()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        while not self._ready:
            if self._closed:
                raise StopIteration
            self._fill()
        return self._take()

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _fill(self) -> None:
        """Wait for the next piece, or for a connection."""
        if self._poller is not None:
            self._poll(self._poller)
        elif self._source is not None:
            self._receive()
        else:
            self.connect()

    def _receive(self) -> None:
        chunk = self._read()
        if chunk:
            self._decode(chunk)

    def _read(self) -> bytes:
        source, error = self._source, None
        if source is None:
            return b""
        self._reading = True
        try:
            chunk = source.read()
        except AkmatoriError as broken:
            chunk, error = b"", broken
        finally:
            self._reading = False
        if not chunk or self._closed:
            self._drop()
        if not chunk and not self._closed:
            self._sender.pause(self._lost(error))
        return chunk

    def _decode(self, chunk: bytes) -> None:
        try:
            self._decoded(chunk)
        except DecodeError:
            # What follows cannot be told from what is broken.
            self._drop()
            raise

    def _poll(self, poller: Poller[T]) -> None:
        try:
            found = poller.poll()
        except AkmatoriError as error:
            self._sender.pause(self._lost(error))
            return
        self._alive()
        self._ready.extend(("", event) for event in found)

    def _opened(self) -> SyncByteStream:
        outcome = self._sender.open(self._next_call())
        if isinstance(outcome, Response):
            raise not_a_stream(outcome)
        return outcome

    def _failed(self, error: AkmatoriError) -> None:
        if self._fallback is not None and self._is_unsupported(error):
            self._poller = self._fallback()
            return
        self._sender.pause(self._lost(error))

    def _drop(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.close()


class AsyncEventStream(Following[T]):
    """Events as they happen: iterate over it, for as long as you like.

    Entering it with `async with`, or calling `connect()`, connects at once; else the first event does. When the
    connection breaks it connects again and resumes where it was: no event is lost, and none comes twice. It
    gives up after the retry policy's deadline without a connection (60 seconds, unless you choose another).

    `close()` ends the iteration, from another task too.
    """

    def __init__(
        self,
        sender: AsyncSender,
        op: StreamOperation[T],
        build: BuildCall,
        options: CallOptions | None,
        last_event_id: str,
    ) -> None:
        super().__init__(sender, op, build, options, last_event_id)
        self._sender = sender
        self._source: AsyncByteStream | None = None
        self._reading = False
        self._fallback: Callable[[], AsyncPoller[T]] | None = None
        self._poller: AsyncPoller[T] | None = None

    def fall_back_to(self, fallback: Callable[[], AsyncPoller[T]]) -> None:
        """Say what to ask in place of a server that has no stream; it is made when that turns out."""
        self._fallback = fallback

    async def connect(self) -> None:
        """Connect now: everything that happens after this returns will be heard of.

        Raises:
            AkmatoriError: as for every call.
        """
        while not self._closed and self._source is None and self._poller is None:
            try:
                self._source = await self._opened()
            except AkmatoriError as error:
                await self._failed(error)
            else:
                # The server begins with the place to resume from, without which a break could cost events.
                await self._receive()

    async def receive(self) -> list[T]:
        """Return the events of the next piece the server sends: none at all when it only shows that it is there.

        For those who want to do something else from time to time; everybody else iterates.

        Raises:
            AkmatoriError: as for every call.
        """
        if not self._ready:
            await self._fill()
        return self._take_all()

    async def close(self) -> None:
        """End the stream."""
        self._closed = True
        if self._source is not None:
            self._source.abort()
            if not self._reading:
                await self._drop()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._ready:
            if self._closed:
                raise StopAsyncIteration
            await self._fill()
        return self._take()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _fill(self) -> None:
        """Wait for the next piece, or for a connection."""
        if self._poller is not None:
            await self._poll(self._poller)
        elif self._source is not None:
            await self._receive()
        else:
            await self.connect()

    async def _receive(self) -> None:
        chunk = await self._read()
        if chunk:
            await self._decode(chunk)

    async def _read(self) -> bytes:
        source, error = self._source, None
        if source is None:
            return b""
        self._reading = True
        try:
            chunk = await source.read()
        except AkmatoriError as broken:
            chunk, error = b"", broken
        finally:
            self._reading = False
        if not chunk or self._closed:
            await self._drop()
        if not chunk and not self._closed:
            await self._sender.pause(self._lost(error))
        return chunk

    async def _decode(self, chunk: bytes) -> None:
        try:
            self._decoded(chunk)
        except DecodeError:
            # What follows cannot be told from what is broken.
            await self._drop()
            raise

    async def _poll(self, poller: AsyncPoller[T]) -> None:
        try:
            found = await poller.poll()
        except AkmatoriError as error:
            await self._sender.pause(self._lost(error))
            return
        self._alive()
        self._ready.extend(("", event) for event in found)

    async def _opened(self) -> AsyncByteStream:
        outcome = await self._sender.open(self._next_call())
        if isinstance(outcome, Response):
            raise not_a_stream(outcome)
        return outcome

    async def _failed(self, error: AkmatoriError) -> None:
        if self._fallback is not None and self._is_unsupported(error):
            self._poller = self._fallback()
            return
        await self._sender.pause(self._lost(error))

    async def _drop(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            await source.close()

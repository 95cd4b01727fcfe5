"""The only module that knows the HTTP library: sends one attempt and says what became of it."""

from __future__ import annotations

import contextlib
import math
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, TypeAlias

import httpx

from akmatori_sdk._core.call import Call
from akmatori_sdk._core.errors import (
    AkmatoriError,
    ConfigError,
    ConnectError,
    DeadlineExceededError,
    Delivery,
    RequestTimeoutError,
    TransportError,
)
from akmatori_sdk._core.files import MultipartBody
from akmatori_sdk._core.options import Timeout
from akmatori_sdk._core.response import Response

HttpClient: TypeAlias = httpx.Client
AsyncHttpClient: TypeAlias = httpx.AsyncClient

LONGEST_CAUSE = 160
_EVENT_STREAM = "text/event-stream"
_FAULTS = (httpx.HTTPError, httpx.InvalidURL, UnicodeEncodeError, OSError)


class SyncTransport:
    """A connection pool for `SyncCore`."""

    def __init__(self, client: HttpClient | None, timeout: Timeout) -> None:
        # A client that was handed in belongs to whoever made it, and so do its timeouts.
        self._owned = client is None
        self._client = client or httpx.Client(timeout=_httpx_timeout(timeout))

    def send(self, call: Call, monotonic: Callable[[], float]) -> Response | AkmatoriError:
        """Send one attempt; failures are returned, so that they hold none of the library's objects."""
        try:
            extensions = _extensions(call, self._client.timeout, monotonic())
            content = _SyncChunks(call.content) if isinstance(call.content, MultipartBody) else call.content
            request = self._client.build_request(
                call.method, call.url, content=content, headers=call.headers, extensions=extensions
            )
            response = self._client.send(request, stream=True, follow_redirects=False)
            try:
                chunks: list[bytes] = []
                for chunk in response.iter_bytes():
                    chunks.append(chunk)
                    if monotonic() > call.deadline:
                        return _too_late()
            finally:
                response.close()
            return Response(response.status_code, response.headers, b"".join(chunks))
        except _Late:
            return _too_late(Delivery.NOT_SENT)
        except _FAULTS as error:
            return _failure(error)

    def open(self, call: Call, monotonic: Callable[[], float]) -> SyncByteStream | Response | AkmatoriError:
        """Send one attempt and leave the answer open, if it is a stream of events; else take it whole."""
        try:
            extensions = _extensions(call, self._client.timeout, monotonic())
            request = self._client.build_request(
                call.method, call.url, headers=call.headers, extensions=extensions
            )
            response = self._client.send(request, stream=True, follow_redirects=False)
            if _is_stream(response):
                return SyncByteStream(response)
            try:
                response.read()
            finally:
                response.close()
            return Response(response.status_code, response.headers, response.content)
        except _Late:
            return _too_late(Delivery.NOT_SENT)
        except _FAULTS as error:
            return _failure(error)

    def close(self) -> None:
        """Close the pool, unless it was handed in."""
        if self._owned:
            self._client.close()


class AsyncTransport:
    """A connection pool for `AsyncCore`."""

    def __init__(self, client: AsyncHttpClient | None, timeout: Timeout) -> None:
        self._owned = client is None
        self._client = client or httpx.AsyncClient(timeout=_httpx_timeout(timeout))

    async def send(self, call: Call, monotonic: Callable[[], float]) -> Response | AkmatoriError:
        """Send one attempt; failures are returned, so that they hold none of the library's objects."""
        try:
            extensions = _extensions(call, self._client.timeout, monotonic())
            content = _AsyncChunks(call.content) if isinstance(call.content, MultipartBody) else call.content
            request = self._client.build_request(
                call.method, call.url, content=content, headers=call.headers, extensions=extensions
            )
            response = await self._client.send(request, stream=True, follow_redirects=False)
            try:
                chunks: list[bytes] = []
                async for chunk in response.aiter_bytes():
                    chunks.append(chunk)
                    if monotonic() > call.deadline:
                        return _too_late()
            finally:
                await response.aclose()
            return Response(response.status_code, response.headers, b"".join(chunks))
        except _Late:
            return _too_late(Delivery.NOT_SENT)
        except _FAULTS as error:
            return _failure(error)

    async def open(
        self, call: Call, monotonic: Callable[[], float]
    ) -> AsyncByteStream | Response | AkmatoriError:
        """Send one attempt and leave the answer open, if it is a stream of events; else take it whole."""
        try:
            extensions = _extensions(call, self._client.timeout, monotonic())
            request = self._client.build_request(
                call.method, call.url, headers=call.headers, extensions=extensions
            )
            response = await self._client.send(request, stream=True, follow_redirects=False)
            if _is_stream(response):
                return AsyncByteStream(response)
            try:
                await response.aread()
            finally:
                await response.aclose()
            return Response(response.status_code, response.headers, response.content)
        except _Late:
            return _too_late(Delivery.NOT_SENT)
        except _FAULTS as error:
            return _failure(error)

    async def close(self) -> None:
        """Close the pool, unless it was handed in."""
        if self._owned:
            await self._client.aclose()


class SyncByteStream:
    """An answer that is still being sent."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._chunks = response.iter_bytes()
        self.head = Response(response.status_code, response.headers, b"")

    def read(self) -> bytes:
        """Return the next piece, or nothing when the server has ended the answer.

        Raises:
            AkmatoriError: the connection broke, or was silent for too long.
        """
        try:
            return next(self._chunks, b"")
        except _FAULTS as error:
            raise _failure(error) from None

    def abort(self) -> None:
        """Have a `read` that waits in another thread return."""
        _shut_down(self._response)

    def close(self) -> None:
        """Give the connection up."""
        with contextlib.suppress(*_FAULTS):
            self._response.close()


class AsyncByteStream:
    """An answer that is still being sent."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self._chunks = response.aiter_bytes()
        self.head = Response(response.status_code, response.headers, b"")

    async def read(self) -> bytes:
        """Return the next piece, or nothing when the server has ended the answer.

        Raises:
            AkmatoriError: the connection broke, or was silent for too long.
        """
        try:
            return await anext(self._chunks, b"")
        except _FAULTS as error:
            raise _failure(error) from None

    def abort(self) -> None:
        """Have a `read` that waits in another task return."""
        _shut_down(self._response)

    async def close(self) -> None:
        """Give the connection up."""
        with contextlib.suppress(*_FAULTS):
            await self._response.aclose()


class _Late(Exception):  # noqa: N818 - never leaves this module
    """The deadline passed before the attempt began."""


class _SyncChunks:
    """A body the library may iterate, from its beginning each time."""

    def __init__(self, body: MultipartBody) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        return self._body.chunks()


class _AsyncChunks:
    """The same for the async client; files are read in a thread, since reading blocks."""

    def __init__(self, body: MultipartBody) -> None:
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        import asyncio

        chunks = self._body.chunks()
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            yield chunk


def _is_stream(response: httpx.Response) -> bool:
    media_type = str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()
    return 200 <= response.status_code < 300 and media_type == _EVENT_STREAM


def _shut_down(response: httpx.Response) -> None:
    """End the connection below the library: closing it there would not wake who waits for its next byte."""
    network: Any = response.extensions.get("network_stream")
    connection = network.get_extra_info("socket") if network is not None else None
    if connection is not None:
        # It may be closed already.
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def _httpx_timeout(timeout: Timeout) -> httpx.Timeout:
    return httpx.Timeout(connect=timeout.connect, read=timeout.read, write=timeout.write, pool=timeout.pool)


def _extensions(call: Call, default: httpx.Timeout, now: float) -> dict[str, Any]:
    """Return the attempt's timeouts, none of them longer than what the deadline leaves."""
    left = call.deadline - now
    if left <= 0:
        raise _Late
    own = call.timeout
    limits = own.phases() if own is not None else default.as_dict()
    for value in limits.values():
        if value is None or value > left:
            return {"timeout": {phase: _shorter(value, left) for phase, value in limits.items()}}
    return {"timeout": limits}


def _shorter(value: float | None, left: float) -> float | None:
    if value is None:
        return None if math.isinf(left) else left
    return min(value, left)


def _too_late(delivery: Delivery = Delivery.UNKNOWN) -> DeadlineExceededError:
    return DeadlineExceededError("the time allowed for the call is over", delivery=delivery)


def _failure(error: Exception) -> AkmatoriError:  # noqa: PLR0911 - a table of cases
    cause = " ".join(str(error).split())[:LONGEST_CAUSE] or type(error).__name__
    match error:
        case (
            httpx.InvalidURL()
            | httpx.LocalProtocolError()
            | httpx.UnsupportedProtocol()
            | UnicodeEncodeError()
        ):
            # The library's own text is left out: it may quote the header, and with it a credential.
            return ConfigError(
                "the request cannot be sent: the address or a header holds characters HTTP does not allow"
            )
        case httpx.PoolTimeout():
            return ConnectError(
                "no connection became free in time; is the pool too small?", delivery=Delivery.NOT_SENT
            )
        case httpx.ConnectTimeout():
            return ConnectError("the connection was not made in time", delivery=Delivery.NOT_SENT)
        case httpx.ConnectError() | httpx.ProxyError():
            return ConnectError(f"the connection was not made ({cause})", delivery=Delivery.NOT_SENT)
        case httpx.TimeoutException():
            verb = "taken" if isinstance(error, httpx.WriteTimeout) else "answered"
            return RequestTimeoutError(f"the server has not {verb} the request in time")
        case OSError():
            return ConfigError(f"the upload cannot be read ({cause})")
        case httpx.RemoteProtocolError():
            return TransportError(f"the connection broke before the answer was complete ({cause})")
        case httpx.DecodingError():
            return TransportError("the answer's compression is broken")
        case _:
            return TransportError(f"the connection broke ({cause})")

"""HTTP for MCP: checked addresses, and answers of a bounded size. Import it only where MCP is used."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator

import httpx2

from akmatori_server.outgoing.httpx2_transport import CheckedTransport

# Of an answer that is read at once. The library bounds each event of a stream itself.
MOST_BYTES = 10 * 1024 * 1024


class BoundedTransport(CheckedTransport):
    """Sends requests to checked addresses, and breaks off answers that do not end."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request.

        Raises:
            AddressRefusedError: it may not go there.
        """
        asked = request.url
        response = await super().handle_async_request(request)
        # Where it was sent to is an address by now; redirects are compared with, and led on from, the name.
        request.url = asked
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            assert isinstance(response.stream, httpx2.AsyncByteStream)  # noqa: S101  narrows the type
            response.stream = _Bounded(response.stream)
        return response


class _Bounded(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._parts()

    async def _parts(self) -> AsyncGenerator[bytes]:
        size = 0
        async for part in self._stream:
            size += len(part)
            if size > MOST_BYTES:
                raise httpx2.ReadError(f"the answer is larger than {MOST_BYTES:,} bytes.")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()

"""Connections to MCP servers: programs that are started here, and addresses that are called."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import attrs

from akmatori_server.mcp_servers.connection import Connection, root_of
from akmatori_server.mcp_servers.models import Endpoint, Transport
from akmatori_server.mcp_servers.program import program
from akmatori_server.outgoing.errors import AddressRefusedError
from akmatori_server.outgoing.policy import Policy
from akmatori_server.settings.route import Proxy
from akmatori_server.tools.redaction import without_secrets

if TYPE_CHECKING:
    import httpx2

LONGEST_CAUSE = 500
CONNECT_SECONDS = 10.0
# Between two parts of an answer; what a call may take is its caller's to say.
SILENT_SECONDS = 75.0
# An administrator names the servers, and those of one's own network are the usual case. What hands out
# credentials of this machine is not one: link-local and metadata addresses are refused all the same.
ADMINISTRATORS = Policy(allow_private=True)


class ConnectFailedError(Exception):
    """The server could not be reached; the sentence says why, and holds no secret."""


@asynccontextmanager
async def connected(endpoint: Endpoint, *, proxy: Proxy | None = None) -> AsyncGenerator[Connection]:
    """Connect to a server, and yield the connection. A program ends with it, and uses no proxy.

    There is no limit of time here: the caller has one for what it does.

    Raises:
        ConnectFailedError: it cannot be reached.
    """
    # It is imported where it is used: that takes half a second, and a server without MCP need not have it.
    if find_spec("mcp") is None:
        raise ConnectFailedError(
            "The library for MCP is not installed; install akmatori-server with the extra mcp."
        )
    failure: Exception | None = None
    async with AsyncExitStack() as stack:
        if endpoint.transport is Transport.STDIO:
            connection = await _to_program(stack, endpoint)
        else:
            connection = await _to_address(stack, endpoint, proxy)
        try:
            yield connection
        except Exception as error:  # noqa: BLE001  the caller's: the library's task groups would wrap it
            failure = error
    if failure is not None:
        raise failure


async def _to_program(stack: AsyncExitStack, endpoint: Endpoint) -> Connection:
    started = stack.enter_context(program(endpoint))
    try:
        return await _entered(stack, endpoint, started.transport())
    except Exception as error:  # noqa: BLE001  whatever a program does must become a sentence
        raise ConnectFailedError(started.sentence(error)) from None


async def _to_address(stack: AsyncExitStack, endpoint: Endpoint, proxy: Proxy | None) -> Connection:
    if proxy is not None:
        endpoint = attrs.evolve(endpoint, secrets=(*endpoint.secrets, *proxy.secrets))
    # The library does not say which status made it give up.
    refusals: list[int] = []
    sentences: list[str] = []
    for way in _ways(endpoint, proxy, refusals):
        refusals.clear()
        try:
            return await _entered(stack, endpoint, way())
        except Exception as error:  # noqa: BLE001  whatever a server does must become a sentence
            sentences.append(_sentence(endpoint, error, refusals))
    raise ConnectFailedError(sentences[0])


async def _entered(
    stack: AsyncExitStack, endpoint: Endpoint, transport: AbstractAsyncContextManager[Any]
) -> Connection:
    from mcp import Client

    return Connection(await stack.enter_async_context(Client(transport)), endpoint.secrets)


def _ways(
    endpoint: Endpoint, proxy: Proxy | None, refusals: list[int]
) -> list[Callable[[], AbstractAsyncContextManager[Any]]]:
    """The two forms of MCP over HTTP, the likelier one first."""
    from mcp.client.sse import sse_client
    from mcp.client.streamable_http import streamable_http_client

    @asynccontextmanager
    async def streamable() -> AsyncGenerator[Any]:
        async with (
            _client(endpoint, proxy, refusals) as client,
            streamable_http_client(endpoint.url, http_client=client) as both,
        ):
            yield both

    def factory(
        headers: dict[str, str] | None = None,
        timeout: httpx2.Timeout | None = None,
        auth: httpx2.Auth | None = None,
    ) -> httpx2.AsyncClient:
        # The transport has no headers of its own here; the limits of time are ours.
        del headers, timeout, auth
        return _client(endpoint, proxy, refusals)

    def events() -> AbstractAsyncContextManager[Any]:
        return sse_client(endpoint.url, httpx_client_factory=factory)

    ways: list[Callable[[], AbstractAsyncContextManager[Any]]] = [streamable, events]
    if urlsplit(endpoint.url).path.rstrip("/").endswith("/sse"):
        ways.reverse()
    return ways


def _client(endpoint: Endpoint, proxy: Proxy | None, refusals: list[int]) -> httpx2.AsyncClient:
    import httpx2

    from akmatori_server.mcp_servers.bounded import BoundedTransport

    async def note(response: httpx2.Response) -> None:
        if response.status_code >= 400:
            refusals.append(response.status_code)

    return httpx2.AsyncClient(
        headers=dict(endpoint.headers),
        timeout=httpx2.Timeout(CONNECT_SECONDS, read=SILENT_SECONDS),
        # The environment's proxy and .netrc are not meant for it; the proxy of the settings may be.
        trust_env=False,
        transport=BoundedTransport(ADMINISTRATORS, proxy=proxy),
        event_hooks={"response": [note]},
    )


def _sentence(endpoint: Endpoint, error: Exception, refusals: list[int]) -> str:
    import httpx2

    host = urlsplit(endpoint.url).netloc
    root = root_of(error)
    if isinstance(root, AddressRefusedError):
        return str(root)
    if refusals:
        return (
            f"{host} answered {refusals[-1]}, so it does not speak MCP there, or not with these credentials."
        )
    if isinstance(root, httpx2.TransportError):
        return without_secrets(f"No connection to {host}: {root}"[:LONGEST_CAUSE], endpoint.secrets)
    return without_secrets(f"{host} does not speak MCP: {root}"[:LONGEST_CAUSE], endpoint.secrets)

"""Connecting to an MCP server and listing its tools, within a limit of time."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, TextIO, cast
from urllib.parse import urlsplit

import attrs

from akmatori_server.mcp_servers.models import Endpoint, Transport
from akmatori_server.settings.route import Proxy
from akmatori_server.tools.addresses import AddressRefusedError, allowed_address
from akmatori_server.tools.redaction import without_secrets

if TYPE_CHECKING:
    import httpx2
    from mcp import Client

LIMIT_SECONDS = 20
MOST_TOOLS = 1000
# Of what a program that fails writes to its error output.
LONGEST_COMPLAINT = 500


@attrs.frozen(kw_only=True)
class OfferedTool:
    """A tool of a server, in the server's words."""

    name: str
    description: str
    input_schema: dict[str, Any]


@attrs.frozen(kw_only=True)
class Offer:
    """What a server told about itself."""

    server_name: str | None
    server_version: str | None
    protocol_version: str
    tools: tuple[OfferedTool, ...]


class ProbeFailedError(Exception):
    """The server could not be reached; the sentence says why, and holds no secret."""


async def probe(
    endpoint: Endpoint, *, proxy: Proxy | None = None, limit_seconds: float = LIMIT_SECONDS
) -> Offer:
    """Ask a server what it offers. A program is started here, and uses no proxy.

    Raises:
        ProbeFailedError: it cannot be reached, or did not answer in time.
    """
    # It is imported where it is used: that takes half a second, and a server without MCP need not have it.
    if find_spec("mcp") is None:
        raise ProbeFailedError(
            "The library for MCP is not installed; install akmatori-server with the extra mcp."
        )
    try:
        async with asyncio.timeout(limit_seconds):
            if endpoint.transport is Transport.STDIO:
                return await _probe_program(endpoint)
            return await _probe_address(endpoint, proxy)
    except TimeoutError:
        raise ProbeFailedError(f"The server did not answer within {limit_seconds:g} seconds.") from None


async def _probe_program(endpoint: Endpoint) -> Offer:
    from mcp import StdioServerParameters
    from mcp.client.stdio import stdio_client

    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints,
        tempfile.TemporaryDirectory(prefix="akmatori-mcp-") as directory,
    ):
        # The library starts it with PATH, HOME and the like, and these; with nothing else of this server.
        parameters = StdioServerParameters(
            command=endpoint.command,
            args=list(endpoint.args),
            env=dict(endpoint.environment),
            cwd=directory,
            encoding_error_handler="replace",
        )
        try:
            return await _ask(stdio_client(parameters, errlog=complaints))
        except Exception as error:  # noqa: BLE001  whatever a program does must become a sentence
            raise ProbeFailedError(_program_sentence(endpoint, error, complaints)) from None


async def _probe_address(endpoint: Endpoint, proxy: Proxy | None) -> Offer:
    from mcp.client.sse import sse_client
    from mcp.client.streamable_http import streamable_http_client

    parts = urlsplit(endpoint.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        # Servers of one's own network are the usual case; what hands out credentials of this machine is not.
        await asyncio.to_thread(allowed_address, parts.hostname or "", port, allow_private=True)
    except AddressRefusedError as error:
        raise ProbeFailedError(str(error)) from None

    if proxy is not None:
        endpoint = attrs.evolve(endpoint, secrets=(*endpoint.secrets, *proxy.secrets))
    # The library does not say which status made it give up.
    refusals: list[int] = []

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
        # The transport has no headers of its own here; the limit of time is that of the whole.
        return _client(endpoint, proxy, refusals)

    def events() -> Any:
        return sse_client(endpoint.url, httpx_client_factory=factory)

    ways: list[Callable[[], Any]] = [streamable, events]
    if parts.path.rstrip("/").endswith("/sse"):
        ways.reverse()
    sentences: list[str] = []
    for way in ways:
        refusals.clear()
        try:
            return await _ask(way())
        except Exception as error:  # noqa: BLE001  whatever a server does must become a sentence
            sentences.append(_address_sentence(endpoint, error, refusals))
    raise ProbeFailedError(sentences[0])


def _client(endpoint: Endpoint, proxy: Proxy | None, refusals: list[int]) -> httpx2.AsyncClient:
    import httpx2

    async def note(response: httpx2.Response) -> None:
        if response.status_code >= 400:
            refusals.append(response.status_code)

    # The environment's proxy and .netrc are not meant for it; the proxy of the settings may be.
    return httpx2.AsyncClient(
        headers=dict(endpoint.headers),
        timeout=LIMIT_SECONDS,
        trust_env=False,
        proxy=None if proxy is None else proxy.url,
        event_hooks={"response": [note]},
    )


async def _ask(transport: Any) -> Offer:
    from mcp import Client

    async with Client(transport) as client:
        tools = await _tools(client)
        info = client.server_info
        return Offer(
            server_name=None if info is None else info.name,
            server_version=None if info is None else info.version,
            protocol_version=client.protocol_version,
            tools=tools,
        )


async def _tools(client: Client) -> tuple[OfferedTool, ...]:
    found: list[OfferedTool] = []
    cursor: str | None = None
    while len(found) < MOST_TOOLS:
        page = await client.list_tools(cursor=cursor)
        found += [
            OfferedTool(
                name=tool.name, description=tool.description or "", input_schema=dict(tool.input_schema)
            )
            for tool in page.tools
        ]
        # One that names the same place again would go on for ever.
        if page.next_cursor is None or page.next_cursor == cursor:
            break
        cursor = page.next_cursor
    return tuple(found[:MOST_TOOLS])


def _program_sentence(endpoint: Endpoint, error: Exception, complaints: TextIO) -> str:
    root = _root(error)
    if isinstance(root, FileNotFoundError):
        return f"The program {endpoint.command} is not there."
    if isinstance(root, PermissionError):
        return f"The program {endpoint.command} may not be started."
    complaints.seek(0)
    written = without_secrets(complaints.read(), endpoint.secrets).strip()[-LONGEST_COMPLAINT:]
    said = f" It wrote: {written}" if written else ""
    return f"The program {endpoint.command} does not speak MCP, or ended.{said}"


def _address_sentence(endpoint: Endpoint, error: Exception, refusals: list[int]) -> str:
    import httpx2

    host = urlsplit(endpoint.url).netloc
    root = _root(error)
    if refusals:
        return (
            f"{host} answered {refusals[-1]}, so it does not speak MCP there, or not with these credentials."
        )
    if isinstance(root, httpx2.TransportError):
        return without_secrets(f"No connection to {host}: {root}"[:LONGEST_COMPLAINT], endpoint.secrets)
    return without_secrets(f"{host} does not speak MCP: {root}"[:LONGEST_COMPLAINT], endpoint.secrets)


def _root(error: BaseException | None) -> BaseException | None:
    """Return what lies at the bottom of a group of failures."""
    bottom = error
    while isinstance(bottom, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", bottom)
        bottom = group.exceptions[0]
    return bottom

"""Answers the operations of the tag `mcpServers`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import orjson

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.crypto import SecretUnreadableError
from akmatori_server.errors import BadRequest
from akmatori_server.etag import etag_of, require_match
from akmatori_server.http.call import Answer, Call
from akmatori_server.http.once import KeyedCreate
from akmatori_server.http.optional import given
from akmatori_server.kits.mcp.offered import offered
from akmatori_server.mcp_servers.models import Endpoint, McpServerMembers, Transport
from akmatori_server.mcp_servers.probe import Offer, ProbeFailedError, probe
from akmatori_server.mcp_servers.service import McpServerService
from akmatori_server.pagination import requested_page
from akmatori_server.settings.route import Proxy, Route, direct
from akmatori_server.tools.redaction import without_secrets

CREATE = KeyedCreate("createMcpServer", codec.encode_mcp_server, codec.decode_mcp_server)
# What the contract lets an answer show.
LONGEST_MESSAGE = 2000
LONGEST_NAME = 1000
LONGEST_VERSION = 100
LONGEST_DESCRIPTION = 10000
LONGEST_LEFT_OUT = 1000
MOST_LEFT_OUT = 1000


class McpServerHandlers:
    """MCP servers over HTTP."""

    def __init__(self, servers: McpServerService, *, route: Route = direct) -> None:
        self._servers = servers
        self._route = route

    def list_mcp_servers(
        self, _call: Call, /, *, page: int | Unset, per_page: int | Unset
    ) -> models.McpServerList:
        """List the MCP servers."""
        return self._servers.listing.answer(
            requested_page(page, per_page), self._servers.shown, models.McpServerPage
        )

    def create_mcp_server(
        self, call: Call, /, *, idempotency_key: str | Unset, body: models.CreateMcpServerRequest
    ) -> Answer[models.McpServer]:
        """Add an MCP server."""
        members = _members(body)
        with self._servers.transaction() as connection:
            created = CREATE.answer(
                connection,
                call,
                key=idempotency_key,
                request=codec.encode_create_mcp_server_request(body),
                create=lambda: self._servers.create_in(connection, call, members),
                now=self._servers.now(),
            )
        return _answer(created)

    def get_mcp_server(self, _call: Call, /, *, id: int) -> Answer[models.McpServer]:  # noqa: A002  the contract's name
        """Read one MCP server."""
        return _answer(self._servers.shown(self._servers.get(id)))

    def update_mcp_server(
        self,
        call: Call,
        /,
        *,
        id: int,  # noqa: A002  the contract's name
        if_match: str | Unset,
        body: models.UpdateMcpServerRequest,
    ) -> Answer[models.McpServer]:
        """Change members of an MCP server."""

        def check(stored: models.McpServer) -> None:
            require_match(if_match, _etag(stored))

        with self._servers.transaction() as connection:
            updated = self._servers.update_in(connection, call, id, _members(body), check=check)
        return _answer(updated)

    def delete_mcp_server(self, call: Call, /, *, id: int) -> None:  # noqa: A002  the contract's name
        """Delete an MCP server."""
        with self._servers.transaction() as connection:
            self._servers.delete_in(connection, call, id)

    async def test_mcp_server(self, call: Call, /, *, id: int) -> models.McpServerTestResult:  # noqa: A002  the contract's name
        """Connect to an MCP server, list its tools, and say what happened."""
        # The database is waited for in a thread, not in the event loop.
        endpoint, proxy = await asyncio.to_thread(self._reached, id)
        started = time.monotonic()
        offer: Offer | None = None
        left_out: Sequence[str] = ()
        try:
            offer = await probe(endpoint, proxy=proxy)
            left_out = offered(offer.tools, server=endpoint.prefix).complaints
            message = _message(len(offer.tools), len(left_out))
        except ProbeFailedError as error:
            message = str(error)
        duration_ms = int((time.monotonic() - started) * 1000)
        return _result(endpoint, offer, left_out, message[:LONGEST_MESSAGE], duration_ms)

    def _reached(self, server_id: int) -> tuple[Endpoint, Proxy | None]:
        """Return what is needed to reach a server, and the proxy on the way there."""
        try:
            endpoint = self._servers.endpoint(server_id)
            return endpoint, self._route(endpoint.url) if endpoint.transport is Transport.SSE else None
        except SecretUnreadableError as error:
            raise BadRequest(str(error)) from None
        except ValueError:
            raise BadRequest("url: names no host that can be reached.") from None


def _members(body: models.CreateMcpServerRequest | models.UpdateMcpServerRequest) -> McpServerMembers:
    transport, args = given(body.transport), given(body.args)
    return McpServerMembers(
        name=given(body.name),
        transport=None if transport is None else Transport(transport.value),
        url=given(body.url),
        command=given(body.command),
        args=None if args is None else codec.encode_mcp_arguments(args),
        env_vars=given(body.env_vars),
        namespace_prefix=given(body.namespace_prefix),
        auth_config=given(body.auth_config),
        enabled=given(body.enabled) if isinstance(body, models.UpdateMcpServerRequest) else None,
    )


def _message(count: int, unusable: int) -> str:
    told = f"The server offers {count} tool{'' if count == 1 else 's'}"
    return f"{told}, of which {unusable} cannot be used." if unusable else f"{told}."


def _result(
    endpoint: Endpoint, offer: Offer | None, left_out: Sequence[str], message: str, duration_ms: int
) -> models.McpServerTestResult:
    result = models.McpServerTestResult(
        ok=offer is not None,
        message=message,
        tools=[],
        left_out=[
            without_secrets(sentence, endpoint.secrets)[:LONGEST_LEFT_OUT]
            for sentence in left_out[:MOST_LEFT_OUT]
        ],
        duration_ms=duration_ms,
    )
    if offer is not None:
        result.server_name = UNSET if offer.server_name is None else offer.server_name[:LONGEST_NAME]
        result.server_version = UNSET if offer.server_version is None else offer.server_version[:LONGEST_NAME]
        result.protocol_version = offer.protocol_version[:LONGEST_VERSION]
        result.tools = [
            models.McpTool(
                name=f"{endpoint.prefix}.{tool.name}"[:LONGEST_NAME],
                description=tool.description[:LONGEST_DESCRIPTION],
                input_schema=tool.input_schema,
            )
            for tool in offer.tools
        ]
    return result


def _answer(server: models.McpServer) -> Answer[models.McpServer]:
    return Answer(server, headers={"ETag": _etag(server)})


def _etag(server: models.McpServer) -> str:
    return etag_of(orjson.dumps(codec.encode_mcp_server(server), option=orjson.OPT_SORT_KEYS))

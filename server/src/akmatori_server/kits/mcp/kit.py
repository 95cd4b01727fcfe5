"""The functions of MCP servers, asked of the servers and called on them.

What a server says of a tool decides only whether a call of it waits for a person: one that says that it reads is
called, every other one becomes a proposal. An administrator who names a server trusts it that far.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol, cast

from akmatori_server.crypto import SecretUnreadableError
from akmatori_server.errors import NotFound
from akmatori_server.kits.mcp.offered import told
from akmatori_server.kits.mcp.opened import DISCOVERY_SECONDS, OpenServer, opened, too_slow
from akmatori_server.kits.mcp.results import output_of
from akmatori_server.kits.summaries import shown_address, summary_of
from akmatori_server.mcp_servers.connection import BrokenOffError, CallFailedError
from akmatori_server.mcp_servers.models import Endpoint, Transport
from akmatori_server.mcp_servers.tool_type import ALLOW_WRITES, READ_FUNCTIONS
from akmatori_server.settings.route import Proxy, Route, direct
from akmatori_server.toolbox.kit import Kit
from akmatori_server.toolbox.models import (
    Access,
    Invocation,
    OutcomeUnknownError,
    Output,
    Plan,
    ToolFailedError,
)
from akmatori_server.toolbox.session import Session
from akmatori_server.tools.definition import ToolFunction
from akmatori_server.tools.models import OpenTool

CALL_SECONDS = 60.0


class McpServers(Protocol):
    """Where servers are stored."""

    def endpoint_of_type(self, name: str, /) -> Endpoint:
        """Return what is needed to reach the server that is a tool type."""
        ...


class McpKit(Kit):
    """MCP servers. A server is started or connected to once for an investigation, and ends with it."""

    def __init__(
        self,
        servers: McpServers,
        *,
        route: Route = direct,
        discovery_seconds: float = DISCOVERY_SECONDS,
        call_seconds: float = CALL_SECONDS,
    ) -> None:
        """Make the kit.

        Args:
            servers: where they are stored.
            route: the proxy on the way to a server over HTTP.
            discovery_seconds: for connecting to a server and for its list of tools.
            call_seconds: for one call.
        """
        self._servers = servers
        self._route = route
        self._discovery_seconds = discovery_seconds
        self._call_seconds = call_seconds

    async def functions(self, tool: OpenTool, session: Session) -> Sequence[ToolFunction]:
        """Ask the server what it offers.

        Raises:
            ToolFailedError: it cannot be reached, or offers nothing that can be used.
        """
        server = await self._server(tool, session)
        functions = [one.function for one in server.offered.functions.values()]
        if not functions and server.offered.complaints:
            raise ToolFailedError(server.redact(" ".join(told(server.offered.complaints))))
        return functions

    async def left_out(self, tool: OpenTool, session: Session) -> Sequence[str]:
        """Say which of the server's tools cannot be used."""
        server = await self._server(tool, session)
        return [server.redact(sentence) for sentence in told(server.offered.complaints)]

    def plan(self, call: Invocation) -> Plan:
        """Say whether a call reads, by what the server says of the function and what the tool's settings say."""
        reads = self._reads(call)
        return Plan(
            access=Access.READ if reads else Access.WRITE,
            summary=self._summary(call, reads=reads),
            # Connecting again may come on top.
            timeout_seconds=self._call_seconds + self._discovery_seconds,
        )

    def _reads(self, call: Invocation) -> bool:
        reads = call.function.read_only or call.function.name in _read_functions(call.tool)
        if not reads and call.tool.settings.get(ALLOW_WRITES) is not True:
            name = f"{call.tool.tool.type.name}.{call.function.name}"
            raise ToolFailedError(
                f"{name} may change something, and this tool only reads: an administrator can set {ALLOW_WRITES} in"
                f" its settings, or list the function in {READ_FUNCTIONS}."
            )
        return reads

    def _summary(self, call: Invocation, *, reads: bool) -> str:
        """Name the server; for what waits for a person also where it is, so that this is approved, too."""
        action = f"{call.function.name} on the MCP server {call.tool.tool.type.name}"
        if reads:
            return summary_of(action, call.arguments)
        try:
            endpoint = self._servers.endpoint_of_type(call.tool.tool.type.name)
        except (NotFound, SecretUnreadableError) as error:
            raise ToolFailedError(str(error)) from None
        place = shown_address(endpoint.url) if endpoint.transport is Transport.SSE else endpoint.command
        return summary_of(f"{action} ({place})", call.arguments, endpoint.secrets)

    async def run(self, call: Invocation, session: Session) -> Output:
        """Call the function. A read on a connection that is gone is made once more, on a new one."""
        is_read = self._reads(call)
        try:
            return await self._run_once(call, session, is_read=is_read)
        except BrokenOffError:
            await session.drop(_key(call.tool))
            if not is_read:
                raise OutcomeUnknownError(
                    "The connection to the MCP server broke off during the call."
                ) from None
        try:
            return await self._run_once(call, session, is_read=is_read)
        except BrokenOffError:
            await session.drop(_key(call.tool))
            raise ToolFailedError("The MCP server ended during the call, twice.") from None

    async def _run_once(self, call: Invocation, session: Session, *, is_read: bool) -> Output:
        server = await self._server(call.tool, session)
        remote = server.offered.functions.get(call.function.name)
        if remote is None:
            raise ToolFailedError(f"The MCP server does not offer {call.function.name} any more.")
        if is_read and not remote.function.read_only:
            raise ToolFailedError(f"The MCP server no longer says that {call.function.name} only reads.")
        try:
            result = await server.connection.call(
                remote.remote_name, call.arguments, seconds=self._call_seconds
            )
        except CallFailedError as error:
            failed = OutcomeUnknownError if error.may_have_happened else ToolFailedError
            raise failed(server.redact(f"The call of the MCP server failed: {error}")) from None
        output = output_of(result)
        return Output(
            value=server.redact.value(output.value),
            is_truncated=output.is_truncated,
            is_failure=output.is_failure,
        )

    async def _server(self, tool: OpenTool, session: Session) -> OpenServer:
        endpoint, proxy = await asyncio.to_thread(self._reached, tool.tool.type.name)

        def opening() -> AbstractAsyncContextManager[OpenServer]:
            return opened(
                endpoint,
                proxy=proxy,
                read_functions=_read_functions(tool),
                seconds=self._discovery_seconds,
            )

        try:
            # One that is given up may take a while to end, which is not waited for here.
            async with asyncio.timeout(self._discovery_seconds):
                return await session.shared(_key(tool), opening)
        except TimeoutError:
            raise ToolFailedError(too_slow(self._discovery_seconds)) from None

    def _reached(self, type_name: str) -> tuple[Endpoint, Proxy | None]:
        try:
            endpoint = self._servers.endpoint_of_type(type_name)
            return endpoint, self._route(endpoint.url) if endpoint.transport is Transport.SSE else None
        except (NotFound, SecretUnreadableError) as error:
            raise ToolFailedError(str(error)) from None
        except ValueError:
            raise ToolFailedError("The MCP server's URL names no host that can be reached.") from None


def _key(tool: OpenTool) -> str:
    # Not the server's: the settings of a tool decide what its functions are.
    return f"mcp:{tool.tool.id}"


def _read_functions(tool: OpenTool) -> frozenset[str]:
    return frozenset(cast("list[str]", tool.settings.get(READ_FUNCTIONS) or []))

"""Trying an MCP server: connecting, and listing its tools, within a limit of time."""

from __future__ import annotations

import asyncio

import attrs

from akmatori_server.mcp_servers.connecting import ConnectFailedError, connected
from akmatori_server.mcp_servers.connection import BrokenOffError, CallFailedError, OfferedTool
from akmatori_server.mcp_servers.models import Endpoint
from akmatori_server.settings.route import Proxy

LIMIT_SECONDS = 20


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
    """Ask a server what it offers. A program is started here, and ends here.

    Raises:
        ProbeFailedError: it cannot be reached, or did not answer in time.
    """
    try:
        async with asyncio.timeout(limit_seconds), connected(endpoint, proxy=proxy) as connection:
            return Offer(
                server_name=connection.server_name,
                server_version=connection.server_version,
                protocol_version=connection.protocol_version,
                tools=await connection.tools(),
            )
    except TimeoutError:
        raise ProbeFailedError(f"The server did not answer within {limit_seconds:g} seconds.") from None
    except ConnectFailedError as error:
        raise ProbeFailedError(str(error)) from None
    except CallFailedError as error:
        raise ProbeFailedError(f"The server does not tell its tools: {error}") from None
    except BrokenOffError:
        raise ProbeFailedError("The server ended the connection.") from None

"""One server, opened for one investigation: its connection, and what it offers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager

import attrs
import structlog

from akmatori_server.kits.mcp.offered import Offered, offered
from akmatori_server.mcp_servers.connecting import ConnectFailedError, connected
from akmatori_server.mcp_servers.connection import BrokenOffError, CallFailedError, Connection
from akmatori_server.mcp_servers.models import Endpoint
from akmatori_server.redaction import Redactor
from akmatori_server.settings.route import Proxy
from akmatori_server.toolbox.models import ToolFailedError

# For starting or connecting, and for the list of tools.
DISCOVERY_SECONDS = 10.0

_log = structlog.stdlib.get_logger("akmatori_server.kits.mcp")


@attrs.frozen
class OpenServer:
    """A server that answers. `redact` masks what it knows of secrets, which it may repeat."""

    connection: Connection
    offered: Offered
    redact: Redactor


@asynccontextmanager
async def opened(
    endpoint: Endpoint, *, proxy: Proxy | None, read_functions: Collection[str], seconds: float
) -> AsyncGenerator[OpenServer]:
    """Connect to a server and ask what it offers; a program ends with this.

    Raises:
        ToolFailedError: it cannot be reached, or did not answer in time.
    """
    failure: Exception | None = None
    try:
        limit = asyncio.timeout(seconds)
        async with limit, connected(endpoint, proxy=proxy) as connection:
            found = offered(await connection.tools(), server=endpoint.prefix, read_functions=read_functions)
            # From here on each call has a limit of its own.
            limit.reschedule(None)
            for complaint in found.complaints:
                _log.warning("mcp_tool_left_out", server=endpoint.prefix, reason=complaint)
            try:
                yield OpenServer(connection, found, Redactor(endpoint.secrets))
            except Exception as error:  # noqa: BLE001  the caller's, and not to be read as one of connecting
                failure = error
    except TimeoutError:
        raise ToolFailedError(too_slow(seconds)) from None
    except ConnectFailedError as error:
        raise ToolFailedError(str(error)) from None
    except CallFailedError as error:
        raise ToolFailedError(f"The server does not tell its tools: {error}") from None
    except BrokenOffError:
        raise ToolFailedError("The server ended the connection before it told its tools.") from None
    if failure is not None:
        raise failure


def too_slow(seconds: float) -> str:
    """Say that a server did not answer in time."""
    return f"The server did not say within {seconds:g} seconds what it offers."

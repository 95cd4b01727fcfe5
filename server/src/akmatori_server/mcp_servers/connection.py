"""What is done on a connection to an MCP server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import attrs

from akmatori_server.tools.redaction import without_secrets

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult

MOST_TOOLS = 1000
LONGEST_ERROR = 1000
LONGEST_CAUSE_LINES = 3


class BrokenOffError(Exception):
    """The connection is no longer there. Whether a call that was under way was made is not known."""


class CallFailedError(Exception):
    """The server answered that it cannot do it, or answered nonsense; the sentence holds no secret."""

    def __init__(self, sentence: str, *, may_have_happened: bool = False) -> None:
        super().__init__(sentence)
        # It did not answer, and may have done it all the same.
        self.may_have_happened = may_have_happened


@attrs.frozen(kw_only=True)
class OfferedTool:
    """A tool of a server, in the server's words. `is_read_only` is what it says of itself."""

    name: str
    description: str
    input_schema: dict[str, Any]
    is_read_only: bool = False


class Connection:
    """A connection to a server."""

    def __init__(self, client: Client, secrets: tuple[str, ...]) -> None:
        self._client = client
        self._secrets = secrets

    @property
    def server_name(self) -> str | None:
        """What the server calls itself."""
        info = self._client.server_info
        return None if info is None else info.name

    @property
    def server_version(self) -> str | None:
        """Its version, in its words."""
        info = self._client.server_info
        return None if info is None else info.version

    @property
    def protocol_version(self) -> str:
        """The version of MCP that is spoken."""
        return self._client.protocol_version

    async def tools(self) -> tuple[OfferedTool, ...]:
        """Ask for the tools.

        Raises:
            BrokenOffError: there is no connection any more.
            CallFailedError: the server does not tell them.
        """
        found: list[OfferedTool] = []
        cursor: str | None = None
        while len(found) < MOST_TOOLS:
            try:
                page = await self._client.list_tools(cursor=cursor)
            except Exception as error:  # noqa: BLE001  whatever a server does must become a sentence
                raise self._failure(error) from None
            found += [
                OfferedTool(
                    name=tool.name,
                    description=tool.description or "",
                    input_schema=dict(tool.input_schema),
                    is_read_only=tool.annotations is not None and tool.annotations.read_only_hint is True,
                )
                for tool in page.tools
            ]
            # One that names the same place again would go on for ever.
            if page.next_cursor is None or page.next_cursor == cursor:
                break
            cursor = page.next_cursor
        return tuple(found[:MOST_TOOLS])

    async def call(self, name: str, arguments: Mapping[str, Any], *, seconds: float) -> CallToolResult:
        """Call a tool by the server's own name for it.

        Raises:
            BrokenOffError: there is no connection any more.
            CallFailedError: the server cannot do it, or did not answer in time.
        """
        try:
            return await self._client.call_tool(name, dict(arguments), read_timeout_seconds=seconds)
        except Exception as error:  # noqa: BLE001  whatever a server does must become a sentence
            raise self._failure(error) from None

    def _failure(self, error: Exception) -> BrokenOffError | CallFailedError:
        import anyio
        import httpx2
        from mcp import MCPError
        from mcp.types import CONNECTION_CLOSED, REQUEST_TIMEOUT

        root = root_of(error)
        if isinstance(root, MCPError):
            # An HTTP server that was started anew has forgotten the session, which is told by a text only.
            if root.code == CONNECTION_CLOSED or str(root) == "Session terminated":
                return BrokenOffError()
            if root.code == REQUEST_TIMEOUT:
                return CallFailedError("it did not answer in time.", may_have_happened=True)
            return CallFailedError(f"{self._said(str(root)).rstrip('.')}.")
        if isinstance(
            root, (anyio.ClosedResourceError, anyio.BrokenResourceError, httpx2.TransportError, OSError)
        ):
            return BrokenOffError()
        # The libraries tell much about what they do not understand.
        lines = [line.strip() for line in str(root).splitlines()[:LONGEST_CAUSE_LINES]]
        return CallFailedError(
            self._said(f"its answer is not what MCP allows: {' '.join(lines)}").rstrip(".") + "."
        )

    def _said(self, text: str) -> str:
        return without_secrets(text, self._secrets)[:LONGEST_ERROR]


def root_of(error: BaseException | None) -> BaseException | None:
    """Return what lies at the bottom of a group of failures."""
    bottom = error
    while isinstance(bottom, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", bottom)
        bottom = group.exceptions[0]
    return bottom

"""MCP servers as tools: what a server offers is asked of it, and called on it."""

from akmatori_server.kits.mcp.kit import McpKit, McpServers
from akmatori_server.settings.route import Route, direct

__all__ = ["McpKit", "McpServers", "mcp_kit"]


def mcp_kit(servers: McpServers, *, route: Route = direct) -> McpKit:
    """Return the kit of every type that is an MCP server; `route` is the proxy of the settings for them."""
    return McpKit(servers, route=route)

"""MCP servers for tests, run as programs of their own: `python programs.py stdio`."""

from __future__ import annotations

import os
import sys
import time

from mcp.server.mcpserver import MCPServer


def main(how: str) -> None:
    """Serve, or fail in the way that is asked for."""
    if how == "silent":
        time.sleep(60)
    if how == "broken":
        print("cannot start with", os.environ.get("TOKEN"), file=sys.stderr, flush=True)
        sys.exit(3)
    server = make_server()
    server.run("stdio")


def make_server() -> MCPServer:
    """Return a server with two tools."""
    server = MCPServer("toolbox", version="1.4.0")

    @server.tool(description="Add two numbers.")
    def add(a: int, b: int) -> int:
        return a + b

    @server.tool(description=" ".join(sorted(os.environ)))
    def environment() -> str:
        return ""

    return server


if __name__ == "__main__":
    main(sys.argv[1])

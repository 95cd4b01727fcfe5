"""The tool type that an MCP server is. Its functions are asked for when they are needed, of the server itself."""

from __future__ import annotations

from typing import Any

from akmatori_server.mcp_servers.models import McpServer
from akmatori_server.tools.definition import TypeDefinition

VERSION = "1.0.0"
ALLOW_WRITES, READ_FUNCTIONS = "allow_writes", "read_functions"
SETTINGS: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        ALLOW_WRITES: {
            "type": "boolean",
            "default": False,
            "description": "Whether functions that may change something can be proposed; a person approves each call.",
        },
        READ_FUNCTIONS: {
            "type": "array",
            "maxItems": 200,
            "items": {"type": "string", "minLength": 1, "maxLength": 64},
            "description": "Functions that only read although the server does not say so of them.",
            "x-warning": "They are called without approval.",
            "x-advanced": True,
        },
    },
}


def type_of(server: McpServer) -> TypeDefinition:
    """Return the tool type."""
    return TypeDefinition(
        name=server.namespace_prefix,
        description=f"Tools of the MCP server {server.name}.",
        version=VERSION,
        settings=SETTINGS,
        functions=(),
    )

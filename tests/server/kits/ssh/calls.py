"""Calls of SSH tools, without anything stored."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from akmatori_server.toolbox.models import Invocation
from akmatori_server.tools.builtin import builtin_types
from akmatori_server.tools.models import OpenTool, SshKey, Tool, ToolType

NOW = datetime(2026, 11, 22, tzinfo=UTC)
KEY_ID = "7c4f2c1e-0000-4000-8000-000000000001"


def ssh_tool(private_key: str = "", **settings: Any) -> OpenTool:
    """A tool with one key, which is the default."""
    definition = next(one for one in builtin_types() if one.name == "ssh")
    kind = ToolType(
        id=1,
        name="ssh",
        description="",
        version="3",
        schema=definition.settings,
        functions=definition.functions,
        enabled=True,
        created_at=NOW,
        updated_at=NOW,
    )
    key = SshKey(
        id=KEY_ID,
        tool_id=7,
        name="key",
        sealed_key="",
        algorithm="ssh-ed25519",
        fingerprint="",
        is_default=True,
        created_at=NOW,
    )
    tool = Tool(
        id=7,
        type=kind,
        name="Prod",
        logical_name="prod",
        settings=settings,
        enabled=True,
        created_at=NOW,
        updated_at=NOW,
        keys=(key,) if private_key else (),
    )
    return OpenTool(tool=tool, settings=settings, private_keys={KEY_ID: private_key} if private_key else {})


def call(tool: OpenTool, function: str = "execute_command", **arguments: Any) -> Invocation:
    """A call of one of the tool's functions."""
    chosen = next(one for one in tool.tool.type.functions if one.name == function)
    return Invocation(tool=tool, function=chosen, arguments=arguments)

"""Calling a kit as the toolbox does, without an investigation around it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from akmatori_server.incidents.storable import JSON
from akmatori_server.toolbox.arguments import checked_arguments
from akmatori_server.toolbox.kit import Kit
from akmatori_server.toolbox.models import Invocation, Output
from akmatori_server.toolbox.session import Session
from akmatori_server.tools.builtin import builtin_types
from akmatori_server.tools.definition import ToolFunction, TypeDefinition
from akmatori_server.tools.models import OpenTool, Tool, ToolType

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def definition_of(type_name: str) -> TypeDefinition:
    """Return a built-in type."""
    return next(one for one in builtin_types() if one.name == type_name)


def open_tool(definition: TypeDefinition, settings: Mapping[str, Any]) -> OpenTool:
    """Return an instance of a type."""
    tool_type = ToolType(
        id=1,
        name=definition.name,
        description=definition.description,
        version=definition.version,
        schema=definition.settings,
        functions=definition.functions,
        enabled=True,
        created_at=NOW,
        updated_at=NOW,
    )
    tool = Tool(
        id=1,
        type=tool_type,
        name="Prod",
        logical_name="prod",
        settings=settings,
        enabled=True,
        created_at=NOW,
        updated_at=NOW,
    )
    return OpenTool(tool=tool, settings=settings, private_keys={})


def invocation(tool: OpenTool, function: str | ToolFunction, arguments: Mapping[str, JSON]) -> Invocation:
    """Return a call, its arguments checked and with their defaults."""
    if isinstance(function, str):
        function = next(one for one in tool.tool.type.functions if one.name == function)
    return Invocation(tool=tool, function=function, arguments=checked_arguments(function, arguments))


async def use(kit: Kit, tool: OpenTool, function: str, /, **arguments: JSON) -> Output:
    """Plan a call and make it."""
    call = invocation(tool, function, arguments)
    kit.plan(call)
    async with Session() as session:
        return await kit.run(call, session)

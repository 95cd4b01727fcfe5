"""Calling functions of a tool whose other side is a server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from akmatori_server.kits.http_api import http_kits
from akmatori_server.settings.route import direct
from akmatori_server.toolbox.arguments import checked_arguments
from akmatori_server.toolbox.kit import Kit
from akmatori_server.toolbox.models import Invocation, Output, Plan
from akmatori_server.toolbox.session import Session
from akmatori_server.tools.builtin import builtin_types
from akmatori_server.tools.models import OpenTool, Tool, ToolType

TOKEN = "t0k3n-of-the-tool"
LOGIN: dict[str, dict[str, Any]] = {
    "victoria_metrics": {"vm_bearer_token": TOKEN},
    "grafana": {"grafana_api_token": TOKEN},
    "pagerduty": {"pagerduty_api_token": TOKEN},
    "netbox": {"netbox_api_token": TOKEN},
    "catchpoint": {"catchpoint_api_token": TOKEN},
    "kubernetes": {"k8s_token": TOKEN},
    "jira": {"jira_username": "ann@example.net", "jira_api_token": TOKEN},
    "zabbix": {"zabbix_token": TOKEN},
}
ADDRESS = {
    "victoria_metrics": "vm_url",
    "kubernetes": "k8s_url",
    **{name: f"{name}_url" for name in ("grafana", "pagerduty", "netbox", "catchpoint", "jira", "zabbix")},
}
KITS = http_kits(lambda _service: direct)


def open_tool(type_name: str, url: str, **settings: Any) -> OpenTool:
    """Return a tool of a type; its token is set, it may write, and the network of this machine is allowed."""
    definition = next(one for one in builtin_types() if one.name == type_name)
    now = datetime(2026, 11, 22, tzinfo=UTC)
    of_type = ToolType(
        id=1,
        name=type_name,
        description=definition.description,
        version=definition.version,
        schema=definition.settings,
        functions=definition.functions,
        enabled=True,
        created_at=now,
        updated_at=now,
    )
    writes = "jira_allow_writes" if type_name == "jira" else "allow_writes"
    usual = {ADDRESS[type_name]: url, writes: True, "allowed_networks": ["127.0.0.0/8"], **LOGIN[type_name]}
    tool = Tool(
        id=7,
        type=of_type,
        name=type_name,
        logical_name=type_name,
        settings=None,
        enabled=True,
        created_at=now,
        updated_at=now,
    )
    return OpenTool(tool=tool, settings={**usual, **settings}, private_keys={})


def invocation(tool: OpenTool, function: str, arguments: Mapping[str, Any]) -> Invocation:
    """Return a call as the bench makes it."""
    found = next(one for one in tool.tool.type.functions if one.name == function)
    return Invocation(tool=tool, function=found, arguments=checked_arguments(found, arguments))


def plan(tool: OpenTool, function: str, **arguments: Any) -> Plan:
    """Plan a call."""
    return kit_of(tool).plan(invocation(tool, function, arguments))


def kit_of(tool: OpenTool) -> Kit:
    """Return the kit of a tool."""
    return KITS[tool.tool.type.name]


def run(tool: OpenTool, function: str, **arguments: Any) -> Output:
    """Make a call, with a session of its own."""

    async def main() -> Output:
        async with Session() as session:
            return await kit_of(tool).run(invocation(tool, function, arguments), session)

    return asyncio.run(main())

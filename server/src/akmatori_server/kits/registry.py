"""Every kit of this version, found by the type of a tool: the built-in ones, connectors, and MCP servers."""

from __future__ import annotations

from collections.abc import Mapping

from akmatori_server.database import Database
from akmatori_server.http_connectors.service import HttpConnectorService
from akmatori_server.kits.connectors import connector_kit
from akmatori_server.kits.http_api import http_kits
from akmatori_server.kits.mcp.kit import McpKit
from akmatori_server.kits.sql import sql_kits
from akmatori_server.kits.ssh.kit import ssh_kit
from akmatori_server.mcp_servers.service import McpServerService
from akmatori_server.outgoing.policy import Policy
from akmatori_server.settings.proxy import ProxyService
from akmatori_server.settings.service import SettingsService
from akmatori_server.toolbox.kit import Kit
from akmatori_server.toolbox.ports import KitOf
from akmatori_server.tools.models import ToolType


def registry(
    database: Database,
    settings: SettingsService,
    connectors: HttpConnectorService,
    mcp_servers: McpServerService,
    *,
    policy: Policy,
) -> KitOf:
    """Return what finds the kit of a type.

    Args:
        database: where SSH host keys are remembered.
        settings: tell the proxies.
        connectors: are types of their own, as they are at the moment of asking.
        mcp_servers: likewise.
        policy: where every tool may go; each one's settings may name more.
    """
    built_in: Mapping[str, Kit] = {
        **http_kits(settings.route, policy=policy),
        "ssh": ssh_kit(database, policy=policy),
        **sql_kits(policy),
    }
    of_connector = connector_kit(
        connectors, route=settings.route(ProxyService.HTTP_CONNECTORS), policy=policy
    )
    mcp = McpKit(mcp_servers, route=settings.route(ProxyService.MCP_SERVERS))

    def kit_of(kind: ToolType) -> Kit:
        # What is neither built in nor a connector is an MCP server; one that is gone says so when it is asked.
        return built_in.get(kind.name) or of_connector(kind) or mcp

    return kit_of

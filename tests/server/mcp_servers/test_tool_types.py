"""Each MCP server is a tool type, from the same moment on and as long as there is one."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from akmatori_server.errors import BadRequest, Conflict, NotFound
from akmatori_server.mcp_servers.models import McpServerMembers, Transport
from akmatori_server.mcp_servers.service import McpServerService
from akmatori_server.tools.builtin import NAMES
from akmatori_server.tools.models import ToolChanges
from akmatori_server.tools.tables import tool_types
from tests.server.tools.workshop import Workshop

GH = McpServerMembers(
    name="gh",
    transport=Transport.STDIO,
    command="npx",
    env_vars={"TOKEN": "ghp_the-token"},
    namespace_prefix="ext.gh",
)


@pytest.fixture
def servers(workshop: Workshop) -> McpServerService:
    """The service."""
    return McpServerService(workshop.database, workshop.secrets, workshop.audit, now=workshop.clock)


def create(servers: McpServerService) -> int:
    """Add a server."""
    with servers.transaction() as connection:
        return servers.create_in(connection, None, GH).id


def update(servers: McpServerService, server_id: int, members: McpServerMembers) -> None:
    """Change one."""
    with servers.transaction() as connection:
        servers.update_in(connection, None, server_id, members)


def types(workshop: Workshop) -> dict[str, bool]:
    """Return the types that are not built in, and whether they are enabled."""
    return {one.name: one.enabled for one in workshop.tools.types() if one.name not in NAMES}


def test_a_server_is_a_type_while_it_is_there(workshop: Workshop, servers: McpServerService) -> None:
    """It is renamed, disabled and deleted with it; tools made of it follow, and hold it."""
    server_id = create(servers)
    assert types(workshop) == {"ext.gh": True}
    tool_id = workshop.tool("ext.gh", "GitHub")
    assert workshop.tools.get(tool_id).logical_name == "github"

    update(servers, server_id, McpServerMembers(namespace_prefix="hub", enabled=False))
    assert types(workshop) == {"hub": False}
    tool = workshop.tools.get(tool_id)
    assert (tool.type.name, tool.type.enabled) == ("hub", False)
    with pytest.raises(NotFound):
        servers.endpoint_of_type("hub")
    update(servers, server_id, McpServerMembers(enabled=True))
    assert servers.endpoint_of_type("hub").environment == {"TOKEN": "ghp_the-token"}
    assert servers.secrets() == {"ghp_the-token"}
    with pytest.raises(NotFound):
        servers.endpoint_of_type("ext.gh")

    with pytest.raises(Conflict, match=r"GitHub\. Delete them first"), servers.transaction() as connection:
        servers.delete_in(connection, None, server_id)
    with workshop.tools.transaction() as connection:
        workshop.tools.delete_in(connection, None, tool_id)
    with servers.transaction() as connection:
        servers.delete_in(connection, None, server_id)
    assert types(workshop) == {}


def test_the_settings_of_its_tools(workshop: Workshop, servers: McpServerService) -> None:
    """None is needed."""
    create(servers)
    tool_id = workshop.tool("ext.gh", "GitHub", allow_writes=True, read_functions=["list_issues"])
    assert workshop.tools.opened(tool_id).settings["allow_writes"] is True
    changes = ToolChanges(settings={"allow_write": True})
    with pytest.raises(BadRequest) as caught, workshop.tools.transaction() as connection:
        workshop.tools.update_in(connection, None, tool_id, changes)
    assert "allow_writes" in str(caught.value.details)


def test_what_is_not_stored_makes_no_type(workshop: Workshop, servers: McpServerService) -> None:
    """Both, or none."""
    try:
        with servers.transaction() as connection:
            servers.create_in(connection, None, GH)
            connection.execute(sa.text("SELECT nonsense"))
    except sa.exc.DBAPIError:
        pass
    assert types(workshop) == {}
    assert servers.listing.all() == []


def test_servers_of_earlier_versions_become_types_at_the_start(
    workshop: Workshop, servers: McpServerService
) -> None:
    """And starting again changes nothing."""
    create(servers)
    with workshop.database.write() as connection:
        connection.execute(sa.delete(tool_types).where(tool_types.c.name == "ext.gh"))
    for _ in range(2):
        servers.seed_types()
        assert types(workshop) == {"ext.gh": True}

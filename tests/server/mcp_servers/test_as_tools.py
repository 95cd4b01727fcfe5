"""From an MCP server to a tool of a skill, over HTTP."""

from __future__ import annotations

import sys

import httpx

from tests.support.site import ON_SQLITE_ALONE

pytestmark = ON_SQLITE_ALONE


def test_a_server_becomes_a_tool_that_is_assigned_to_a_skill(admin: httpx.Client) -> None:
    """As the documentation tells it."""
    server = admin.post(
        "/api/mcp-servers",
        json={
            "name": "Repositories",
            "transport": "stdio",
            "command": sys.executable,
            "args": {"args": ["-m", "mcp_server_git"]},
            "namespace_prefix": "ext.git",
        },
    ).json()
    types = {one["name"]: one["id"] for one in admin.get("/api/tool-types").json()}
    assert admin.get("/mcp/tools").json()["ext.git"]["functions"] == []
    tool = admin.post("/api/tools", json={"tool_type_id": types["ext.git"], "name": "Git"})
    assert tool.status_code == 201, tool.text
    skill = admin.post("/api/skills", json={"name": "history", "description": "Looks.", "prompt": "Look."})
    assert skill.status_code == 201, skill.text
    assigned = admin.put("/api/skills/history/tools", json={"tool_instance_ids": [tool.json()["id"]]})
    assert [one["logical_name"] for one in assigned.json()["tools"]] == ["git"]

    refused = admin.delete(f"/api/mcp-servers/{server['id']}")
    assert refused.status_code == 409
    assert "Git" in refused.text
    assert admin.delete(f"/api/tools/{tool.json()['id']}").status_code == 204
    assert admin.delete(f"/api/mcp-servers/{server['id']}").status_code == 204

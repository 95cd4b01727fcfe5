"""Tools, connectors and MCP servers over HTTP: what a client of the real server sends and gets."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
import orjson
import pytest

from akmatori_server._generated.akmatori import bindings, stubs
from akmatori_server.database import Database
from akmatori_server.docs.handlers import read_specification
from akmatori_server.http.application import build_application
from akmatori_server.http.call import Pending, Scope
from akmatori_server.http.failures import render_akmatori
from akmatori_server.http.system import System
from akmatori_server.http_connectors.handlers import HttpConnectorHandlers
from akmatori_server.http_connectors.service import HttpConnectorService
from akmatori_server.http_connectors.trial import ConnectorTrial
from akmatori_server.mcp_servers.handlers import McpServerHandlers
from akmatori_server.mcp_servers.service import McpServerService
from akmatori_server.tools.handlers import ToolHandlers, ToolTypeHandlers
from akmatori_server.tools.opening import open_catalogue
from tests.server.http_connectors.billing import TOKEN, TOOLS, running_api
from tests.server.tools import key_texts
from tests.server.tools.workshop import make_workshop
from tests.support.databases import KINDS, copied_database
from tests.support.running import serve
from tests.support.toy import Keys

OURS = frozenset({"tool_types", "tools", "http_connectors", "mcp_servers"})
KEYS = {"admin": Scope.ADMIN, "write": Scope.WRITE, "read": Scope.READ}


def system(database: Database, *, is_open: bool) -> System:
    """Return the system with these operations; the others are pending."""
    workshop = make_workshop(database)
    connectors = HttpConnectorService(database, workshop.audit, now=workshop.clock)
    servers = McpServerService(database, workshop.secrets, workshop.audit, now=workshop.clock)
    others: dict[str, Any] = {field.name: Pending() for field in attrs.fields(stubs.Handlers)}
    document = orjson.loads(read_specification("akmatori", "openapi.json"))
    operations = bindings.OPERATIONS
    if is_open:
        document, operations = open_catalogue(document, operations)
    return System(
        name="akmatori",
        document=document,
        bindings=operations,
        handlers=stubs.Handlers(
            **{
                **others,
                "tool_types": ToolTypeHandlers(workshop.tools),
                "tools": ToolHandlers(workshop.tools, workshop.keys, workshop.trial),
                "http_connectors": HttpConnectorHandlers(
                    connectors, ConnectorTrial(connectors, workshop.tools)
                ),
                "mcp_servers": McpServerHandlers(servers),
            }
        ),
        pending=frozenset(one.id for one in operations if one.tag not in OURS),
        render_error=render_akmatori,
    )


@contextmanager
def running(
    kind: str, directory: Path, request: pytest.FixtureRequest, *, is_open: bool = False
) -> Generator[str]:
    """Run a server on a database of its own; every answer is checked against the specification."""
    with copied_database(kind, directory, request) as url, closing(Database.open(url)) as database:
        app = build_application(
            [system(database, is_open=is_open)],
            authenticator=Keys(KEYS),
            setup_required=lambda: False,
            observe=lambda **_: None,
            check_responses=True,
        )
        with serve(app) as base_url:
            yield base_url


@pytest.fixture(scope="module", params=KINDS)
def base_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """A running server, once for each database."""
    with running(request.param, tmp_path_factory.mktemp("tools"), request) as url:
        yield url


def client_of(base_url: str, key: str | None) -> httpx.Client:
    """Return a client with a key."""
    headers = {} if key is None else {"X-API-Key": key}
    return httpx.Client(base_url=base_url, headers=headers, timeout=60)


@pytest.fixture(scope="module")
def client(base_url: str) -> Generator[httpx.Client]:
    """A client that may do everything."""
    with client_of(base_url, "admin") as one:
        yield one


def type_id(client: httpx.Client, name: str) -> int:
    """Return the identifier of a tool type."""
    return next(int(one["id"]) for one in client.get("/api/tool-types").json() if one["name"] == name)


def test_the_life_of_a_tool(client: httpx.Client) -> None:
    """Created as the dashboard does, changed by sending back what was read, deleted."""
    settings = {"grafana_url": "https://grafana.example.net", "grafana_api_token": "glsa_0123456789"}
    body = {"tool_type_id": type_id(client, "grafana"), "name": "Life", "settings": settings}
    created = client.post("/api/tools", json=body)
    tool = created.json()
    path = f"/api/tools/{tool['id']}"
    form = {name: tool[name] for name in ("name", "logical_name", "settings", "enabled")}
    updated = client.put(path, json={**form, "logical_name": "", "name": "Other life"})
    wrong = client.put(path, json={"settings": {"grafana_url": "no", "grafana_tokn": "x"}})
    deleted = client.delete(path)

    assert created.status_code == 201
    assert created.headers["etag"]
    assert tool["settings"]["grafana_api_token"] == "****6789"
    assert tool["tool_type"]["name"] == "grafana"
    assert updated.status_code == 200
    assert updated.json()["logical_name"] == "other-life"
    assert updated.json()["settings"] == tool["settings"]
    assert wrong.status_code == 400
    assert set(wrong.json()["details"]) == {
        "settings.grafana_url",
        "settings.grafana_tokn",
        "settings.grafana_api_token",
    }
    assert deleted.status_code == 204
    assert client.get(path).status_code == 404
    assert client.delete(path).status_code == 404


def test_terraform_creates_a_tool_switched_off(client: httpx.Client) -> None:
    """It always sends `enabled`, and reads the type's name."""
    body = {"tool_type_id": type_id(client, "ssh"), "name": "Off", "enabled": False}
    answer = client.post("/api/tools", json=body)

    assert answer.status_code == 201
    assert (answer.json()["enabled"], answer.json()["tool_type"]["name"]) == (False, "ssh")


def test_a_tool_is_tried(client: httpx.Client, base_url: str) -> None:
    """By those who may write; what is wrong with it is an answer, too."""
    settings = {"grafana_url": "http://127.0.0.1:9", "grafana_api_token": "glsa_0123456789"}
    body = {
        "tool_type_id": type_id(client, "grafana"),
        "name": "Tried",
        "settings": settings,
        "enabled": False,
    }
    path = f"/api/tools/{client.post('/api/tools', json=body).json()['id']}"
    with client_of(base_url, "write") as writer, client_of(base_url, "read") as reader:
        tried = writer.post(f"{path}/test")
        assert reader.post(f"{path}/test").status_code == 403
        assert writer.post("/api/tools/9999/test").status_code == 404

    assert tried.status_code == 200
    assert (tried.json()["ok"], "version" in tried.json()) == (False, False)
    assert "allowed_networks of the tool's settings" in tried.json()["message"]
    assert tried.json()["function"] == "search_dashboards"
    assert client.delete(path).status_code == 204


def test_the_life_of_an_ssh_key(client: httpx.Client) -> None:
    """The private key goes in, and never comes out."""
    text = key_texts.openssh()
    body = {"tool_type_id": type_id(client, "ssh"), "name": "Keys"}
    path = f"/api/tools/{client.post('/api/tools', json=body).json()['id']}"
    first = client.post(f"{path}/ssh-keys", json={"name": "a", "private_key": text})
    second = client.post(f"{path}/ssh-keys", json={"name": "b", "private_key": text, "is_default": True})
    again = client.post(f"{path}/ssh-keys", json={"name": "a", "private_key": text})
    damaged = client.post(f"{path}/ssh-keys", json={"name": "c", "private_key": "x"})
    key = f"{path}/ssh-keys/{first.json()['id']}"
    renamed = client.put(key, json={"name": "c"})
    host = {"hostname": "h", "address": "10.0.0.1", "key_id": first.json()["id"]}
    used = client.put(path, json={"settings": {"ssh_hosts": [host], "ssh_keys": []}})
    in_use = client.delete(key)

    assert [first.status_code, second.status_code, again.status_code, damaged.status_code] == [
        201,
        201,
        409,
        400,
    ]
    assert renamed.json() == {**first.json(), "name": "c", "is_default": False}
    assert [one["name"] for one in used.json()["settings"]["ssh_keys"]] == ["c", "b"]
    assert in_use.status_code == 409
    listed = client.get(f"{path}/ssh-keys")
    assert [one["is_default"] for one in listed.json()] == [False, True]
    assert client.get(f"{path}/ssh-keys?per_page=1").json()["pagination"]["total_pages"] == 2
    assert text.splitlines()[1] not in listed.text + used.text + client.get("/api/tools").text
    client.put(path, json={"settings": {}})
    assert client.delete(key).status_code == 204


def test_the_life_of_a_connector(client: httpx.Client) -> None:
    """Declared, made a tool of, tried, and deleted after its tool."""
    body = {
        "tool_type_name": "billing",
        "base_url_field": "billing_url",
        "auth_config": {"method": "bearer_token", "token_field": "billing_token"},
        "tools": TOOLS,
    }
    created = client.post("/api/http-connectors", json=body)
    path = f"/api/http-connectors/{created.json()['id']}"
    with running_api() as api:
        settings = {"billing_url": api.url, "billing_token": TOKEN, "allow_private": True}
        tool = client.post(
            "/api/tools",
            json={"tool_type_id": type_id(client, "billing"), "name": "EU", "settings": settings},
        ).json()
        call = {"tool_instance_id": tool["id"], "tool": "get_invoice"}
        tried = client.post(f"{path}/test", json={**call, "arguments": {"id": "7"}})
        refused = client.post(f"{path}/test", json=call)
        slow = client.post(f"{path}/test", json={**call, "tool": "moved"})

    assert created.status_code == 201
    assert created.json()["tools"] == TOOLS
    assert tried.status_code == 200
    assert tried.json()["ok"] is True
    assert TOKEN not in tried.text
    assert (refused.status_code, set(refused.json()["details"])) == (400, {"arguments.id"})
    assert slow.json()["location"] == "http://169.254.169.254/latest"
    assert client.delete(path).status_code == 409
    assert client.put(path, json={"description": "New."}).json()["description"] == "New."
    client.delete(f"/api/tools/{tool['id']}")
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_the_life_of_an_mcp_server(client: httpx.Client) -> None:
    """Stored, changed by sending back its masks, tried, deleted."""
    body = {
        "name": "gh",
        "transport": "stdio",
        "command": "/not/there",
        "args": {"args": ["-y"]},
        "env_vars": {"TOKEN": "the-token-of-gh"},
        "namespace_prefix": "ext.gh",
    }
    created = client.post("/api/mcp-servers", json=body)
    path = f"/api/mcp-servers/{created.json()['id']}"
    updated = client.put(path, json={"env_vars": created.json()["env_vars"], "enabled": False})
    tried = client.post(f"{path}/test")

    assert created.status_code == 201
    assert created.json()["env_vars"] == {"TOKEN": "****f-gh"}
    assert "url" not in created.json()
    assert updated.json()["env_vars"] == {"TOKEN": "****f-gh"}
    assert (tried.status_code, tried.json()["ok"]) == (200, False)
    assert "/not/there is not there" in tried.json()["message"]
    assert client.post("/api/mcp-servers", json={**body, "args": ["-y"]}).status_code == 400
    assert client.post("/api/mcp-servers", json={**body, "name": "x"}).status_code == 409
    assert client.delete(path).status_code == 204
    assert client.post(f"{path}/test").status_code == 404


def test_lists_are_bare_arrays_unless_paged(client: httpx.Client) -> None:
    """As real clients expect."""
    for path in ("/api/tool-types", "/api/tools", "/api/http-connectors", "/api/mcp-servers"):
        assert isinstance(client.get(path).json(), list)
        assert client.get(f"{path}?page=1").json()["pagination"]["page"] == 1


def test_the_catalogue_needs_a_login(base_url: str, client: httpx.Client) -> None:
    """Any scope will do."""
    with client_of(base_url, None) as anonymous, client_of(base_url, "read") as reader:
        assert anonymous.get("/mcp/tools").status_code == 401
        catalogue = reader.get("/mcp/tools").json()

    assert catalogue["ssh"]["settings_schema"]["properties"]["ssh_debug"]["default"] is False
    assert client.get("/mcp/tools").json().keys() >= {"ssh", "jira"}


def test_the_operator_may_open_the_catalogue(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """That, and nothing beside it."""
    with running("sqlite", tmp_path, request, is_open=True) as url, client_of(url, None) as anonymous:
        assert "ssh" in anonymous.get("/mcp/tools").json()
        assert anonymous.get("/api/tool-types").status_code == 401
        assert anonymous.get("/api/tools").status_code == 401


def test_what_runs_programs_is_for_administrators(base_url: str) -> None:
    """Whoever may add an MCP server may run anything on the host."""
    with client_of(base_url, "write") as writer:
        assert writer.get("/api/mcp-servers").status_code == 200
        body = {"name": "x", "transport": "stdio", "command": "x", "namespace_prefix": "x"}
        assert writer.post("/api/mcp-servers", json=body).status_code == 403
        assert writer.put("/api/mcp-servers/1", json={"command": "x"}).status_code == 403
        assert writer.post("/api/mcp-servers/1/test").status_code == 403
        assert writer.delete("/api/mcp-servers/1").status_code == 403
        tool = {"tool_type_id": type_id(writer, "ssh"), "name": "By a writer"}
        assert writer.post("/api/tools", json=tool).status_code == 201

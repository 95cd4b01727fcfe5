"""MCP servers, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from akmatori_sdk._core.model import UNSET
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server._generated.akmatori import stubs
from akmatori_server.errors import BadRequest, Conflict, NotFound
from akmatori_server.mcp_servers.handlers import McpServerHandlers
from akmatori_server.mcp_servers.service import McpServerService
from tests.server.incidents.domain import call
from tests.server.tools.workshop import Workshop

GH = {
    "name": "gh",
    "transport": "stdio",
    "command": "npx",
    "args": {"args": ["-y", "some-server"]},
    "env_vars": {"TOKEN": "ghp_the-token", "SHORT": "abc"},
    "namespace_prefix": "ext.gh",
}
WEB = {
    "name": "web",
    "transport": "sse",
    "url": "https://mcp.example.net/mcp?team=1",
    "namespace_prefix": "web",
}
BEARER = {"method": "bearer_token", "token": "the-bearer-token"}


@attrs.frozen
class Bench:
    """MCP servers on one database."""

    workshop: Workshop
    servers: McpServerService
    handlers: McpServerHandlers

    def create(self, members: dict[str, Any] = GH, **others: Any) -> models.McpServer:
        """Add a server."""
        body = codec.decode_create_mcp_server_request({**members, **others})
        return self.handlers.create_mcp_server(call(), idempotency_key=UNSET, body=body).body

    def update(self, server_id: int, if_match: Any = UNSET, **members: Any) -> models.McpServer:
        """Change a server."""
        body = codec.decode_update_mcp_server_request(members)
        return self.handlers.update_mcp_server(call(), id=server_id, if_match=if_match, body=body).body


@pytest.fixture
def bench(workshop: Workshop) -> Bench:
    """The operations; they conform to what is generated from the contract."""
    servers = McpServerService(workshop.database, workshop.secrets, workshop.audit, now=workshop.clock)
    handlers: stubs.McpServers = McpServerHandlers(servers)
    assert isinstance(handlers, McpServerHandlers)
    return Bench(workshop, servers, handlers)


def test_a_server_is_shown_with_masks_and_without_what_is_empty(bench: Bench) -> None:
    """Each value of its environment is a secret; what works with the server gets them."""
    gh, web = bench.create(), bench.create(WEB, auth_config=BEARER)

    assert codec.encode_mcp_server(gh) == {
        "id": gh.id,
        "name": "gh",
        "transport": "stdio",
        "command": "npx",
        "args": {"args": ["-y", "some-server"]},
        "env_vars": {"TOKEN": "****oken", "SHORT": "****"},
        "namespace_prefix": "ext.gh",
        "enabled": True,
        "created_at": bench.workshop.clock.now,
        "updated_at": bench.workshop.clock.now,
    }
    assert web.auth_config == {"method": "bearer_token", "token": "****oken"}
    assert (web.url, web.command, web.args, web.env_vars) == (WEB["url"], UNSET, UNSET, UNSET)
    everything = bench.workshop.everything()
    assert not [secret for secret in ("ghp_the", "the-bearer") if secret in everything]
    endpoint = bench.servers.endpoint(gh.id)
    assert endpoint.environment == GH["env_vars"]
    assert (endpoint.command, endpoint.args) == ("npx", ("-y", "some-server"))
    assert bench.servers.endpoint(web.id).headers == {"Authorization": "Bearer the-bearer-token"}
    assert "ghp_the" not in repr(endpoint) + repr(bench.servers.get(gh.id))


@pytest.mark.parametrize(
    ("auth_config", "shown", "headers"),
    [
        (
            {"method": "basic_auth", "username": "u", "password": "pass-word"},
            {"method": "basic_auth", "username": "u", "password": "****word"},
            {"Authorization": "Basic dTpwYXNzLXdvcmQ="},
        ),
        (
            {"method": "api_key", "token": "key-of-mine"},
            {"method": "api_key", "token": "****mine"},
            {"X-API-Key": "key-of-mine"},
        ),
        (
            {"method": "api_key", "token": "key-of-mine", "header_name": "X-Own"},
            {"method": "api_key", "token": "****mine", "header_name": "X-Own"},
            {"X-Own": "key-of-mine"},
        ),
        (
            {"headers": {"X-Team": "ops-team", "X.Dotted": "dotted"}},
            {"headers": {"X-Team": "****team", "X.Dotted": "****tted"}},
            {"X-Team": "ops-team", "X.Dotted": "dotted"},
        ),
    ],
)
def test_how_requests_authenticate(
    bench: Bench, auth_config: dict[str, Any], shown: dict[str, Any], headers: dict[str, str]
) -> None:
    """In each of the ways there are; a mask sent back keeps the secret."""
    server = bench.create(WEB, auth_config=auth_config)

    assert server.auth_config == shown
    assert bench.update(server.id, auth_config=shown).auth_config == shown
    assert bench.servers.endpoint(server.id).headers == headers


@pytest.mark.parametrize(
    ("members", "places"),
    [
        ({**GH, "command": " "}, {"command"}),
        ({**WEB, "url": None}, {"url"}),
        ({**WEB, "url": "ftp://x"}, {"url"}),
        ({**WEB, "url": "https://user:pw@x.example.net"}, {"url"}),
        ({**WEB, "url": "https://x.example.net/#y"}, {"url"}),
        ({**GH, "name": " "}, {"name"}),
        ({**GH, "namespace_prefix": "a b"}, {"namespace_prefix"}),
        ({**GH, "namespace_prefix": "a..b"}, {"namespace_prefix"}),
        ({**GH, "env_vars": {"A=B": "x", "1": "y"}}, {"env_vars.A=B", "env_vars.1"}),
        ({**GH, "auth_config": BEARER}, {"auth_config"}),
        ({**WEB, "auth_config": {"method": "magic"}}, {"auth_config.method"}),
        ({**WEB, "auth_config": {"token": "x"}}, {"auth_config.method"}),
        ({**WEB, "auth_config": {"method": "bearer_token"}}, {"auth_config.token"}),
        ({**WEB, "auth_config": {"method": "bearer_token", "token": "a\nb"}}, {"auth_config.token"}),
        ({**WEB, "auth_config": {**BEARER, "secret": "x"}}, {"auth_config.secret"}),
        (
            {**WEB, "auth_config": {"headers": {"Host": "x", "a b": "x"}}},
            {"auth_config.headers.Host", "auth_config.headers.a b"},
        ),
        ({**WEB, "auth_config": {"headers": ["x"]}}, {"auth_config.headers"}),
        ({**WEB, "url": "", "name": "", "namespace_prefix": "-"}, {"url", "name", "namespace_prefix"}),
    ],
)
def test_what_breaks_a_rule_is_refused(bench: Bench, members: dict[str, Any], places: set[str]) -> None:
    """Every place at once, and nothing is stored."""
    with pytest.raises(BadRequest) as caught:
        bench.create(members)

    assert set(caught.value.details) == places
    assert bench.servers.listing.all() == []


def test_names_and_prefixes_are_unique_and_not_built_in(bench: Bench) -> None:
    """A server may keep its own."""
    gh, web = bench.create(), bench.create(WEB)

    for members in (
        {**WEB, "namespace_prefix": "other"},
        {**WEB, "name": "other", "namespace_prefix": "EXT.gh"},
        {**WEB, "name": "other", "namespace_prefix": "ssh"},
        {**WEB, "name": "other", "namespace_prefix": "jira"},
    ):
        with pytest.raises(Conflict):
            bench.create(members)
    for changes in ({"name": "gh"}, {"namespace_prefix": "ext.gh"}, {"namespace_prefix": "zabbix"}):
        with pytest.raises(Conflict):
            bench.update(web.id, **changes)
    assert bench.update(gh.id, name="gh", namespace_prefix="ext.gh").name == "gh"
    bench.handlers.delete_mcp_server(call(), id=gh.id)
    assert bench.create(name="again").namespace_prefix == "ext.gh"


def test_an_update_changes_what_was_sent_only(bench: Bench) -> None:
    """Objects are replaced as a whole, an empty one clears, a mask keeps, left out and null keep."""
    gh = bench.create()

    def environment() -> dict[str, str]:
        return dict(bench.servers.endpoint(gh.id).environment)

    bench.workshop.clock.tick()
    updated = bench.update(gh.id, command="uvx", env_vars=None, args=None, enabled=False)
    assert (updated.command, updated.enabled, updated.args) == ("uvx", False, gh.args)
    assert updated.updated_at == bench.workshop.clock.now
    assert environment() == GH["env_vars"]
    bench.update(gh.id, env_vars={"TOKEN": "****oken", "NEW": "value-of-it"})
    assert environment() == {"TOKEN": "ghp_the-token", "NEW": "value-of-it"}
    with pytest.raises(BadRequest, match="mask"):
        bench.update(gh.id, env_vars={"NEW": "****oken"})
    cleared = bench.update(gh.id, env_vars={}, args={})
    assert (cleared.env_vars, cleared.args) == (UNSET, UNSET)
    assert environment() == {}


def test_the_result_of_an_update_counts_as_a_whole(bench: Bench) -> None:
    """Another transport needs what it needs, and must not have what it has no use for."""
    web = bench.create(WEB, auth_config=BEARER)

    with pytest.raises(BadRequest) as caught:
        bench.update(web.id, transport="stdio")
    assert set(caught.value.details) == {"command", "auth_config"}
    updated = bench.update(web.id, transport="stdio", command="x", auth_config={})
    assert (updated.transport, updated.auth_config) == (models.McpTransport.STDIO, UNSET)
    assert bench.update(web.id, name="renamed").url == WEB["url"]


def test_an_update_of_what_was_not_read_is_refused(bench: Bench) -> None:
    """By the entity tag."""
    gh = bench.create()
    tag = bench.handlers.get_mcp_server(call(), id=gh.id).headers["ETag"]
    bench.update(gh.id, if_match=tag, enabled=False)

    with pytest.raises(Conflict, match="read it again"):
        bench.update(gh.id, if_match=tag, enabled=True)


@pytest.mark.parametrize(
    "operation",
    [
        lambda bench, number: bench.handlers.get_mcp_server(call(), id=number),
        lambda bench, number: bench.update(number, name="x"),
        lambda bench, number: bench.handlers.delete_mcp_server(call(), id=number),
    ],
    ids=["get", "update", "delete"],
)
@pytest.mark.parametrize("number", [987, 9007199254740991])
def test_an_unknown_id_is_not_found(
    bench: Bench, operation: Callable[[Bench, int], object], number: int
) -> None:
    """For every operation."""
    with pytest.raises(NotFound):
        operation(bench, number)


def test_the_list_is_in_the_order_of_creation(bench: Bench) -> None:
    """Bare, or in pages."""
    for name in "cab":
        bench.create(name=name, namespace_prefix=name)
    bare = bench.handlers.list_mcp_servers(call(), page=UNSET, per_page=UNSET)
    page = bench.handlers.list_mcp_servers(call(), page=2, per_page=2)

    assert isinstance(bare, list)
    assert [one.name for one in bare] == ["c", "a", "b"]
    assert isinstance(page, models.McpServerPage)
    assert page.data == bare[2:]
    assert page.pagination.total == 3


def test_every_write_is_in_the_audit_trail(bench: Bench) -> None:
    """With masks in place of secrets."""
    gh = bench.create()
    bench.update(gh.id, enabled=False)
    bench.handlers.delete_mcp_server(call(), id=gh.id)
    entries = bench.workshop.entries()

    assert [one.action for one in entries] == [
        "mcp_server:created",
        "mcp_server:updated",
        "mcp_server:deleted",
    ]
    assert entries[0].after is not None
    assert entries[0].after["env_vars"] == {"TOKEN": "****oken", "SHORT": "****"}
    assert entries[1].before == entries[0].after
    assert entries[2].before == entries[1].after


def test_a_key_makes_a_create_happen_once(bench: Bench) -> None:
    """A repeat gets the first answer."""
    body = codec.decode_create_mcp_server_request(GH)
    answers = [bench.handlers.create_mcp_server(call(), idempotency_key="k", body=body) for _ in range(2)]

    assert answers[0].body == answers[1].body
    assert len(bench.servers.listing.all()) == 1

"""HTTP connectors, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import attrs
import pytest

from akmatori_sdk._core.model import UNSET
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server._generated.akmatori import stubs
from akmatori_server.errors import BadRequest, Conflict, NotFound
from akmatori_server.http_connectors.handlers import HttpConnectorHandlers
from akmatori_server.http_connectors.service import HttpConnectorService
from akmatori_server.http_connectors.trial import ConnectorTrial
from akmatori_server.mcp_servers.models import McpServerMembers, Transport
from akmatori_server.mcp_servers.service import McpServerService
from akmatori_server.tools.handlers import ToolTypeHandlers
from tests.server.http_connectors.billing import BILLING, TOKEN, TOOLS, Api, running_api
from tests.server.incidents.domain import call
from tests.server.tools.workshop import Workshop


@attrs.frozen
class Bench:
    """Connectors beside tools."""

    workshop: Workshop
    connectors: HttpConnectorService
    handlers: HttpConnectorHandlers

    def create(self, name: str = "billing", **members: Any) -> models.HttpConnector:
        """Add a connector."""
        body = codec.decode_create_http_connector_request(
            {
                "tool_type_name": name,
                "base_url_field": BILLING.base_url_field,
                "description": BILLING.description,
                "auth_config": BILLING.auth_config,
                "tools": TOOLS,
                **members,
            }
        )
        return self.handlers.create_http_connector(call(), idempotency_key=UNSET, body=body).body

    def update(self, connector_id: int, if_match: Any = UNSET, **members: Any) -> models.HttpConnector:
        """Change a connector."""
        body = codec.decode_update_http_connector_request(members)
        return self.handlers.update_http_connector(call(), id=connector_id, if_match=if_match, body=body).body

    def try_out(
        self, connector_id: int, tool_id: int, tool: str = "get_invoice", /, **arguments: Any
    ) -> models.HttpConnectorTestResult:
        """Make one call."""
        body = models.TestHttpConnectorRequest(tool_instance_id=tool_id, tool=tool, arguments=arguments)
        return asyncio.run(self.handlers.test_http_connector(call(), id=connector_id, body=body))

    def type_names(self) -> list[str]:
        """Name the tool types that are not built in."""
        return [one.name for one in self.workshop.tools.types()][11:]


@pytest.fixture
def bench(workshop: Workshop) -> Bench:
    """The operations; they conform to what is generated from the contract."""
    connectors = HttpConnectorService(workshop.database, workshop.audit, now=workshop.clock)
    handlers: stubs.HttpConnectors = HttpConnectorHandlers(
        connectors, ConnectorTrial(connectors, workshop.tools)
    )
    assert isinstance(handlers, HttpConnectorHandlers)
    return Bench(workshop, connectors, handlers)


@pytest.fixture
def api() -> Generator[Api]:
    """The API behind the connector."""
    with running_api() as running:
        yield running


def test_a_connector_is_a_tool_type(bench: Bench) -> None:
    """Tools can be made of it; its secret is one, and its settings are checked."""
    connector = bench.create()
    settings = {"billing_url": "https://billing.example.net", "billing_token": TOKEN}
    tool = bench.workshop.tools.get(bench.workshop.tool("billing", "EU", **settings))

    assert connector.enabled
    assert codec.encode_http_tool_set(connector.tools) == TOOLS
    assert tool.type.name == "billing"
    assert bench.workshop.tools.shown(tool).settings == {**settings, "billing_token": "****0815"}
    assert TOKEN not in bench.workshop.everything()
    with pytest.raises(BadRequest) as caught:
        bench.workshop.tool("billing", "US", billing_url="x", region="us")
    assert set(caught.value.details) == {
        "settings.billing_url",
        "settings.billing_token",
        "settings.region",
    }


def test_the_catalogue_has_its_functions_while_it_is_enabled(bench: Bench) -> None:
    """With what they take, and whether they only read."""
    connector = bench.create()
    catalogue = ToolTypeHandlers(bench.workshop.tools)
    entry = catalogue.get_tool_catalogue(call())["billing"]

    assert entry.settings_schema["properties"]["billing_token"]["secret"] is True
    functions = {one.name: one for one in entry.functions}
    assert [name for name, one in functions.items() if not one.read_only] == ["pay", "peek"]
    assert (
        functions["get_invoice"].parameters
        == "id* (string), lines (integer), paid (boolean), X-Team (string)"
    )
    bench.update(connector.id, enabled=False)
    assert "billing" not in catalogue.get_tool_catalogue(call())


@pytest.mark.parametrize("name", ["ssh", "jira", "SSH", "incidents"])
def test_built_in_names_are_reserved(bench: Bench, name: str) -> None:
    """However they are spelt."""
    with pytest.raises(Conflict, match="built in"):
        bench.create(name)
    connector = bench.create()
    with pytest.raises(Conflict, match="built in"):
        bench.update(connector.id, tool_type_name=name)
    assert bench.type_names() == ["billing"]


def test_a_name_belongs_to_one_connector_or_mcp_server(bench: Bench) -> None:
    """A connector may keep its own, and give it free."""
    workshop = bench.workshop
    servers = McpServerService(workshop.database, workshop.secrets, workshop.audit, now=workshop.clock)
    server = McpServerMembers(name="x", transport=Transport.STDIO, command="x", namespace_prefix="gh")
    with servers.transaction() as connection:
        servers.create_in(connection, None, server)
    connector = bench.create()

    for name in ("gh", "billing", "Billing"):
        with pytest.raises(Conflict):
            bench.create(name)
    with pytest.raises(Conflict, match="an MCP server has the name gh"):
        bench.update(connector.id, tool_type_name="gh")
    with pytest.raises(Conflict), servers.transaction() as connection:
        servers.create_in(connection, None, attrs.evolve(server, name="y", namespace_prefix="billing"))
    assert bench.update(connector.id, tool_type_name="billing").tool_type_name == "billing"
    assert bench.update(connector.id, tool_type_name="invoices").tool_type_name == "invoices"
    assert bench.create("billing").tool_type_name == "billing"


def test_of_two_writers_at_once_one_gets_the_name(bench: Bench) -> None:
    """The others are told the conflict."""

    def attempt(_number: int) -> bool:
        try:
            bench.create()
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(attempt, range(4)))

    assert outcomes.count(True) == 1
    assert bench.type_names() == ["billing"]


def test_a_renamed_connector_keeps_its_tools(bench: Bench) -> None:
    """And a secret stays one, when its setting gets another name."""
    connector = bench.create()
    tool = bench.workshop.tool("billing", "EU", billing_url="https://b.example.net", billing_token=TOKEN)
    bench.update(
        connector.id,
        tool_type_name="invoices",
        auth_config={"method": "api_key", "token_field": "key", "header_name": "X-Key"},
    )
    shown = bench.workshop.tools.shown(bench.workshop.tools.get(tool))

    assert bench.type_names() == ["invoices"]
    assert shown.tool_type.name == "invoices"
    assert shown.settings == {"billing_url": "https://b.example.net", "billing_token": "****0815"}
    assert shown.tool_type.schema is not None
    assert shown.tool_type.schema["required"] == ["billing_url", "key"]


def test_a_definition_that_contradicts_itself_changes_nothing(bench: Bench) -> None:
    """Neither on create nor on update, where the result counts as a whole."""
    connector = bench.create()
    broken = {"tools": [{"name": "a", "http_method": "GET", "path": "/{{x}}"}]}

    with pytest.raises(BadRequest, match="not declared"):
        bench.create("other", tools=broken)
    with pytest.raises(BadRequest, match="not declared"):
        bench.update(connector.id, description="new", tools=broken)
    with pytest.raises(BadRequest, match="token_field"):
        bench.update(connector.id, base_url_field="billing_token")
    assert bench.handlers.get_http_connector(call(), id=connector.id).body == connector
    assert bench.type_names() == ["billing"]


def test_an_update_changes_what_was_sent_only(bench: Bench) -> None:
    """Left out and null keep."""
    connector = bench.create()
    bench.workshop.clock.tick()
    updated = bench.update(connector.id, description="New.", enabled=False, tools=None, auth_config=None)

    assert (updated.description, updated.enabled) == ("New.", False)
    assert (updated.tools, updated.auth_config) == (connector.tools, connector.auth_config)
    assert updated.updated_at == bench.workshop.clock.now
    tag = bench.handlers.get_http_connector(call(), id=connector.id).headers["ETag"]
    bench.update(connector.id, if_match=tag, description="Newer.")
    with pytest.raises(Conflict, match="read it again"):
        bench.update(connector.id, if_match=tag, description="Newest.")


def test_a_connector_that_tools_are_made_of_stays(bench: Bench) -> None:
    """The refusal names them."""
    connector = bench.create()
    tool = bench.workshop.tool("billing", "EU billing", billing_url="https://b", billing_token=TOKEN)

    with pytest.raises(Conflict, match="EU billing"):
        bench.handlers.delete_http_connector(call(), id=connector.id)
    with bench.workshop.tools.transaction() as connection:
        bench.workshop.tools.delete_in(connection, None, tool)
    bench.handlers.delete_http_connector(call(), id=connector.id)
    assert bench.type_names() == []
    with pytest.raises(NotFound):
        bench.handlers.delete_http_connector(call(), id=connector.id)


@pytest.mark.parametrize(
    "operation",
    [
        lambda bench, number: bench.handlers.get_http_connector(call(), id=number),
        lambda bench, number: bench.update(number, description="x"),
        lambda bench, number: bench.handlers.delete_http_connector(call(), id=number),
        lambda bench, number: bench.try_out(number, 1),
    ],
    ids=["get", "update", "delete", "test"],
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
        bench.create(name)
    bare = bench.handlers.list_http_connectors(call(), page=UNSET, per_page=UNSET)
    page = bench.handlers.list_http_connectors(call(), page=2, per_page=2)

    assert isinstance(bare, list)
    assert [one.tool_type_name for one in bare] == ["c", "a", "b"]
    assert isinstance(page, models.HttpConnectorPage)
    assert page.data == bare[2:]
    assert page.pagination.total == 3


def test_every_write_is_in_the_audit_trail(bench: Bench) -> None:
    """With what was before and after."""
    connector = bench.create()
    bench.update(connector.id, enabled=False)
    bench.handlers.delete_http_connector(call(), id=connector.id)
    entries = bench.workshop.entries()

    assert [one.action for one in entries] == [
        "http_connector:created",
        "http_connector:updated",
        "http_connector:deleted",
    ]
    assert entries[1].before == entries[0].after
    assert entries[2].before == entries[1].after


def test_a_test_makes_the_real_call(bench: Bench, api: Api) -> None:
    """With the tool's address and secret, which is masked wherever the API repeats it."""
    connector = bench.create()
    tool = bench.workshop.tool("billing", "EU", billing_url=api.url, billing_token=TOKEN, allow_private=True)
    result = bench.try_out(connector.id, tool, **{"id": "2026/104 a", "paid": True, "X-Team": "ops"})

    assert result.ok, result.message
    assert result.message == "The API answered 200."
    assert result.url == f"{api.url}/invoices/2026%2F104%20a?lines=50&paid=true"
    assert (result.status_code, result.content_type) == (200, "application/json")
    assert result.body == '{"sent": "Bearer ****"}'
    [(path, headers)] = api.requests
    assert path == "/api/invoices/2026%2F104%20a?lines=50&paid=true"
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["x-team"] == "ops"
    assert headers["host"] == f"127.0.0.1:{api.server_port}"


def test_what_the_api_does_wrong_is_told(bench: Bench, api: Api) -> None:
    """A redirect is not followed, a big answer is cut, a slow one and none at all are sentences."""
    connector = bench.create()
    tool = bench.workshop.tool(
        "billing", "EU", billing_url=api.url, billing_token=TOKEN, allow_private=True, timeout=1
    )
    moved = bench.try_out(connector.id, tool, "moved")
    huge = bench.try_out(connector.id, tool, "huge")
    slow = bench.try_out(connector.id, tool, "slow")
    strange = bench.try_out(connector.id, tool, "strange")
    missing = bench.try_out(connector.id, tool, id="404")

    assert (moved.ok, moved.location) == (False, "http://169.254.169.254/latest")
    assert "not followed" in moved.message
    assert (huge.ok, huge.truncated, len(str(huge.body))) == (True, True, 65536)
    assert (slow.ok, slow.message) == (
        False,
        f"127.0.0.1 port {api.server_port} did not answer within 1 seconds.",
    )
    assert slow.duration_ms < 5000
    assert slow.status_code is UNSET
    assert (strange.ok, strange.status_code) == (False, UNSET)
    assert (missing.ok, missing.status_code) == (False, 404)
    assert [path.removeprefix("/api/") for path, _ in api.requests] == [
        "moved",
        "huge",
        "slow",
        "strange",
        "invoices/404?lines=50",
    ]


def test_private_addresses_are_called_only_if_that_is_meant(bench: Bench, api: Api) -> None:
    """And link-local ones never."""
    connector = bench.create()
    closed = bench.workshop.tool("billing", "closed", billing_url=api.url, billing_token=TOKEN)
    cloud = bench.workshop.tool(
        "billing", "cloud", billing_url="http://169.254.169.254", billing_token=TOKEN, allow_private=True
    )

    refused = bench.try_out(connector.id, closed, id="1")
    assert (refused.ok, "allowed_networks" in refused.message) == (False, True)
    refused = bench.try_out(connector.id, cloud, id="1")
    assert (refused.ok, "never called" in refused.message) == (False, True)
    assert api.requests == []


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("pay", {"sum": "1"}, "may change something"),
        ("peek", {}, "may change something"),
        ("nothing", {}, "no such tool; it has get_invoice"),
        ("get_invoice", {}, "arguments.id: must be given"),
        ("get_invoice", {"id": 5}, "arguments.id: must be of the type string"),
        ("get_invoice", {"id": ".."}, "arguments.id: must not be empty"),
        ("get_invoice", {"id": "1", "lines": "2"}, "arguments.lines"),
        ("get_invoice", {"id": "1", "colour": "red"}, "arguments.colour: the call has no such parameter"),
        ("get_invoice", {"id": "1", "X-Team": "a\r\nHost: x"}, "arguments.X-Team"),
    ],
)
def test_what_may_not_be_tested_is_refused(
    bench: Bench, api: Api, tool: str, arguments: dict[str, Any], words: str
) -> None:
    """Before anything is sent."""
    connector = bench.create()
    tool_id = bench.workshop.tool(
        "billing", "EU", billing_url=api.url, billing_token=TOKEN, allow_private=True
    )

    with pytest.raises(BadRequest) as caught:
        bench.try_out(connector.id, tool_id, tool, **arguments)
    assert words in caught.value.message
    assert api.requests == []


def test_only_a_tool_of_the_connector_serves(bench: Bench) -> None:
    """One of another type, one that is not configured, and none at all are refused."""
    connector = bench.create()
    other, empty = bench.workshop.tool("ssh", "Hosts"), bench.workshop.tool("billing", "EU")

    for tool_id, words in ((other, "of the type ssh"), (987, "no tool"), (empty, "billing_url: must be set")):
        with pytest.raises(BadRequest, match=words):
            bench.try_out(connector.id, tool_id, id="1")

"""Calls of HTTP connectors in an investigation: through the same client and checks as every other request."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any

import pytest

from akmatori_server.database import Database
from akmatori_server.http_connectors.definition import parsed_definition
from akmatori_server.http_connectors.service import HttpConnectorService
from akmatori_server.http_connectors.settings_schema import type_of
from akmatori_server.kits.connectors import ConnectorKit, connector_kit
from akmatori_server.secrets.masking import MASK
from akmatori_server.toolbox.models import Access, Invocation, OutcomeUnknownError, Output, ToolFailedError
from akmatori_server.toolbox.session import Session
from akmatori_server.tools.models import OpenTool, Tool, ToolType
from tests.server.http_connectors.billing import BILLING, TOKEN
from tests.server.tools.workshop import make_workshop
from tests.support.origin import Asked, Origin, Reply, running_origin

DEFINITION = parsed_definition(
    tool_type_name=BILLING.tool_type_name,
    description=BILLING.description,
    base_url_field=BILLING.base_url_field,
    auth_config=BILLING.auth_config,
    tools=BILLING.tools,
)
KIT = ConnectorKit(DEFINITION)


@pytest.fixture
def origin() -> Generator[Origin]:
    """The API."""
    with running_origin() as running:
        yield running


def invocation(url: str, name: str, arguments: dict[str, Any], **settings: Any) -> Invocation:
    """Return a call of the connector's tool."""
    definition, now = type_of(DEFINITION), datetime(2026, 11, 22, tzinfo=UTC)
    of_type = ToolType(
        id=12,
        name=definition.name,
        description="",
        version="1",
        schema=definition.settings,
        functions=definition.functions,
        enabled=True,
        created_at=now,
        updated_at=now,
    )
    tool = Tool(
        id=3,
        type=of_type,
        name="EU",
        logical_name="eu",
        settings=None,
        enabled=True,
        created_at=now,
        updated_at=now,
    )
    usual = {"billing_url": url, "billing_token": TOKEN, "allowed_networks": ["127.0.0.0/8"]}
    return Invocation(
        tool=OpenTool(tool=tool, settings={**usual, **settings}, private_keys={}),
        function=next(one for one in definition.functions if one.name == name),
        arguments=arguments,
    )


def run(url: str, name: str, arguments: dict[str, Any], **settings: Any) -> Output:
    """Make a call."""

    async def main() -> Output:
        async with Session() as session:
            return await KIT.run(invocation(url, name, arguments, **settings), session)

    return asyncio.run(main())


def test_a_call_is_made_as_it_was_declared(origin: Origin) -> None:
    """Path, query, headers and credential; JSON becomes a value."""
    origin.reply = lambda _asked: Reply({"sum": 5, "sent": TOKEN})
    output = run(f"{origin.url}/api", "get_invoice", {"id": "2026/1", "paid": True, "X-Team": "ops"})

    assert output.value == {"sum": 5, "sent": "****"}
    [asked] = origin.asked
    assert asked.target == "/api/invoices/2026%2F1?lines=50&paid=true"
    assert (asked.headers["authorization"], asked.headers["x-team"]) == (f"Bearer {TOKEN}", "ops")
    origin.reply = lambda _asked: Reply("plain")
    assert run(origin.url, "huge", {}).value == "plain"


def test_what_was_sent_and_not_answered_may_have_been_done(origin: Origin) -> None:
    """Whoever approved it must look; what could not even be sent was not done."""

    def breaking_off(_asked: Asked) -> Reply:
        raise ConnectionAbortedError

    origin.reply = breaking_off
    with pytest.raises(OutcomeUnknownError):
        run(origin.url, "pay", {"sum": "5"}, allow_writes=True)
    with pytest.raises(ToolFailedError) as refused:
        run("http://127.0.0.1:9", "pay", {"sum": "5"}, allow_writes=True)
    assert not isinstance(refused.value, OutcomeUnknownError)


def test_writes_need_to_be_allowed(origin: Origin) -> None:
    """And then are planned as such; also a GET that is declared to write."""
    for name, arguments in (("pay", {"sum": "5"}), ("peek", {})):
        with pytest.raises(ToolFailedError, match="allow_writes in its settings"):
            KIT.plan(invocation(origin.url, name, arguments))
        with pytest.raises(ToolFailedError, match="allow_writes in its settings"):
            run(origin.url, name, arguments)
        plan = KIT.plan(invocation(origin.url, name, arguments, allow_writes=True))
        assert plan.access is Access.WRITE
    assert origin.asked == []
    run(origin.url, "pay", {"sum": "5"}, allow_writes=True)
    assert (origin.asked[0].method, origin.asked[0].json) == ("POST", {"sum": "5"})
    plan = KIT.plan(invocation(origin.url, "get_invoice", {"id": "7"}, timeout=9))
    assert (plan.access, plan.summary) == (Access.READ, f'GET {origin.url}/invoices/7 with {{"id":"7"}}')
    # What a person approves shows where it goes, and no secret.
    with_login = origin.url.replace("://", "://user:pass@")
    told = KIT.plan(invocation(with_login, "get_invoice", {"id": TOKEN})).summary
    assert told == f'GET {origin.url}/invoices/{MASK} with {{"id":"{MASK}"}}'
    assert plan.timeout_seconds > 9


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "check billing_token"),
        (403, "need the permission"),
        (404, "check the arguments, or billing_url"),
        (302, "redirects, which is not followed"),
        (422, "check the arguments and billing_url. It says: no **** please"),
        (500, "a problem of its own"),
    ],
)
def test_refusals_say_what_to_do(origin: Origin, status: int, words: str) -> None:
    """Without the token."""
    headers = {"Location": f"{origin.url}/x"} if status == 302 else {}
    origin.reply = lambda _asked: Reply(f"no {TOKEN} please", status, headers)
    with pytest.raises(ToolFailedError) as caught:
        run(origin.url, "huge", {})
    assert words in str(caught.value)
    assert TOKEN not in str(caught.value)
    assert len(origin.asked) == 1


def test_addresses_are_checked(origin: Origin) -> None:
    """As everywhere; and what is not configured, or does not fit, is said."""
    for settings, words in (
        ({"allowed_networks": []}, "private address"),
        ({"billing_url": "http://169.254.169.254", "allow_private": True}, "never called"),
        ({"allowed_networks": ["x"]}, "x is not a network"),
        ({"billing_token": ""}, "billing_token must be set"),
    ):
        with pytest.raises(ToolFailedError, match=words):
            run(origin.url, "huge", {}, **settings)
    with pytest.raises(ToolFailedError, match=r"arguments\.id must not be empty"):
        run(origin.url, "get_invoice", {"id": ".."})
    assert origin.asked == []


def test_a_type_finds_its_connector(database: Database) -> None:
    """By its name, as the connector is at that moment; other types are somebody else's."""
    workshop = make_workshop(database)
    connectors = HttpConnectorService(workshop.database, workshop.audit, now=workshop.clock)
    with connectors.transaction() as connection:
        connectors.create_in(connection, None, BILLING)
    kit_of = connector_kit(connectors)
    types = {one.name: one for one in workshop.tools.types()}

    assert isinstance(kit_of(types["billing"]), ConnectorKit)
    assert kit_of(types["grafana"]) is None

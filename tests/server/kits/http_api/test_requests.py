"""Every function of every HTTP type sends what its vendor's API wants: compared with a table written by hand."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Generator
from typing import Any

import pytest

from akmatori_server.toolbox.models import Access
from akmatori_server.toolbox.session import Session
from akmatori_server.tools.builtin import builtin_types
from tests.server.kits.http_api.calling import KITS, TOKEN, invocation, kit_of, open_tool
from tests.server.kits.http_api.expected import EXPECTED, Row
from tests.support.origin import Asked, Origin, Reply, running_origin

BASIC = "Basic " + base64.b64encode(f"ann@example.net:{TOKEN}".encode()).decode()
CREDENTIALS = {
    "victoria_metrics": f"Bearer {TOKEN}",
    "grafana": f"Bearer {TOKEN}",
    "pagerduty": f"Token token={TOKEN}",
    "catchpoint": f"Bearer {TOKEN}",
    "netbox": f"Token {TOKEN}",
    "kubernetes": f"Bearer {TOKEN}",
    "jira": BASIC,
    "zabbix": f"Bearer {TOKEN}",
}
VERSION = "7.4.0"


@pytest.fixture(scope="module")
def origin() -> Generator[Origin]:
    """The other side."""
    with running_origin() as running:
        yield running


def answering(body: Any) -> Any:
    """Answer with a body; Zabbix tells its version before."""

    def reply(asked: Asked) -> Reply:
        if b"apiinfo.version" in asked.body:
            assert "authorization" not in asked.headers
            return Reply({"jsonrpc": "2.0", "id": 1, "result": VERSION})
        return Reply(body)

    return reply


def test_no_function_is_without_a_row() -> None:
    """And no HTTP type without a table."""
    catalogue = {one.name: [f.name for f in one.functions] for one in builtin_types() if one.name in KITS}

    assert {name: [row.function for row in rows] for name, rows in EXPECTED.items()} == catalogue


@pytest.mark.parametrize("type_name", list(EXPECTED))
def test_what_a_type_sends(type_name: str, origin: Origin) -> None:
    """Method, path, query, body, credentials; what is remembered for how long; whether it writes."""
    more = {"pagerduty_events_url": origin.url} if type_name == "pagerduty" else {}
    tool = open_tool(type_name, origin.url, **more)

    async def main() -> None:
        async with Session() as session:
            for row in EXPECTED[type_name]:
                call = invocation(tool, row.function, row.arguments)
                origin.reply = answering(row.answer)
                origin.asked.clear()
                plan = kit_of(tool).plan(call)
                assert origin.asked == []
                output = await kit_of(tool).run(call, session)
                compare(type_name, row, origin.asked[-1])
                assert plan.cache_seconds == row.cache, row.function
                is_read = call.function.read_only or row.function == "api_request"
                assert plan.access is (Access.READ if is_read else Access.WRITE), row.function
                assert plan.summary.startswith(f"{row.function} ({row.method} {origin.url}/"), plan.summary
                assert TOKEN not in plan.summary
                assert "R0UT1NG" not in plan.summary
                if row.gives is not None:
                    assert output.value == row.gives, row.function

    asyncio.run(main())


def compare(type_name: str, row: Row, asked: Asked) -> None:
    """Compare a request with its row."""
    assert (asked.method, asked.path) == (row.method, row.path), row.function
    assert asked.query == row.query, row.function
    if row.form is not None:
        assert asked.form == row.form, row.function
    else:
        assert asked.json == row.body, row.function
    for name, value in row.headers.items():
        assert asked.headers[name] == value, row.function
    # Events have a key of their own.
    credential = None if row.function == "send_event" else CREDENTIALS[type_name]
    assert asked.headers.get("authorization") == credential, row.function

"""The functions of a ClickHouse tool."""

from __future__ import annotations

from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.clickhouse.running import MARGIN_SECONDS, run
from akmatori_server.kits.clickhouse.settings import Settings, parsed_settings
from akmatori_server.kits.clickhouse.statement import parsed
from akmatori_server.kits.clickhouse.statements import CACHE_SECONDS, own_statement
from akmatori_server.outgoing.client import Client
from akmatori_server.outgoing.policy import PUBLIC_ONLY, Policy
from akmatori_server.toolbox.kit import Kit
from akmatori_server.toolbox.models import Access, Invocation, Output, Plan, ToolFailedError, TrialCall
from akmatori_server.toolbox.session import Session
from akmatori_server.tools.models import OpenTool

EXECUTE = "execute_query"
DEFAULT_ROWS, MOST_ROWS = 100, 1000
SHORTEST_SECONDS, LONGEST_SECONDS = 5, 300
LONGEST_SUMMARY = 200


class ClickHouseKit(Kit):
    """ClickHouse, for reading, over its HTTP interface."""

    def __init__(self, policy: Policy = PUBLIC_ONLY) -> None:
        """Make the kit; `policy` says where the whole installation may connect to."""
        self._policy = policy

    def trial(self, tool: OpenTool) -> TrialCall:
        """Ask for the version."""
        del tool
        return TrialCall(
            function=EXECUTE,
            arguments={"query": "SELECT version()"},
            proves="ClickHouse was reached, and let the user in.",
            version="rows.0.0",
        )

    def plan(self, call: Invocation) -> Plan:
        """Read the statement, and refuse all that does not only read."""
        settings = parsed_settings(call.tool.settings, self._policy)
        name = call.function.name
        if name not in CACHE_SECONDS:
            raise ToolFailedError(f"There is no function {name}.")
        summary = parsed(_text(call)) if name == EXECUTE else f"{name} in {settings.place}"
        return Plan(
            access=Access.READ,
            summary=" ".join(summary.split())[:LONGEST_SUMMARY],
            timeout_seconds=_seconds(call, settings) + 2 * MARGIN_SECONDS,
            cache_seconds=CACHE_SECONDS[name],
        )

    async def run(self, call: Invocation, session: Session) -> Output:
        """Run the statement."""
        settings = parsed_settings(call.tool.settings, self._policy)
        client = await session.shared(f"clickhouse:{call.tool.tool.id}", lambda: _client(settings))
        seconds, name = _seconds(call, settings), call.function.name
        if name == EXECUTE:
            limit = _limit(call.arguments.get("limit"))
            return await run(client, settings, parsed(_text(call)), limit=limit, seconds=seconds)
        text, parameters = own_statement(name, call.arguments, settings.database)
        output = await run(
            client, settings, text.strip(), limit=MOST_ROWS, seconds=seconds, parameters=parameters
        )
        if name == "describe_table" and isinstance(output.value, dict) and not output.value["rows"]:
            table, database = parameters["table"], parameters["database"]
            raise ToolFailedError(f"There is no table {table} in {database} that this user may see.")
        return output


def _client(settings: Settings) -> Client:
    try:
        return Client(policy=settings.policy, ca_pem=settings.ca_pem)
    except ValueError:
        raise ToolFailedError("The tool's setting ch_ca_cert has no certificate that can be read.") from None


def _text(call: Invocation) -> str:
    return str(call.arguments.get("query", ""))


def _limit(limit: JSON) -> int:
    return min(max(limit if isinstance(limit, int) else DEFAULT_ROWS, 1), MOST_ROWS)


def _seconds(call: Invocation, settings: Settings) -> int:
    wanted = call.arguments.get("timeout_seconds")
    seconds = wanted if isinstance(wanted, int) else settings.timeout_seconds
    return min(max(seconds, SHORTEST_SECONDS), LONGEST_SECONDS)

"""The functions of a PostgreSQL tool."""

from __future__ import annotations

from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.postgresql.settings import parsed_settings
from akmatori_server.kits.postgresql.statement import parsed, query
from akmatori_server.kits.postgresql.statements import CACHE_SECONDS, OWN
from akmatori_server.outgoing.policy import PUBLIC_ONLY, Policy
from akmatori_server.toolbox.kit import Kit
from akmatori_server.toolbox.models import Access, Invocation, Output, Plan, ToolFailedError, TrialCall
from akmatori_server.toolbox.session import Session
from akmatori_server.tools.models import OpenTool

EXECUTE, EXPLAIN = "execute_query", "explain_query"
DEFAULT_ROWS, MOST_ROWS = 100, 1000
LONGEST_SUMMARY = 200
# Connecting and closing take their time beside the statement's.
MARGIN_SECONDS = 15.0


class PostgresKit(Kit):
    """PostgreSQL, for reading. Every call has a connection and a transaction of its own."""

    def __init__(self, policy: Policy = PUBLIC_ONLY) -> None:
        """Make the kit; `policy` says where the whole installation may connect to."""
        self._policy = policy

    def trial(self, tool: OpenTool) -> TrialCall:
        """Ask for the version."""
        del tool
        return TrialCall(
            function=EXECUTE,
            arguments={"query": "SHOW server_version"},
            proves="The database was reached, and let the user in.",
            version="rows.0.0",
        )

    def plan(self, call: Invocation) -> Plan:
        """Read the statement, and refuse all that does not only read."""
        settings = parsed_settings(call.tool.settings, self._policy)
        name = call.function.name
        summary = f"{name} in {settings.place}"
        if name == EXECUTE:
            summary = parsed(_text(call)).text
        elif name == EXPLAIN:
            summary = f"EXPLAIN {query(_text(call))}"
        elif name not in OWN:
            raise ToolFailedError(f"There is no function {name}.")
        return Plan(
            access=Access.READ,
            summary=" ".join(summary.split())[:LONGEST_SUMMARY],
            timeout_seconds=settings.timeout_seconds + MARGIN_SECONDS,
            cache_seconds=CACHE_SECONDS[name],
        )

    async def run(self, call: Invocation, session: Session) -> Output:
        """Run the statement."""
        # The driver is loaded by the first call: an installation without such a tool need not wait for it.
        from akmatori_server.kits.postgresql.running import explained, run_own, run_statement

        del session
        settings = parsed_settings(call.tool.settings, self._policy)
        name = call.function.name
        if name == EXECUTE:
            return await run_statement(settings, parsed(_text(call)), _limit(call.arguments.get("limit")))
        if name == EXPLAIN:
            return await explained(settings, query(_text(call)))
        text, parameters = OWN[name](call.arguments)
        output = await run_own(settings, text, parameters)
        if name == "describe_table" and isinstance(output.value, dict) and not output.value["rows"]:
            table, schema = call.arguments["table_name"], call.arguments.get("schema", "public")
            raise ToolFailedError(f"There is no table {table} in the schema {schema} that this user may see.")
        return output


def _text(call: Invocation) -> str:
    return str(call.arguments.get("query", ""))


def _limit(limit: JSON) -> int:
    return min(max(limit if isinstance(limit, int) else DEFAULT_ROWS, 1), MOST_ROWS)

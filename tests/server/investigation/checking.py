"""Tools that answer what a test says, for the rule investigator to ask."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import attrs
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from akmatori_server.audit import AuditTrail
from akmatori_server.crypto import SecretBox
from akmatori_server.database import Database
from akmatori_server.incidents.storable import JSON
from akmatori_server.investigation import Runner
from akmatori_server.investigation.rules import RuleInvestigator
from akmatori_server.runbooks.tables import runbooks
from akmatori_server.toolbox.bench import Desk
from akmatori_server.toolbox.kit import Kit
from akmatori_server.toolbox.limits import CallLimits
from akmatori_server.toolbox.models import Access, Invocation, Output, Plan, ToolFailedError
from akmatori_server.toolbox.session import Session
from akmatori_server.toolbox.toolbox import Toolbox
from akmatori_server.tools import store as tools_store
from akmatori_server.tools.builtin import builtin_types
from akmatori_server.tools.models import NewTool
from akmatori_server.tools.service import ToolService
from tests.server.investigation.cases import NOW, disk_alert
from tests.server.investigation.test_journal import log_of, new_incident, row_of

Answer = Callable[[Invocation], Awaitable[JSON]]
PASSWORD = "vm-Passw0rd-4711"


async def _nothing(call: Invocation) -> JSON:
    raise ToolFailedError(f"nothing is known about {call.function.name}")


@attrs.define
class Lab(Kit):
    """Every kind of tool: it answers as the test says, and remembers what it was asked."""

    answer: Answer = _nothing
    asked: list[Invocation] = attrs.field(factory=list[Invocation])

    def plan(self, call: Invocation) -> Plan:
        """Read, or write."""
        return Plan(
            access=Access.READ if call.function.read_only else Access.WRITE, summary=call.function.name
        )

    async def run(self, call: Invocation, session: Session) -> Output:
        """Answer."""
        del session
        self.asked.append(call)
        return Output(value=await self.answer(call))

    def answers(self, values: Mapping[str, JSON]) -> None:
        """Answer the functions with these values, and fail with all others."""

        async def answer(call: Invocation) -> JSON:
            await asyncio.sleep(0)
            return values[call.function.name] if call.function.name in values else await _nothing(call)

        self.answer = answer

    @property
    def arguments(self) -> list[dict[str, JSON]]:
        """What was asked for, in the order of the names of the functions."""
        return [dict(call.arguments) for call in sorted(self.asked, key=lambda call: str(call.arguments))]


def make_toolbox(database: Database, lab: Kit, tools: Mapping[str, tuple[str, Mapping[str, Any]]]) -> Toolbox:
    """Make tools (logical name to type and settings), all of which one kit answers for."""
    audit = AuditTrail(database, now=lambda: NOW)
    service = ToolService(database, SecretBox([Fernet.generate_key().decode()]), audit, now=lambda: NOW)
    with database.write() as connection:
        for definition in builtin_types():
            tools_store.put_type(connection, definition, now=NOW)
        types = {one.name: one.id for one in tools_store.types(connection)}
    with service.transaction() as connection:
        for name, (type_name, settings) in tools.items():
            service.create_in(
                connection, None, NewTool(tool_type_id=types[type_name], name=name, settings=dict(settings))
            )
    desk = Desk(
        database=database,
        audit=audit,
        propose=lambda _connection, _request: "00000000-0000-4000-8000-000000000001",
        now=lambda: NOW,
        limits=CallLimits(per_second=1000),
    )
    return Toolbox(desk, service, lambda _type: lab)


PROMETHEUS = (
    "victoria_metrics",
    {"vm_url": "http://prom.example.net:9090", "vm_auth_method": "none", "vm_password": PASSWORD},
)


def add_runbook(database: Database, title: str, content: str) -> None:
    """Store a runbook as if it had been edited on disk: nothing is checked."""
    row = {"title": title, "content": content, "created_at": NOW, "updated_at": NOW}
    with database.write() as connection:
        connection.execute(sa.insert(runbooks).values(row))


def vector(*values: float, **labels: str) -> JSON:
    """What Prometheus answers to an instant query."""
    return {
        "resultType": "vector",
        "result": [{"metric": dict(labels), "value": [1795000000.0, str(value)]} for value in values],
    }


# What a database has no part in is tried on one of them.
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def investigated(
    database: Database,
    lab: Lab,
    *,
    tools: dict[str, Any] | None = None,
    toolbox: Toolbox | None = None,
    context: dict[str, Any] | None = None,
    incident_id: int | None = None,
    **options: Any,
) -> tuple[str, str]:
    """Run an investigation to its end; return the report and the log."""
    toolbox = toolbox or make_toolbox(database, lab, {"prometheus": PROMETHEUS} if tools is None else tools)
    options = {"first_look": False, **options}
    investigator = RuleInvestigator(database, now=lambda: NOW, tools=toolbox, **options)
    incident_id = incident_id or new_incident(
        database, source="alertmanager", context=context or disk_alert()
    )
    asyncio.run(Runner(database, investigator, now=lambda: NOW).run(incident_id))
    return row_of(database, incident_id).response, log_of(database, incident_id)

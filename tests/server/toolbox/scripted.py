"""A kit that does what a test tells it, and a bench on a real database to use it with."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import attrs
import sqlalchemy as sa
from cryptography.fernet import Fernet

from akmatori_server.audit import AuditTrail
from akmatori_server.crypto import SecretBox
from akmatori_server.database import Database
from akmatori_server.incidents.storable import JSON
from akmatori_server.investigation import Journal
from akmatori_server.skills.tables import skill_tools, skills
from akmatori_server.toolbox.bench import Bench, Desk
from akmatori_server.toolbox.kit import Kit
from akmatori_server.toolbox.limits import CallLimits
from akmatori_server.toolbox.models import Access, Invocation, Output, Plan
from akmatori_server.toolbox.ports import WriteRequest
from akmatori_server.toolbox.session import Session
from akmatori_server.toolbox.toolbox import Toolbox
from akmatori_server.tools import store as tools_store
from akmatori_server.tools.definition import ToolFunction, TypeDefinition
from akmatori_server.tools.models import NewTool
from akmatori_server.tools.service import ToolService
from tests.server.investigation.cases import NOW
from tests.server.investigation.test_journal import new_incident

TOKEN = "vk-0123456789-secret"
LOOK = ToolFunction(
    name="look",
    description="Looks.",
    read_only=True,
    parameters={
        "type": "object",
        "additionalProperties": False,
        "required": ["host"],
        "properties": {"host": {"type": "string"}, "depth": {"type": "integer", "default": 3}},
    },
)
CHANGE = attrs.evolve(LOOK, name="change", read_only=False)
ORACLE = TypeDefinition(
    name="oracle",
    description="Knows things.",
    version="1",
    settings={"type": "object", "properties": {"token": {"type": "string", "x-secret": True}}},
    functions=(LOOK, CHANGE),
)
Answer = Callable[[Invocation], Awaitable[Output]]


async def _fine(call: Invocation) -> Output:
    return Output(value={"host": call.arguments["host"], "load": 0.5})


@attrs.define
class Oracle(Kit):
    """Answers as it is told, and remembers what it was asked."""

    answer: Answer = _fine
    cache_seconds: float = 0.0
    timeout_seconds: float = 5.0
    asked: list[Invocation] = attrs.field(factory=list[Invocation])

    def plan(self, call: Invocation) -> Plan:
        """Read, or write."""
        access = Access.READ if call.function.read_only else Access.WRITE
        return Plan(
            access=access,
            summary=f"{call.function.name} at {call.arguments['host']}",
            timeout_seconds=self.timeout_seconds,
            cache_seconds=self.cache_seconds,
        )

    async def run(self, call: Invocation, session: Session) -> Output:
        """Answer."""
        del session
        self.asked.append(call)
        return await self.answer(call)


@attrs.define
class Room:
    """One incident, one assigned tool called `oracle-1`, and everything to ask it with."""

    database: Database
    oracle: Oracle
    toolbox: Toolbox
    tools: ToolService
    audit: AuditTrail
    incident_id: int
    proposed: list[WriteRequest] = attrs.field(factory=list[WriteRequest])
    stop: threading.Event = attrs.field(factory=threading.Event)

    def take(self) -> Journal:
        """Take the incident, as a worker does after a crash, too."""
        journal = Journal.take(self.database, self.incident_id, now=lambda: NOW, stop=self.stop)
        assert journal is not None
        return journal

    @asynccontextmanager
    async def bench(self, journal: Journal | None = None) -> AsyncGenerator[Bench]:
        """Open the assigned tools."""
        async with self.toolbox.open(journal or self.take(), self.toolbox.assigned()) as bench:
            yield bench

    def ask(self, key: str, function: str = "look", tool: str = "oracle-1", **arguments: JSON):  # type: ignore[no-untyped-def]
        """Make one call, and return its result."""

        async def main():  # type: ignore[no-untyped-def]
            async with self.bench() as bench:
                return await bench.call(key, tool, function, arguments, purpose="to know")

        return asyncio.run(main())


def make_room(
    database: Database, *, assign: bool = True, most_calls: int = 500, secrets: SecretBox | None = None
) -> Room:
    """Put it together."""
    oracle = Oracle()
    audit = AuditTrail(database, now=lambda: NOW)
    box = secrets or SecretBox([Fernet.generate_key().decode()])
    tools = ToolService(database, box, audit, now=lambda: NOW)
    proposed: list[WriteRequest] = []

    def propose(_connection: sa.Connection, request: WriteRequest) -> str:
        proposed.append(request)
        return "00000000-0000-4000-8000-000000000001"

    desk = Desk(
        database=database,
        audit=audit,
        propose=propose,
        now=lambda: NOW,
        most_calls=most_calls,
        limits=CallLimits(per_second=1000),
    )
    toolbox = Toolbox(desk, tools, lambda kind: oracle if kind.name == ORACLE.name else None)
    with database.write() as connection:
        tools_store.put_type(connection, ORACLE, now=NOW)
        type_id = next(one.id for one in tools_store.types(connection) if one.name == ORACLE.name)
    with tools.transaction() as connection:
        new = NewTool(tool_type_id=type_id, name="Oracle 1", settings={"token": TOKEN})
        tool = tools.create_in(connection, None, new)
        if assign:
            skill = connection.execute(
                sa.insert(skills)
                .values(
                    name="ask",
                    description="",
                    category="",
                    is_system=False,
                    enabled=True,
                    manifest={},
                    created_at=NOW,
                    updated_at=NOW,
                )
                .returning(skills.c.id)
            ).scalar_one()
            connection.execute(sa.insert(skill_tools).values(skill_id=skill, tool_id=tool.id))
    return Room(
        database=database,
        oracle=oracle,
        toolbox=toolbox,
        tools=tools,
        audit=audit,
        incident_id=new_incident(database),
        proposed=proposed,
    )

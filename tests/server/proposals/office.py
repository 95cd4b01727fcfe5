"""An investigation that proposes, the people who decide, and the engine that does it, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import attrs
import sqlalchemy as sa
from cryptography.fernet import Fernet

from akmatori_server.audit.models import Entry
from akmatori_server.crypto import SecretBox
from akmatori_server.database import Database
from akmatori_server.engine import MemoryEngine
from akmatori_server.events import EventLog
from akmatori_server.incidents.storable import JSON
from akmatori_server.investigation import Journal
from akmatori_server.pagination import PageRequest
from akmatori_server.proposals.execution import ProposalExecution
from akmatori_server.proposals.models import Decision, Proposal
from akmatori_server.proposals.service import ProposalService
from akmatori_server.proposals.tables import proposals
from akmatori_server.toolbox.bench import Desk
from akmatori_server.toolbox.limits import CallLimits
from akmatori_server.toolbox.models import CallResult
from akmatori_server.toolbox.toolbox import Toolbox
from akmatori_server.tools.service import ToolService
from tests.server.incidents.domain import Clock, call
from tests.server.investigation.test_journal import log_of
from tests.server.toolbox.scripted import ORACLE, Oracle, Room, make_room

DECISION = Decision(by="alice", remote="192.0.2.10")


@attrs.define
class Office:
    """Everything on one incident with one tool, `oracle-1`, whose function `change` is a write."""

    room: Room
    clock: Clock
    engine: MemoryEngine
    service: ProposalService
    execution: ProposalExecution
    toolbox: Toolbox

    @property
    def database(self) -> Database:
        """Where everything is."""
        return self.room.database

    @property
    def oracle(self) -> Oracle:
        """The kit."""
        return self.room.oracle

    def ask(self, key: str = "m1.0", journal: Journal | None = None, **arguments: JSON) -> CallResult:
        """Have an investigation ask for a change."""

        async def main() -> CallResult:
            taken = journal or self.room.take()
            async with self.toolbox.open(taken, self.toolbox.assigned()) as bench:
                return await bench.call(
                    key, "oracle-1", "change", {"host": "db-1", **arguments}, purpose="to free it"
                )

        return asyncio.run(main())

    def proposed(self, key: str = "m1.0", **arguments: JSON) -> Proposal:
        """Have an investigation ask for a change, and return what became of it."""
        self.ask(key, **arguments)
        return self.all()[0]

    def all(self) -> list[Proposal]:
        """Return all proposals, the newest first."""
        with self.database.read() as connection:
            query = sa.select(proposals.c.uuid).order_by(proposals.c.id.desc())
            found = list(connection.execute(query).scalars())
        return [self.service.get(uuid) for uuid in found]

    def approve(self, uuid: str, **changes: str) -> Proposal:
        """Approve as Alice."""
        return self.service.approve(uuid, call(name="alice"), attrs.evolve(DECISION, **changes))

    def done(self, uuid: str) -> Proposal:
        """Approve, let the engine work, and return what came of it."""
        self.approve(uuid)
        self.engine.drain_tasks()
        return self.service.get(uuid)

    def log(self) -> str:
        """Return the incident's log."""
        return log_of(self.database, self.room.incident_id)

    def audited(self) -> list[Entry]:
        """Return the entries about proposals, the oldest first."""
        entries = self.room.audit.page(PageRequest(number=1, size=200)).items
        return [entry for entry in reversed(entries) if entry.target.startswith("proposal:")]

    def sealed(self, uuid: str) -> str | None:
        """Return the encrypted arguments."""
        with self.database.read() as connection:
            query = sa.select(proposals.c.sealed).where(proposals.c.uuid == uuid)
            return connection.execute(query).scalar_one()


def make_office(
    database: Database, *, secrets: SecretBox | None = None, now: Callable[[], datetime] | None = None
) -> Office:
    """Put it together as the server does."""
    box = secrets or SecretBox([Fernet.generate_key().decode()])
    room, clock, engine = make_room(database, secrets=box), Clock(), MemoryEngine()
    service = ProposalService(
        database,
        box,
        room.audit,
        queue=engine,
        events=EventLog(),
        now=now or clock,
    )
    desk = Desk(
        database=database,
        audit=room.audit,
        propose=service.propose,
        now=clock,
        limits=CallLimits(per_second=1000),
    )

    toolbox = Toolbox(desk, room.tools, lambda kind: room.oracle if kind.name == ORACLE.name else None)
    execution = execution_of(service, room.tools, room.oracle, toolbox)
    execution.declare(engine)
    return Office(room, clock, engine, service, execution, toolbox)


def execution_of(
    service: ProposalService, tools: ToolService, oracle: Oracle, toolbox: Toolbox
) -> ProposalExecution:
    """Return another worker's execution."""
    return ProposalExecution(
        service, tools, lambda kind: oracle if kind.name == ORACLE.name else None, redactor=toolbox.redactor
    )

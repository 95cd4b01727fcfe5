"""A worker in a process of its own, whose tool writes a line for each change it makes; run by the tests of kills.

`python -m tests.server.proposals.worker DATABASE_URL KEY FILE WORKER_ID SECONDS`
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from datetime import UTC, datetime

from akmatori_server.audit import AuditTrail
from akmatori_server.crypto import SecretBox
from akmatori_server.database import Database
from akmatori_server.engine import DBOSEngine
from akmatori_server.events import EventLog
from akmatori_server.proposals.execution import ProposalExecution
from akmatori_server.proposals.service import ProposalService
from akmatori_server.redaction import Redactor
from akmatori_server.toolbox.models import Invocation, Output
from akmatori_server.tools.service import ToolService
from tests.server.toolbox.scripted import Oracle


def now() -> datetime:
    """Return the present moment."""
    return datetime.now(UTC)


def main(url: str, key: str, file: str, worker_id: str, seconds: str) -> None:
    """Work until killed."""
    database, secrets = Database.open(url), SecretBox([key])
    trail = AuditTrail(database, now=now)
    engine = DBOSEngine(database, worker_id=worker_id, polling_seconds=0.05, heartbeat_ttl_seconds=0.9)

    async def change(call: Invocation) -> Output:
        # Unbuffered, and at once: a kill right after it must find the line there.
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, f"{call.arguments['host']}\n".encode())
        os.close(descriptor)
        await asyncio.sleep(float(seconds))
        return Output(value="changed")

    service = ProposalService(database, secrets, trail, queue=engine, events=EventLog(), now=now)
    tools = ToolService(database, secrets, trail, now=now)
    oracle = Oracle(answer=change, timeout_seconds=60)
    execution = ProposalExecution(service, tools, lambda _kind: oracle, redactor=Redactor)
    execution.declare(engine)

    async def no_incident(_incident_id: int, _run: int) -> None:
        """Handle no incident."""

    engine.run(no_incident, 1)
    print("working", flush=True)
    time.sleep(600)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Durable work: the queue that survives a crash.

`port.py` says what the rest of the server may ask for. `dbos_engine.py` keeps the promise on SQLite and
PostgreSQL; `memory_engine.py` keeps it only as long as the process lives, for tests.
"""

from akmatori_server.engine.dbos_engine import DBOSEngine, EngineBusyError
from akmatori_server.engine.memory_engine import MemoryEngine
from akmatori_server.engine.port import Engine, Entry, Handler, Job, Schedule, TaskHandler

__all__ = [
    "DBOSEngine",
    "Engine",
    "EngineBusyError",
    "Entry",
    "Handler",
    "Job",
    "MemoryEngine",
    "Schedule",
    "TaskHandler",
]

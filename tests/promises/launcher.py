"""Starts servers by forking, after importing everything once: twenty starts for the price of one import.

Run as a program. Reads one JSON array a line, answers one line: `["start", log, argument…]` the process id,
`["poll", id]` the exit code or `null`, `["wait", id]` the exit code. When its input ends, so do the servers.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import sys
from importlib import import_module

from connexion.spec import Specification

from akmatori_server.cli import main

# What the command line imports late, and so would every fork.
LATE = (
    "akmatori_server.app",
    "akmatori_server.database.all_tables",
    "akmatori_server.database.migrations.comparison",
    "akmatori_server.http.serving",
    "anyio._backends._asyncio",
    "dbos._sys_db_sqlite",
    "pydantic_ai.models.openai",
    "sqlite3",
    "uvicorn",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
)


def prepare() -> None:
    """Do what every start would do in the same way; nothing of it touches a database."""
    for name in LATE:
        import_module(name)
    # The bundled specifications are valid at every start; making sure of it takes most of one.
    Specification._validate_spec = lambda *_: None
    gc.collect()
    gc.freeze()


def fork(log: str, arguments: list[str]) -> int:
    """Run the command line in a process of its own, its output appended to `log`."""
    child = os.fork()
    if child:
        return child
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    main(arguments)
    os._exit(0)  # main does not return


def serve_requests() -> None:
    """Answer until the input ends."""
    codes: dict[int, int | None] = {}
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        answer: int | None
        if command == "start":
            log, *rest = arguments
            answer = fork(log, rest)
            codes[answer] = None
        else:
            child = int(arguments[0])
            if codes[child] is None:
                done, status = os.waitpid(child, os.WNOHANG if command == "poll" else 0)
                codes[child] = os.waitstatus_to_exitcode(status) if done else None
            answer = codes[child]
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for child, code in codes.items():
        if code is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)


if __name__ == "__main__":
    prepare()
    serve_requests()

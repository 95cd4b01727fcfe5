"""Starts servers by forking, after importing everything once: ten starts for the price of one import.

Run as a program. Reads one JSON array a line, answers one line: `["start", argument…]` the process id,
`["poll"]` the exit code or `null`, `["wait"]` the exit code. When its input ends, so does the server.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from importlib import import_module

from akmatori_server.cli import main

# The command line imports these late, and so would every fork.
for name in ("uvicorn", "akmatori_server.app"):
    import_module(name)


def fork(arguments: list[str], log: str) -> int:
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


def serve_requests(log: str) -> None:
    """Answer until the input ends."""
    child = 0
    code: int | None = None
    for line in sys.stdin:
        command, *arguments = json.loads(line)
        answer: int | None
        if command == "start":
            child, code = fork(arguments, log), None
            answer = child
        else:
            if child and code is None:
                done, status = os.waitpid(child, os.WNOHANG if command == "poll" else 0)
                code = os.waitstatus_to_exitcode(status) if done else None
            answer = code
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    if child and code is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


if __name__ == "__main__":
    serve_requests(sys.argv[1])

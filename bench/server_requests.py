"""The server under load of one client: CPU of the server process a request, against a hand-written Starlette app.

Both run under uvicorn with the same loop and parser, on copies of the same SQLite file, and run the same queries.
The load comes from this process over keep-alive connections; only the server's own CPU time is counted.
"""

from __future__ import annotations

import http.client
import os
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import orjson
import psutil

from akmatori_sdk import Akmatori
from bench.measure import Result, show

ROWS = 1000
PASSWORD = "bench-password"
REQUESTS = 300
ROUNDS = 7


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(command: list[str], port: int, environment: Mapping[str, str]) -> Iterator[psutil.Process]:
    """Run a server process until the block ends; yield it once it accepts connections."""
    process = subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(300):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(20)


class Target:
    """One server under test: its process, a connection, and the requests it is asked."""

    def __init__(self, process: psutil.Process, port: int, headers: Mapping[str, str]) -> None:
        self._process = process
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._headers = dict(headers)

    def cpu(self) -> float:
        """CPU seconds of the server process so far."""
        times = self._process.cpu_times()
        return times.user + times.system

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Send one request and insist on success."""
        headers = self._headers | ({"Content-Type": "application/json"} if body else {})
        self._connection.request(method, path, body, headers)
        reply = self._connection.getresponse()
        content = reply.read()
        assert reply.status in (200, 201), (reply.status, content[:200])
        return content


def compare(title: str, asks: Mapping[str, Callable[[], object]], targets: Mapping[str, Target]) -> None:
    """Run interleaved rounds and print the server CPU of one request."""
    taken: dict[str, list[float]] = {name: [] for name in asks}
    for _ in range(ROUNDS):
        for name, ask in asks.items():
            begin = targets[name].cpu()
            for _ in range(REQUESTS):
                ask()
            taken[name].append((targets[name].cpu() - begin) / REQUESTS)
    show(title, Result(taken), "Starlette + orjson")


def main() -> None:
    """Print one table for the list, one for a single incident, one for a write."""
    with tempfile.TemporaryDirectory() as directory:
        data, copy = Path(directory) / "data", Path(directory) / "baseline.db"
        port, other = free_port(), free_port()
        uvicorn = [sys.executable, "-m", "uvicorn", "--no-access-log", "--log-level", "error"]
        # Both sides wait in turn while the other one is asked; neither may hang up meanwhile.
        uvicorn += ["--timeout-keep-alive", "600", "--port"]
        serve = [*uvicorn, str(port), "bench.akmatori_app:app"]
        environment = {"ADMIN_PASSWORD": PASSWORD, "BENCH_DATA": str(data), "AKMATORI_LOG_LEVEL": "error"}
        with running(serve, port, environment) as process:
            client = Akmatori(base_url=f"http://127.0.0.1:{port}", username="admin", password=PASSWORD)
            key = client.settings.api_keys.create(name="bench", scope="write").key
            ours = Target(process, port, {"X-API-Key": key})
            for number in range(ROWS):
                ours.ask(
                    "POST",
                    "/api/incidents",
                    orjson.dumps({"task": f"Check host {number}", "context": {"host": "db-1"}}),
                )
            uuid = orjson.loads(ours.ask("GET", "/api/incidents?per_page=1"))["data"][0]["uuid"]
            # Not a copy of the file: part of what is committed is still in SQLite's write-ahead log.
            with sqlite3.connect(data / "akmatori.db") as source, sqlite3.connect(copy) as target:
                source.backup(target)
            baseline = [*uvicorn, str(other), "bench.starlette_baseline:app"]
            with running(baseline, other, {"BASELINE_DB": str(copy)}) as second:
                theirs = Target(second, other, {"X-API-Key": key})
                targets = {"akmatori_server": ours, "Starlette + orjson": theirs}
                body = orjson.dumps({"task": "Check disk on db-1", "context": {"host": "db-1"}})
                for title, method, path, content in (
                    ("GET a list of 50 incidents", "GET", "/api/incidents?page=1&per_page=50", None),
                    ("GET one incident", "GET", f"/api/incidents/{uuid}", None),
                    ("POST an incident", "POST", "/api/incidents", body),
                ):
                    asks = {
                        name: lambda target=target, m=method, p=path, c=content: target.ask(m, p, c)
                        for name, target in targets.items()
                    }
                    compare(title, asks, targets)

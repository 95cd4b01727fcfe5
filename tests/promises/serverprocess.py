"""A real server process for the promises: started, sent alerts to, killed without warning, started again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx

START_SECONDS = 180
STOP_SECONDS = 60
# After so long a worker counts as dead. One that lives, and is only slow, loses its work to another, and no more.
TTL_SECONDS = 5
PASSWORD = "correct horse battery"


class Launcher:
    """The process that every server is forked from; it has imported the application. Use it in `with`."""

    def __enter__(self) -> Launcher:
        foreign = ("AKMATORI_", "AOTANAMI_", "ADMIN_", "JWT_", "DATABASE_URL", "HTTP_PORT")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("launcher.py"))],
            env={**environment, "ADMIN_PASSWORD": PASSWORD, "AKMATORI_WORKER_TTL": str(TTL_SECONDS)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        # Its input ends, and it kills the servers that may still run.
        self._process.communicate(timeout=STOP_SECONDS)

    def ask(self, *request: str | int) -> int | None:
        """Send a request, and return the answer; see `launcher.py`."""
        with self._lock:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer: int | None = json.loads(self._process.stdout.readline())
        return answer


class ServerProcess:
    """`akmatori-server serve` over one data directory, as often as it takes. Use it in `with`."""

    def __init__(
        self, launcher: Launcher, directory: Path, database_url: str | None = None, *, name: str = "server"
    ) -> None:
        self._launcher = launcher
        self._log = directory / f"{name}.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{port}"
        self._command = ["serve", "--port", str(port), "--data-dir", str(directory / "data")]
        if database_url is not None:
            self._command += ["--database-url", database_url]
        self._pid = 0

    def __enter__(self) -> ServerProcess:
        self.begin_to_start()
        self.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        if self._launcher.ask("poll", self._pid) is None:
            os.kill(self._pid, signal.SIGKILL)
            self._launcher.ask("wait", self._pid)

    def begin_to_start(self) -> None:
        """Start the server and do not wait."""
        started = self._launcher.ask("start", str(self._log), *self._command)
        assert started is not None
        self._pid = started

    def wait_until_ready(self) -> None:
        """Wait until the server that was started is ready."""
        give_up = time.monotonic() + START_SECONDS
        while not self._is_ready():
            assert self._launcher.ask("poll", self._pid) is None, f"It ended by itself:\n{self.log_end()}"
            assert time.monotonic() < give_up, f"The server did not become ready:\n{self.log_end()}"
            time.sleep(0.05)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        os.kill(self._pid, number)

    def kill(self) -> None:
        """End the process as a power cut would: no warning, no last words."""
        os.kill(self._pid, signal.SIGKILL)
        assert self._launcher.ask("wait", self._pid) == -signal.SIGKILL, self.log_end()

    def stop(self) -> None:
        """Ask the server to stop, and see that it does so in good order."""
        os.kill(self._pid, signal.SIGTERM)
        # uvicorn finishes and then lets the signal take its course; a shell would say 143.
        assert self._launcher.ask("wait", self._pid) in {0, -signal.SIGTERM}, self.log_end()

    def client(self) -> httpx.Client:
        """Return a client with the administrator's token; use it in `with`."""
        login = {"username": "admin", "password": PASSWORD}
        answer = httpx.post(f"{self.base_url}/auth/login", json=login, timeout=60).raise_for_status()
        headers = {"Authorization": f"Bearer {answer.json()['token']}"}
        return httpx.Client(base_url=self.base_url, headers=headers, timeout=60)

    def log_end(self) -> str:
        """Return the end of the server's own log."""
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-40:])

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.base_url}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

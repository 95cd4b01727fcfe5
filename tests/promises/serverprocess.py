"""A real server process for the promises: started, sent alerts to, killed without warning, started again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

import httpx

START_SECONDS = 120
STOP_SECONDS = 30
PASSWORD = "correct horse battery"


class ServerProcess:
    """`akmatori-server serve` over one data directory, as often as it takes."""

    def __init__(self, directory: Path, database_url: str | None = None) -> None:
        self._log = directory / "server.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{port}"
        self._command = ["start", "serve", "--port", str(port), "--data-dir", str(directory / "data")]
        if database_url is not None:
            self._command += ["--database-url", database_url]
        self._pid = 0

    def __enter__(self) -> ServerProcess:
        foreign = ("AKMATORI_", "AOTANAMI_", "ADMIN_", "JWT_", "DATABASE_URL", "HTTP_PORT")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        self._launcher = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("launcher.py")), str(self._log)],
            env={**environment, "ADMIN_PASSWORD": PASSWORD},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Its input ends, and the launcher kills the server that may still run.
        self._launcher.communicate(timeout=STOP_SECONDS)

    def start(self) -> None:
        """Start the server and wait until it is ready."""
        started = self._ask(*self._command)
        assert started is not None
        self._pid = started
        give_up = time.monotonic() + START_SECONDS
        while not self._is_ready():
            assert self._ask("poll") is None, f"The server ended by itself:\n{self.log_end()}"
            assert time.monotonic() < give_up, f"The server did not become ready:\n{self.log_end()}"
            time.sleep(0.05)

    def kill(self) -> None:
        """End the process as a power cut would: no warning, no last words."""
        os.kill(self._pid, signal.SIGKILL)
        assert self._ask("wait") == -signal.SIGKILL, self.log_end()

    def stop(self) -> None:
        """Ask the server to stop, and see that it does so in good order."""
        os.kill(self._pid, signal.SIGTERM)
        # uvicorn finishes and then lets the signal take its course; a shell would say 143.
        assert self._ask("wait") in {0, -signal.SIGTERM}, self.log_end()

    def client(self) -> httpx.Client:
        """Return a client with the administrator's token; use it in `with`."""
        login = {"username": "admin", "password": PASSWORD}
        answer = httpx.post(f"{self.base_url}/auth/login", json=login, timeout=30).raise_for_status()
        headers = {"Authorization": f"Bearer {answer.json()['token']}"}
        return httpx.Client(base_url=self.base_url, headers=headers, timeout=30)

    def log_end(self) -> str:
        """Return the end of the server's own log."""
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-40:])

    def _ask(self, *request: str) -> int | None:
        assert self._launcher.stdin is not None
        assert self._launcher.stdout is not None
        self._launcher.stdin.write(json.dumps(request) + "\n")
        self._launcher.stdin.flush()
        answer: int | None = json.loads(self._launcher.stdout.readline())
        return answer

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.base_url}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False


def alert_payload(number: int) -> bytes:
    """Return an Alertmanager delivery of one alert, different from every other number's."""
    labels = {"alertname": "NodeDiskFilling", "instance": f"db-{number}:9100", "severity": "critical"}
    return json.dumps(
        {
            "version": "4",
            "groupKey": f'{{}}:{{instance="db-{number}:9100"}}',
            "truncatedAlerts": 0,
            "status": "firing",
            "receiver": "akmatori",
            "groupLabels": {},
            "commonLabels": labels,
            "commonAnnotations": {},
            "externalURL": "http://alertmanager.example.net:9093",
            "alerts": [
                {
                    "status": "firing",
                    "labels": labels,
                    "annotations": {"summary": "/var is 93% full"},
                    "startsAt": "2026-04-20T07:12:30.115Z",
                    "endsAt": "0001-01-01T00:00:00Z",
                    "generatorURL": "http://prometheus.example.net/graph",
                    "fingerprint": f"{number:016x}",
                }
            ],
        }
    ).encode()

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
        self._directory = directory
        self._database_url = database_url
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None
        self.base_url = f"http://127.0.0.1:{port}"

    def __enter__(self) -> ServerProcess:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start the server and wait until it is ready."""
        command = [sys.executable, "-m", "akmatori_server", "serve", "--port", str(self._port)]
        command += ["--data-dir", str(self._directory / "data")]
        if self._database_url is not None:
            command += ["--database-url", self._database_url]
        foreign = ("AKMATORI_", "AOTANAMI_", "ADMIN_", "JWT_", "DATABASE_URL", "HTTP_PORT")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        with (self._directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env={**environment, "ADMIN_PASSWORD": PASSWORD}, stdout=log, stderr=subprocess.STDOUT
            )
        give_up = time.monotonic() + START_SECONDS
        while not self._is_ready():
            assert self._process.poll() is None, f"The server ended by itself:\n{self.log_end()}"
            assert time.monotonic() < give_up, f"The server did not become ready:\n{self.log_end()}"
            time.sleep(0.05)

    def kill(self) -> None:
        """End the process as a power cut would: no warning, no last words."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> None:
        """Ask the server to stop, and see that it does so in good order."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        # uvicorn finishes and then lets the signal take its course; a shell would say 143.
        assert self._process.wait(STOP_SECONDS) in {0, -signal.SIGTERM}, self.log_end()

    def client(self) -> httpx.Client:
        """Return a client with the administrator's token; use it in `with`."""
        login = {"username": "admin", "password": PASSWORD}
        answer = httpx.post(f"{self.base_url}/auth/login", json=login, timeout=30).raise_for_status()
        headers = {"Authorization": f"Bearer {answer.json()['token']}"}
        return httpx.Client(base_url=self.base_url, headers=headers, timeout=30)

    def log_end(self) -> str:
        """Return the end of the server's own log."""
        lines = (self._directory / "server.log").read_text(errors="replace").splitlines()
        return "\n".join(lines[-40:])

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

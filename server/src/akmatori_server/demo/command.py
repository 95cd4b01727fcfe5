"""`akmatori-server demo`: start a server, deliver an alert, follow its investigation, show the report, stop."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import attrs
from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel
from rich.table import Table

from akmatori_sdk import Akmatori, CallOptions
from akmatori_sdk.akmatori import Incident

START_TIMEOUT_SECONDS = 30
INVESTIGATION_TIMEOUT_SECONDS = 60
STOP_TIMEOUT_SECONDS = 15
DEMO = files("akmatori_server.demo")


@attrs.frozen
class RunningServer:
    """A server of our own, on a free port, with a data directory that goes away with it."""

    base_url: str
    password: str = attrs.field(repr=False)


def run(console: Console) -> Incident:
    """Run the demonstration and return the finished incident.

    Raises:
        RuntimeError: the server did not start, or the investigation did not finish in time.
    """
    console.print("Starting a server…")
    with (
        temporary_server() as server,
        Akmatori(base_url=server.base_url, username="admin", password=server.password) as client,
    ):
        console.print(f"[green]✓[/] Server at {server.base_url}, with SQLite in a temporary directory")
        _load_runbooks(client, console)
        incident_uuid = _deliver_alert(client, console)

        console.rule("investigation, live")
        finished = client.incidents.wait(
            incident_uuid,
            timeout=INVESTIGATION_TIMEOUT_SECONDS,
            on_log=lambda text: console.print(text, end="", markup=False, highlight=False),
        )
        console.print()
        _show_report(finished, console)
    console.print("[green]✓[/] Server stopped; its temporary data is gone")
    return finished


@contextmanager
def temporary_server() -> Generator[RunningServer]:
    """Start `akmatori-server serve` as a process of its own, wait until it is ready, and stop it at the end.

    Raises:
        RuntimeError: the server did not become ready; the sentence carries the end of its log.
    """
    password = secrets.token_urlsafe(16)
    with tempfile.TemporaryDirectory(prefix="akmatori-demo-") as directory:
        port = _free_port()
        log_path = Path(directory) / "server.log"
        command = [sys.executable, "-m", "akmatori_server", "serve", "--port", str(port)]
        with log_path.open("wb") as log:
            process = subprocess.Popen(  # noqa: S603  our own interpreter and our own module
                [*command, "--data-dir", str(Path(directory) / "data")],
                env={**_environment_without_settings(), "ADMIN_PASSWORD": password},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        server = RunningServer(base_url=f"http://127.0.0.1:{port}", password=password)
        try:
            _wait_until_ready(server, process, log_path)
            yield server
        finally:
            _stop(process)


def _environment_without_settings() -> dict[str, str]:
    """Leave out what would point the demonstration at somebody's real installation."""
    own = ("AKMATORI_", "AOTANAMI_", "ADMIN_", "JWT_", "DATABASE_URL", "HTTP_PORT")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(server: RunningServer, process: subprocess.Popen[bytes], log_path: Path) -> None:
    give_up = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < give_up:
        if process.poll() is not None:
            break
        try:
            with urlopen(f"{server.base_url}/readyz", timeout=2):  # noqa: S310  our own loopback address
                return
        except (URLError, OSError):
            time.sleep(0.1)
    tail = "\n".join(log_path.read_text(errors="replace").splitlines()[-15:])
    raise RuntimeError(f"The server did not become ready. The end of its log:\n{tail}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _load_runbooks(client: Akmatori, console: Console) -> None:
    names: list[str] = []
    for entry in sorted(DEMO.joinpath("runbooks").iterdir(), key=lambda entry: entry.name):
        heading, _, content = entry.read_text(encoding="utf-8").partition("\n")
        title = heading.removeprefix("# ").strip()
        client.runbooks.create(title=title, content=content.strip())
        names.append(title)
    console.print(f"[green]✓[/] {len(names)} runbooks: {', '.join(names)}")


def _deliver_alert(client: Akmatori, console: Console) -> str:
    secret = secrets.token_urlsafe(16)
    source = client.alert_sources.create(
        source_type_name="alertmanager", name="Demo Prometheus", webhook_secret=secret
    )
    payload = DEMO.joinpath("alertmanager-payload.json").read_bytes()
    answer = client.webhooks.receive(
        source.uuid, body=payload, options=CallOptions(headers={"X-Alertmanager-Secret": secret})
    )
    console.print(f"[green]✓[/] Alertmanager payload delivered: {answer.strip()}")
    incident = client.incidents.list().first()
    if incident is None:
        raise RuntimeError("The alert was accepted but no incident came of it.")
    console.print(f"[green]✓[/] Incident {incident.uuid}: {incident.title}")
    return incident.uuid


def _show_report(incident: Incident, console: Console) -> None:
    console.print(Panel(Markdown(incident.response), title=incident.title, border_style="green"))
    facts = Table(show_header=False, box=None)
    facts.add_row("Incident", incident.uuid)
    facts.add_row("Status", str(incident.status))
    facts.add_row("Investigated in", f"{incident.execution_time_ms} ms, without an LLM")
    console.print(facts)

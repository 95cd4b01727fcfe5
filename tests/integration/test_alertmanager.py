"""The real Alertmanager posts to the real server: from a firing rule's alert to a report, and back to quiet."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from akmatori_sdk import Akmatori
from akmatori_server.demo import RunningServer, temporary_server
from tests.contract.exchanges import EXCHANGES
from tests.integration.debian import program

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

SECRET = "the-secret-of-this-source"
CONFIGURATION = """
route:
  receiver: akmatori
  group_by: [alertname]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 4h
receivers:
  - name: akmatori
    webhook_configs:
      - url: {url}
        send_resolved: true
        http_config:
          authorization: {{credentials: {secret}}}
"""


@pytest.fixture
def server() -> Iterator[RunningServer]:
    """A server of its own process, as an operator runs it."""
    with temporary_server() as running:
        EXCHANGES.watch(running.base_url)
        yield running


@pytest.fixture
def client(server: RunningServer) -> Iterator[Akmatori]:
    """An administrator's client."""
    with Akmatori(base_url=server.base_url, username="admin", password=server.password) as made:
        yield made


@pytest.fixture
def alertmanager(tmp_path: Path, client: Akmatori, server: RunningServer) -> Iterator[str]:
    """Debian's Alertmanager with one webhook receiver: our alert source, authorised by its secret."""
    binary = program("prometheus-alertmanager", package="prometheus-alertmanager")
    source = client.alert_sources.create(source_type_name="alertmanager", name="prod", webhook_secret=SECRET)
    configuration = tmp_path / "alertmanager.yml"
    url = f"{server.base_url}/webhook/alert/{source.uuid}"
    configuration.write_text(CONFIGURATION.format(url=url, secret=SECRET))
    port = _free_port()
    with (tmp_path / "alertmanager.log").open("wb") as log:
        process = subprocess.Popen(
            [
                binary,
                f"--config.file={configuration}",
                f"--storage.path={tmp_path / 'state'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    base_url = f"http://127.0.0.1:{port}"
    try:
        _eventually(lambda: _is_ready(base_url), "Alertmanager to be ready")
        yield base_url
    finally:
        process.terminate()
        process.wait(15)


def test_an_alert_becomes_an_explained_incident(alertmanager: str, client: Akmatori) -> None:
    """One firing alert: one incident, investigated, whose report names the runbook and what the alert says."""
    client.runbooks.create(
        title="Disk filling up", content="1. Run `df -h`.\n2. Delete old logs under /var/log."
    )
    _fire(alertmanager, "NodeDiskFilling", mountpoint="/var", instance="db-07:9100")

    _eventually(lambda: client.incidents.list().first() is not None, "the incident to appear")
    incident = client.incidents.list().first()
    assert incident is not None
    finished = client.incidents.wait(incident.uuid, timeout=60)

    assert str(finished.status) == "completed"
    assert finished.source == "alertmanager"
    assert "NodeDiskFilling" in finished.title
    assert "Disk filling up" in finished.response
    assert "/var" in finished.response
    assert "db-07:9100" in finished.response
    assert len(client.incidents.list().collect(10)) == 1


def test_a_repeat_and_a_resolve_make_no_second_incident(alertmanager: str, client: Akmatori) -> None:
    """Alertmanager notifies again when the group changes, and when it resolves: still one incident."""
    begin = _fire(alertmanager, "HostDown", instance="web-1")
    _eventually(lambda: client.incidents.list().first() is not None, "the incident to appear")
    _fire(alertmanager, "HostDown", starts_at=begin, summary="still down", instance="web-1")
    _resolve(alertmanager, "HostDown", begin, instance="web-1")
    _eventually(lambda: _notifications(alertmanager) >= 2, "Alertmanager to send the resolve")

    assert len(client.incidents.list().collect(10)) == 1
    assert _failures(alertmanager) == 0


def _fire(
    alertmanager: str, name: str, *, starts_at: str = "", summary: str = "it fires", **labels: str
) -> str:
    starts_at = starts_at or datetime.now(UTC).isoformat()
    alert = {
        "labels": {"alertname": name, "severity": "critical", **labels},
        "annotations": {"summary": summary},
        "startsAt": starts_at,
        "generatorURL": "http://prometheus.example.net/graph?g0.expr=up",
    }
    _post(f"{alertmanager}/api/v2/alerts", [alert])
    return starts_at


def _resolve(alertmanager: str, name: str, starts_at: str, **labels: str) -> None:
    alert = {
        "labels": {"alertname": name, "severity": "critical", **labels},
        "annotations": {"summary": "it fires"},
        "startsAt": starts_at,
        "endsAt": (datetime.now(UTC) + timedelta(milliseconds=50)).isoformat(),
    }
    _post(f"{alertmanager}/api/v2/alerts", [alert])


def _post(url: str, body: object) -> None:
    request = Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request, timeout=10):
        return


def _metric(alertmanager: str, name: str) -> float:
    with urlopen(f"{alertmanager}/metrics", timeout=10) as reply:
        lines = reply.read().decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(f'{name}{{integration="webhook"'))


def _notifications(alertmanager: str) -> float:
    return _metric(alertmanager, "alertmanager_notifications_total")


def _failures(alertmanager: str) -> float:
    return _metric(alertmanager, "alertmanager_notifications_failed_total")


def _is_ready(base_url: str) -> bool:
    try:
        with urlopen(f"{base_url}/-/ready", timeout=2):
            return True
    except OSError:
        return False


def _eventually(holds: Callable[[], bool], what: str, seconds: float = 45) -> None:
    give_up = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > give_up:
            pytest.fail(f"Waited {seconds:.0f} s for {what}.")
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

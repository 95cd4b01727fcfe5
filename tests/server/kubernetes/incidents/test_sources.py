"""What scans and comparisons find becomes part of incidents, and resolves them when it is gone."""

from __future__ import annotations

from collections.abc import Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from akmatori_sdk._generated.aotanami.models import Framework
from akmatori_server.audit.trail import AuditTrail
from akmatori_server.database import Database
from akmatori_server.kubernetes.drift.service import DriftOptions, DriftService
from akmatori_server.kubernetes.drift.source import DesiredState
from akmatori_server.kubernetes.reports.service import ReportOptions, ScanService
from tests.server.kubernetes.corpus import c, objects, write
from tests.server.kubernetes.incidents.world import World
from tests.support.databases import copied_database
from tests.support.kube_api import kube_api


class Watched(World):
    """A cluster that is scanned and compared, too."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.scans = ScanService(self.site, ReportOptions(), AuditTrail(self.database, now=lambda: self.now))
        self.scans.declare(self.site.engine)

    def scan(self) -> None:
        """Scan the cluster."""
        self.scans.trigger(None, self.scans.plan(), frameworks=[Framework.CIS])
        self.site.engine.drain_tasks()  # type: ignore[attr-defined]  # the engine in memory


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Watched]:
    """A cluster in which all is well."""
    with copied_database("sqlite", tmp_path, request) as url, kube_api() as api:
        database = Database.open(url)
        yield Watched(api, database, tmp_path)
        database.close()


def test_findings_open_and_resolve(world: Watched) -> None:
    """A workload with a critical finding is an incident, until a scan does not find it any more."""
    world.shows(*objects(c(securityContext__privileged=True)))
    world.scan()
    world.read()
    told = world.one()
    assert (told.case.key.kind, told.case.key.name) == ("Deployment", "web")
    assert "privileged" in world.counts(told)
    assert {event.type for event in told.events} == {"security_violation"}
    # The same scan again, and a scan that finds the same, are nothing new.
    world.read()
    world.scan()
    world.read()
    assert world.one().case == told.case
    world.shows(*objects(c()))
    world.read(after=60)
    assert world.one().case.status == "open"
    world.scan()
    world.read()
    assert world.one().case.status == "resolved"


def test_drift_and_a_finding_on_one_object(world: Watched, tmp_path: Path) -> None:
    """They meet in one incident, and the cause is told."""
    desired = tmp_path / "desired"
    desired.mkdir()
    write(desired, *objects(c(image="registry.example.net/web:1.2.3")))
    world.shows(*objects(c(securityContext__privileged=True, image="registry.example.net/web:6.6.6")))
    drift = DriftService(
        world.database,
        DriftOptions(desired=DesiredState(desired), target=world.site.clusters[0]),
        now=lambda: world.now,
    )
    drift.check()
    world.scan()
    world.read()
    told = world.one()
    assert {event.type for event in told.events} >= {"drift", "security_violation"}
    assert "change by hand" in told.case.root_cause
    # Put right: a scan says so at once, a comparison when it is made again.
    world.shows(*objects(c(image="registry.example.net/web:1.2.3")))
    world.scan()
    for status in ("open", "resolved"):
        world.now += timedelta(minutes=5)
        drift.check()
        world.read()
        assert world.one().case.status == status

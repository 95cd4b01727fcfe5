"""Runs of scans: live clusters that answer in part, processes that die, and the clock."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from akmatori_sdk._generated.aotanami.models import Category, Framework, Scan, Severity
from akmatori_server.audit.trail import AuditTrail
from akmatori_server.config import ConfigurationError, load_settings
from akmatori_server.database import Database
from akmatori_server.engine.memory_engine import MemoryEngine
from akmatori_server.errors import Conflict, TooManyRequests
from akmatori_server.kubernetes.clusters.access import Feature
from akmatori_server.kubernetes.clusters.configuration import ClusterConfig
from akmatori_server.kubernetes.manifests import ManifestObject, Problem
from akmatori_server.kubernetes.reports.finding_queries import FindingFilter
from akmatori_server.kubernetes.reports.history import drop_unused
from akmatori_server.kubernetes.reports.reader import newest_summary, open_findings
from akmatori_server.kubernetes.reports.running import MOST_ATTEMPTS, InterruptedScanError
from akmatori_server.kubernetes.reports.scan_store import Wanted
from akmatori_server.kubernetes.reports.service import ReportOptions, ScanService
from akmatori_server.kubernetes.reports.tables import k8s_findings, k8s_scan_scopes, k8s_scans
from akmatori_server.kubernetes.site import KubernetesSite
from akmatori_server.kubernetes.status.clusters import ClusterService
from akmatori_server.kubernetes.status.scanned import by_scans
from akmatori_server.kubernetes.targets import ClusterTarget, FolderTarget, Mode, Reading, Target
from tests.server.kubernetes.corpus import c, objects, s, write
from tests.support.kube_api import KubeApi, kube_api

START = datetime(2026, 5, 15, 3, tzinfo=UTC)
NO_FILTER = FindingFilter()
_ANY = Wanted()
# For what no SQL decides.
EMBEDDED = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
PRIVILEGED = objects(c(securityContext__privileged=True))


class World:
    """Services over targets, with a clock that is set by hand and an engine that does what it is told."""

    def __init__(self, database: Database, *targets: Target, **options: Any) -> None:
        self.now = START
        self.database = database
        self.engine = MemoryEngine()
        self.site = KubernetesSite(
            database=database, engine=self.engine, now=lambda: self.now, targets=targets
        )
        self.service = ScanService(
            self.site, ReportOptions(**options), AuditTrail(database, now=lambda: self.now)
        )
        self.service.declare(self.engine)

    def trigger(self, **chosen: Any) -> str:
        """Ask for a scan."""
        return self.service.trigger(None, self.service.plan(**chosen), frameworks=[Framework.CIS]).id

    def scan(self, **chosen: Any) -> Scan:
        """Scan to the end."""
        self.now += timedelta(minutes=1)
        scan_id = self.trigger(**chosen)
        self.engine.drain_tasks()
        return self.service.get(scan_id)

    def found(self, **wanted: Any) -> set[tuple[str, str]]:
        """Return the checks that found something, and where."""
        rows, _ = self.service.findings(FindingFilter(**wanted), None, offset=0, limit=200)
        return {(str(one.check_id), one.resource.name) for one in rows}


@pytest.fixture
def api() -> Generator[KubeApi]:
    """A cluster with one privileged Deployment."""
    with kube_api(PRIVILEGED) as made:
        yield made


def cluster(api: KubeApi, folder: Path, name: str = "prod") -> ClusterTarget:
    """Return the cluster as a target."""
    return ClusterTarget(ClusterConfig(name, kubeconfig=api.kubeconfig(folder)))


def folder(path: Path, *found: dict[str, Any], name: str = "files") -> FolderTarget:
    """Return a folder of these objects as a target."""
    path.mkdir(exist_ok=True)
    write(path, *found)
    return FolderTarget(name, (path,))


@EMBEDDED
def test_a_cluster_and_a_folder_are_one_scan(api: KubeApi, database: Database, tmp_path: Path) -> None:
    """With findings of both, each under the name of its target."""
    world = World(database, cluster(api, tmp_path), folder(tmp_path / "files", *objects(s(hostNetwork=True))))
    scan = world.scan()
    assert (scan.phase, scan.clusters) == ("Completed", ["files", "prod"])
    assert ("privileged", "web") in world.found(clusters=frozenset({"prod"}))
    assert ("host-network", "web") in world.found(clusters=frozenset({"files"}))
    assert ("privileged", "web") not in world.found(clusters=frozenset({"files"}))
    with database.read() as connection:
        compliance = world.service.report(scan.id, NO_FILTER, offset=0, limit=1).compliance
        prod, files = newest_summary(connection, "prod"), newest_summary(connection, "files")
        assert newest_summary(connection, "nowhere") is None
        critical = list(open_findings(connection, "prod", Severity.CRITICAL))
    by_id = {control["id"]: control["status"] for control in compliance[0]["controls"]}
    assert (by_id["5.2.2"], by_id["5.2.5"]) == ("failed", "failed")
    assert prod is not None
    assert files is not None
    assert prod.findings_by_severity.critical == len(critical) > 0
    assert all(one.severity is Severity.CRITICAL and one.cluster == "prod" for one in critical)
    assert prod.last_scan_at == scan.completed_at
    assert prod.security_score <= 100 - 10 * len(critical)


def test_what_may_not_be_read_is_said_and_kept(api: KubeApi, database: Database, tmp_path: Path) -> None:
    """403 on Deployments: Degraded, with what to grant; what was found in them is not called mended."""
    world = World(database, cluster(api, tmp_path))
    world.scan()
    before = world.found()
    api.forbidden.add("/apis/apps/v1/deployments")
    scan = world.scan()
    assert scan.phase == "Degraded"
    assert scan.errors
    [said] = [error for error in scan.errors if Category.POD_SECURITY in (error.scanners or ())]
    assert said.target == "prod"
    assert said.scanner == (said.scanners or [])[0]
    assert "deployments" in said.message
    assert "clusterrole" in said.message
    # What several scanners missed is told once.
    assert len({error.message for error in scan.errors}) == len(scan.errors)
    assert sum(error.message.count(said.message) for error in scan.errors) == 1
    assert world.found() == before
    assert world.found(remediated=True) == set()
    compliance = world.service.report(scan.id, NO_FILTER, offset=0, limit=1).compliance
    assert {one["status"] for one in compliance[0]["controls"]} <= {"not_checked", "passed", "failed"}
    assert compliance[0]["notCheckedControls"] > 20
    api.forbidden.clear()
    api.objects.clear()
    # A kind that no scanner asked for needs is nobody's error.
    api.put(*objects(s()))
    api.forbidden.add("/api/v1/configmaps")
    assert world.scan(scanners=frozenset({Category.POD_SECURITY})).phase == "Completed"
    assert world.scan().phase == "Degraded"
    assert ("privileged", "web") in world.found(remediated=True)


@EMBEDDED
def test_a_cluster_that_is_away_does_not_take_the_others_with_it(
    api: KubeApi, database: Database, tmp_path: Path
) -> None:
    """Degraded while others answer, Failed when none does; what is known of it stays known."""
    target = cluster(api, tmp_path)
    world = World(database, target, folder(tmp_path / "files", *objects(s(hostNetwork=True))))
    world.scan()
    before = world.found()
    api.broken["/version"] = b"nothing"
    api.forbidden.update(api.objects)
    scan = world.scan()
    assert scan.phase == "Degraded"
    assert scan.errors
    assert all(error.message.startswith("prod: ") for error in scan.errors)
    assert world.found() == before
    alone = World(database, target)
    failed = alone.scan()
    assert (failed.phase, failed.findings_count) == ("Failed", 0)
    assert failed.summary is not None
    assert not failed.summary.security_score
    assert alone.service.report(failed.id, NO_FILTER, offset=0, limit=5).findings == []


@EMBEDDED
@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        (
            {"namespaces": frozenset({"absent"})},
            "Nothing was in scope: no object in the namespaces asked for (absent) was found in files.",
        ),
        (
            {"labels": "app=absent"},
            "Nothing was in scope: no object with the labels app=absent was found in files.",
        ),
    ],
)
def test_a_scan_of_nothing_says_so(
    database: Database, tmp_path: Path, chosen: dict[str, Any], sentence: str
) -> None:
    """Failed, without a score; the target was not scanned for it."""
    world = World(database, folder(tmp_path / "files", *PRIVILEGED))
    before = world.scan()
    scan = world.scan(**chosen)
    assert scan.phase == "Failed"
    assert [error.message for error in scan.errors or ()] == [sentence]
    assert scan.summary is not None
    assert not scan.summary.security_score
    assert (scan.summary.checks_run, scan.summary.passed_checks) == (0, 0)
    with database.read() as connection:
        posture = newest_summary(connection, "files")
    assert posture is not None
    assert posture.last_scan_at == before.completed_at


@EMBEDDED
def test_what_was_in_a_scope_that_is_gone_is_gone(database: Database, tmp_path: Path) -> None:
    """Degraded rather than Failed, so that nothing of a deleted namespace stays open for ever."""
    target = folder(tmp_path / "files", *PRIVILEGED)
    world = World(database, target)
    [namespace] = {
        str(one["metadata"]["namespace"]) for one in PRIVILEGED if one["metadata"].get("namespace")
    }
    chosen = {"namespaces": frozenset({namespace})}
    assert world.scan(**chosen).phase == "Completed"
    assert world.found()
    for file in target.paths[0].iterdir():
        file.unlink()
    scan = world.scan(**chosen)
    assert scan.phase == "Degraded"
    assert scan.summary is not None
    assert not scan.summary.security_score
    assert world.found() == set()
    with database.read() as connection:
        assert not by_scans(["files"])(connection)["files"].is_last_scan_degraded


@EMBEDDED
def test_only_the_target_with_an_error_is_degraded(database: Database, tmp_path: Path) -> None:
    """One broken folder of two: the status says why, once for all scanners, and the other one is well."""
    broken = folder(tmp_path / "broken", *PRIVILEGED, name="broken")
    (broken.paths[0] / "bad.yaml").write_text("a: [\n")
    world = World(database, broken, folder(tmp_path / "files", *PRIVILEGED))
    scan = world.scan()
    assert scan.phase == "Degraded"
    assert [error.target for error in scan.errors or ()] == ["broken"]
    assert len((scan.errors or [])[0].scanners or ()) == len(Category)
    clusters = ClusterService(world.site, standings=by_scans(["broken", "files"]))
    bad, good = clusters.status("broken"), clusters.status("files")
    assert (bad.status, good.status) == ("degraded", "healthy")
    said = {
        one.type: (one.status, one.reason, str(one.message))
        for status in (good, bad)
        for one in status.conditions or ()
    }
    assert said["LastScanComplete"][:2] == ("False", "ScanIncomplete")
    assert said["LastScanComplete"][2].count("bad.yaml") == 1
    [complete] = [one for one in good.conditions or () if one.type == "LastScanComplete"]
    assert (complete.status, complete.reason) == ("True", "ScanComplete")


@attrs.frozen
class Stumbling:
    """A target whose reading stops in the middle, once for each error given."""

    inner: FolderTarget
    errors: list[BaseException]
    mode: Mode = Mode.MANIFESTS

    @property
    def name(self) -> str:
        """The name of the target within."""
        return self.inner.name

    @contextmanager
    def reading(self, feature: Feature) -> Generator[Reading]:
        """Read, and stumble after the first object."""
        with self.inner.reading(feature) as reading:
            yield _StumblingReading(reading, self.errors)


@attrs.frozen
class _StumblingReading:
    _inner: Reading
    _errors: list[BaseException]
    version: str = ""
    unread: frozenset[str] = frozenset()

    def context(self) -> Any:
        return self._inner.context()

    def each(self) -> Iterator[ManifestObject | Problem]:
        for number, one in enumerate(self._inner.each()):
            if number and self._errors:
                raise self._errors.pop(0)
            yield one


def test_a_scan_that_was_broken_off_is_done_again(database: Database, tmp_path: Path) -> None:
    """By the next process: what the first one stored half does not show, then or later."""
    target = folder(tmp_path / "files", *PRIVILEGED)
    world = World(database, target)
    world.scan()
    before = world.found()
    write(target.paths[0], *objects(s(hostNetwork=True)))
    scan_id = world.trigger()

    # The process dies after it has stored findings, before the end.
    class Died(BaseException):
        """As SIGKILL: nothing is done about it."""

    runner = world.service._run  # pyright: ignore[reportPrivateUsage]
    with pytest.MonkeyPatch.context() as patch:

        def die(*_: object) -> None:
            raise Died

        patch.setattr(type(runner), "_end", die)
        with pytest.raises(Died):
            runner.run(scan_id, threading.Event())
    assert world.service.get(scan_id).phase == "Running"
    assert world.found() == before
    with pytest.raises(Conflict, match=scan_id):
        world.trigger()
    world.engine.drain_tasks()
    assert world.service.get(scan_id).phase == "Completed"
    after = world.found()
    assert ("host-network", "web") in after
    assert ("privileged", "web") in world.found(remediated=True)
    # Done once more, nothing changes.
    runner.run(scan_id, threading.Event())
    assert world.found() == after


@EMBEDDED
def test_a_scan_that_always_breaks_ends(database: Database, tmp_path: Path) -> None:
    """Failed, with a sentence; and a server that stops leaves the scan to the next one."""
    errors: list[BaseException] = [ValueError("a bug")] * MOST_ATTEMPTS
    world = World(database, Stumbling(folder(tmp_path / "files", *PRIVILEGED), errors))
    scan_id = world.trigger()
    runner = world.service._run  # pyright: ignore[reportPrivateUsage]
    for _ in range(MOST_ATTEMPTS):
        with pytest.raises(ValueError, match="a bug"):
            runner.run(scan_id, threading.Event())
    runner.run(scan_id, threading.Event())
    scan = world.service.get(scan_id)
    assert scan.phase == "Failed"
    assert scan.errors
    assert "broken off 3 times" in scan.errors[0].message
    stopping = threading.Event()
    stopping.set()
    again = world.trigger()
    with pytest.raises(InterruptedScanError):
        runner.run(again, stopping)
    world.engine.drain_tasks()
    assert world.service.get(again).phase == "Completed"


def test_a_scan_that_another_process_took_over_writes_nothing(database: Database, tmp_path: Path) -> None:
    """The slow one of two finds out, and leaves what the other stored."""
    target = folder(tmp_path / "files", *PRIVILEGED)
    world = World(database, target)

    taken: list[str] = []

    @attrs.frozen
    class Slow:
        name: str = "files"
        mode: Mode = Mode.MANIFESTS

        @contextmanager
        def reading(self, feature: Feature) -> Generator[Reading]:
            with target.reading(feature) as reading:
                yield reading
            # Between reading and storing another process comes, and is quicker.
            if not taken:
                taken.append(scan_id)
                World(database, folder(tmp_path / "files", *objects(s(hostNetwork=True)))).service._run.run(  # pyright: ignore[reportPrivateUsage]
                    scan_id, threading.Event()
                )

    slow = World(database, Slow())
    scan_id = slow.trigger()
    slow.engine.drain_tasks()
    assert taken == [scan_id]
    assert slow.service.get(scan_id).phase == "Completed"
    assert ("host-network", "web") in world.found()
    assert ("privileged", "web") not in world.found()


def test_scans_that_nobody_runs_are_given_up(database: Database, tmp_path: Path) -> None:
    """Silent for a quarter of an hour: Failed; then the scope is free again."""
    world = World(database, folder(tmp_path / "files", *PRIVILEGED))
    scan_id = world.trigger()
    with database.write() as connection:
        connection.execute(sa.update(k8s_scans).values(phase="Running", heartbeat_at=world.now, attempt=1))
    world.now += timedelta(minutes=14)
    world.engine.jobs["k8s-scan-sweep"]()
    assert world.service.get(scan_id).phase == "Running"
    world.now += timedelta(minutes=2)
    world.engine.jobs["k8s-scan-sweep"]()
    assert world.service.get(scan_id).phase == "Failed"
    assert world.scan().phase == "Completed"


@EMBEDDED
def test_too_many_scans_are_refused(database: Database, tmp_path: Path) -> None:
    """With how long to wait."""
    world = World(database, folder(tmp_path / "files"))
    for number in range(10):
        world.trigger(namespaces=frozenset({f"n{number}"}))
    with pytest.raises(TooManyRequests) as refused:
        world.trigger(namespaces=frozenset({"one-more"}))
    assert refused.value.retry_after == 30
    world.engine.drain_tasks()
    assert world.scan().phase == "Completed"


def test_scopes_that_nobody_uses_are_forgotten(database: Database, tmp_path: Path) -> None:
    """The oldest go, with all they told."""
    world = World(database, folder(tmp_path / "files", *PRIVILEGED))
    for number in range(3):
        world.scan(min_severity=list(Severity)[number])
    drop_unused(database, scopes=1)
    with database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(k8s_scan_scopes)).scalar_one() == 1
        (scope_id,) = connection.execute(sa.select(k8s_findings.c.scope_id).distinct()).scalars()
        assert connection.execute(sa.select(k8s_scans.c.scope_id)).scalar_one() == scope_id


@EMBEDDED
def test_the_clock_begins_scans(database: Database, tmp_path: Path) -> None:
    """When there is something to scan and a time for it; one that still runs is not doubled."""
    world = World(database, folder(tmp_path / "files", *PRIVILEGED), schedule="0 3 * * *")
    job = world.engine.jobs["k8s-scan-schedule"]
    job()
    job()
    world.engine.drain_tasks()
    (scan,), total = world.service.page(_ANY, offset=0, limit=10)
    assert (total, scan.phase, scan.trigger, scan.schedule) == (1, "Completed", "schedule", "0 3 * * *")
    assert "k8s-scan-schedule" not in World(database, schedule="0 3 * * *").engine.jobs
    assert "k8s-scan-schedule" not in World(database, folder(tmp_path / "files")).engine.jobs


@EMBEDDED
def test_an_exceptions_file_is_read_by_every_scan(database: Database, tmp_path: Path) -> None:
    """What it accepts is suppressed; one that cannot be used fails the scan, and says why."""
    file = tmp_path / "exceptions.yaml"
    file.write_text("exceptions: [{checks: [privileged], reason: agreed, expiresAt: 2026-05-20}]\n")
    world = World(database, folder(tmp_path / "files", *PRIVILEGED), exceptions_file=file)
    world.scan()
    wanted = FindingFilter(checks=frozenset({"privileged"}))
    assert world.service.summary(wanted, None).total == 0
    assert world.service.report(world.trigger(), NO_FILTER, offset=0, limit=1).scan.warnings == []
    world.engine.drain_tasks()
    world.now += timedelta(days=7)
    scan = world.scan()
    assert world.service.summary(wanted, None).total == 1
    report = world.service.report(scan.id, NO_FILTER, offset=0, limit=1)
    assert report.scan.warnings == [f"{file}:1: This exception ended on 2026-05-20."]
    file.write_text("exceptions: [{checks: [nothing], reason: x}]\n")
    scan = world.scan()
    assert scan.phase == "Failed"
    assert scan.errors
    assert "exceptions.yaml:1" in scan.errors[0].message
    assert world.service.summary(wanted, None).total == 1


def test_the_schedule_is_checked_at_the_start(tmp_path: Path) -> None:
    """Every night unless it says otherwise."""
    base = {"AKMATORI_DATA_DIR": str(tmp_path)}
    assert load_settings(base).kubernetes.scan_schedule == "0 3 * * *"
    assert load_settings(base | {"AKMATORI_SCAN_SCHEDULE": "off"}).kubernetes.scan_schedule is None
    assert (
        load_settings(base | {"AKMATORI_SCAN_SCHEDULE": "*/10 * * * *"}).kubernetes.scan_schedule
        == "*/10 * * * *"
    )
    for wrong in ("daily", "99 * * * *", "* * * *", "0 0 3 * * *"):
        with pytest.raises(ConfigurationError, match="AKMATORI_SCAN_SCHEDULE"):
            load_settings(base | {"AKMATORI_SCAN_SCHEDULE": wrong})


@EMBEDDED
def test_a_long_scan_is_not_taken_for_a_dead_one(database: Database, tmp_path: Path) -> None:
    """While it stores it says that it lives, however long ago it began."""
    target = folder(tmp_path / "files", *PRIVILEGED)
    world: World

    @attrs.frozen
    class Long:
        name: str = "files"
        mode: Mode = Mode.MANIFESTS

        @contextmanager
        def reading(self, feature: Feature) -> Generator[Reading]:
            with target.reading(feature) as reading:
                yield reading
            world.now += timedelta(minutes=30)

    world = World(database, Long())
    beats: list[datetime] = []
    scan_id = world.trigger()
    with pytest.MonkeyPatch.context() as patch:
        runner = world.service._run  # pyright: ignore[reportPrivateUsage]
        end = type(runner)._end  # pyright: ignore[reportPrivateUsage]

        def look(*arguments: Any) -> None:
            with database.read() as connection:
                beats.append(connection.execute(sa.select(k8s_scans.c.heartbeat_at)).scalar_one())
            world.engine.jobs["k8s-scan-sweep"]()
            end(*arguments)

        patch.setattr(type(runner), "_end", look)
        runner.run(scan_id, threading.Event())
    assert beats == [world.now]
    assert world.service.get(scan_id).phase == "Completed"

"""What an installation says of the checks of its scans."""

from __future__ import annotations

from pathlib import Path

import pytest

from akmatori_server.config import ConfigurationError, load_settings
from akmatori_server.database import Database
from akmatori_server.kubernetes.scans.model import CheckOptions
from akmatori_server.kubernetes.services import check_options
from tests.server.kubernetes.cases_of_links import of_kind, service, web
from tests.server.kubernetes.reports.test_runs import EMBEDDED, World, folder

LOST = service({"app": "wbe"}) | {"metadata": {"name": "lost", "namespace": "shop"}}


@EMBEDDED
def test_what_a_switched_off_check_found_is_told_no_more(database: Database, tmp_path: Path) -> None:
    """It is neither there nor mended; where it is switched on again, it begins anew."""
    files = folder(tmp_path / "files", web(), LOST)
    before = World(database, files)
    before.scan()
    lost = ("service-matches-nothing", "lost")
    assert lost in before.found()
    checks = CheckOptions(skipped=frozenset({"service-matches-nothing"}), registries=("ghcr.io/acme",))
    without = World(database, files, checks=checks)
    scan = without.scan()
    assert scan.phase == "Completed"
    assert lost not in without.found()
    assert ("image-registry-not-allowed", "web") in without.found()
    assert without.found(remediated=True) == set()
    again = World(database, files)
    again.scan()
    assert lost in again.found()
    assert again.found(remediated=True) == set()


@EMBEDDED
def test_what_a_scan_does_not_look_at_is_still_there(database: Database, tmp_path: Path) -> None:
    """A Service is chosen by its labels, its workload is not: it selects pods all the same."""
    labels = {"metadata": {"name": "web", "namespace": "shop", "labels": {"team": "x"}}}
    lost = LOST | {"metadata": {"name": "lost", "namespace": "shop", "labels": {"team": "x"}}}
    world = World(database, folder(tmp_path / "files", service() | labels, lost, web()))
    scan = world.scan(labels="team=x")
    assert scan.phase == "Completed"
    assert world.found() == {("service-matches-nothing", "lost")}


@EMBEDDED
def test_manifests_are_meant_for_a_release(database: Database, tmp_path: Path) -> None:
    """The newest one, where none is named."""
    files = folder(tmp_path / "files", of_kind("batch/v1beta1", "CronJob", {}))
    world = World(database, files, checks=CheckOptions(release=(1, 24)))
    world.scan()
    assert {check for check, _ in world.found()} >= {"deprecated-api"}
    world = World(database, files)
    world.scan()
    assert {check for check, _ in world.found()} >= {"removed-api"}


def test_settings_of_checks(tmp_path: Path) -> None:
    """Names of checks are held against what there is when the server starts."""
    base = {"AKMATORI_DATA_DIR": str(tmp_path)}
    read = load_settings(
        base
        | {
            "AKMATORI_SCAN_SKIP": "no-cpu-limit, reliability",
            "AKMATORI_SCAN_REGISTRIES": "ghcr.io/acme",
            "AKMATORI_SCAN_KUBERNETES_VERSION": "v1.33",
        }
    )
    found = check_options(read.kubernetes)
    assert {"no-cpu-limit", "single-replica", "removed-api"} <= found.skipped
    assert (found.registries, found.release) == (("ghcr.io/acme",), (1, 33))
    wrong = load_settings(base | {"AKMATORI_SCAN_SKIP": "no-cpu-limits"})
    with pytest.raises(ConfigurationError, match=r"AKMATORI_SCAN_SKIP: .* Do you mean no-cpu-limit\?"):
        check_options(wrong.kubernetes)
    with pytest.raises(ConfigurationError, match="AKMATORI_SCAN_KUBERNETES_VERSION must be a release"):
        load_settings(base | {"AKMATORI_SCAN_KUBERNETES_VERSION": "newest"})

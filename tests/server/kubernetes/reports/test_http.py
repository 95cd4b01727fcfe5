"""Scans and findings as their users ask for them: over HTTP and with the SDK."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from akmatori_sdk import UNSET, Aotanami, BadRequestError, ConflictError, NotFoundError, Unset
from akmatori_sdk.aotanami import Finding, Scan, ScanScopeRequest
from akmatori_server.http.call import Scope
from akmatori_server.kubernetes.reports.tables import k8s_findings, k8s_scan_scopes, k8s_scans
from tests.server.kubernetes.corpus import c, objects, s, write
from tests.support.databases import KINDS, copied_database
from tests.support.site import Site, running_site

PRIVILEGED = c(securityContext__privileged=True)
HOST_NETWORK = s(hostNetwork=True)


class Place:
    """A server that scans a folder, and the folder."""

    def __init__(self, site: Site, folder: Path, client: Aotanami) -> None:
        self.site = site
        self.folder = folder
        self.client = client

    def put(self, name: str, *cases: object, namespace: str = "shop", **annotations: str) -> None:
        """Write the Deployments of cases to a file, named after it."""
        found = []
        for number, case in enumerate(cases):
            for item in objects(case, annotations):  # type: ignore[arg-type]
                item["metadata"]["namespace"] = namespace
                if item["kind"] == "Deployment":
                    item["metadata"]["name"] = f"{name}-{number}"
                found.append(item)
        (self.folder / name).mkdir(exist_ok=True)
        write(self.folder / name, *found)

    def scan(self, scope: ScanScopeRequest | Unset = UNSET, **request: Any) -> Scan:
        """Scan, and wait for the end."""
        return self.client.scans.wait(self.client.scans.trigger(scope=scope, **request).id, timeout=20)

    def findings(self, **wanted: Any) -> list[Finding]:
        """Return all findings."""
        return list(self.client.findings.list(**wanted))


class Running:
    """A running server that scans a folder."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.folder = folder
        self.client = Aotanami(site.base_url, api_key=site.key(Scope.WRITE))

    def place(self) -> Place:
        """Forget everything, and write the folder anew: a privileged Deployment, one in the host's network."""
        with self.site.installation.database.write() as connection:
            for table in (k8s_findings, k8s_scans, k8s_scan_scopes):
                connection.execute(sa.delete(table))
        shutil.rmtree(self.folder)
        self.folder.mkdir()
        place = Place(self.site, self.folder, self.client)
        place.put("web", PRIVILEGED, HOST_NETWORK)
        return place


@contextmanager
def running(kind: str, directory: Path, request: pytest.FixtureRequest) -> Generator[Running]:
    """Run a server."""
    folder = directory / "manifests"
    folder.mkdir()
    with (
        copied_database(kind, directory, request) as url,
        running_site(url, directory / "data", more={"manifests": (("local", (folder,)),)}) as site,
    ):
        made = Running(site, folder)
        yield made
        made.client.close()


@pytest.fixture(scope="module", params=KINDS)
def either(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    """A server on each database."""
    with running(request.param, tmp_path_factory.mktemp("scans"), request) as made:
        yield made


@pytest.fixture(scope="module")
def embedded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Running]:
    """A server on the embedded database."""
    with running("sqlite", tmp_path_factory.mktemp("scans"), request) as made:
        yield made


@pytest.fixture
def place(either: Running) -> Place:
    """Where nothing was scanned yet, on each database."""
    return either.place()


@pytest.fixture
def here(embedded: Running) -> Place:
    """Where nothing was scanned yet, on the embedded database: for what no SQL decides."""
    return embedded.place()


def checks(found: list[Finding]) -> set[tuple[str | None, str]]:
    """Return what was found where."""
    return {(str(one.check_id), one.resource.name) for one in found}


def test_a_scan_from_the_trigger_to_the_report(here: Place) -> None:
    """202 with the place of the scan; its state; its report with numbers, compliance and versions."""
    with here.site.client(here.site.key(Scope.WRITE)) as http:
        answer = http.post("/api/v1/scans/trigger", json={"complianceFrameworks": ["cis"], "name": "first"})
        assert answer.status_code == 202
        where = answer.headers["Location"]
        assert where == f"/api/v1/scans/{answer.json()['data']['id']}"
        scan = here.client.scans.wait(where.rpartition("/")[2], timeout=20)
        report = http.get(f"{where}/report")
        etag = report.headers["ETag"]
        assert http.get(f"{where}/report", headers={"If-None-Match": etag}).status_code == 304
        assert http.get(f"{where}/report?pageSize=1", headers={"If-None-Match": etag}).status_code == 200
    assert (scan.phase, scan.name, scan.clusters, scan.errors) == ("Completed", "first", ["local"], [])
    assert scan.summary is not None
    data = report.json()["data"]
    assert data["phase"] == "Complete"
    assert data["summary"]["totalFindings"] == scan.findings_count == len(data["findings"])
    assert data["summary"]["critical"] == sum(one["severity"] == "critical" for one in data["findings"])
    assert data["summary"]["securityScore"] < 100
    (cis,) = data["compliance"]
    by_id = {control["id"]: control["status"] for control in cis["controls"]}
    assert by_id["5.2.2"] == "failed"
    assert "not_checked" in by_id.values()
    finding = next(one for one in data["findings"] if one["checkId"] == "privileged")
    assert finding["source"]["file"].endswith("all.yaml") or finding["source"]["line"] > 1
    assert finding["cluster"] == "local"
    assert [one.id for one in here.client.scans.list(phase=["Completed"])] == [scan.id]
    assert list(here.client.scans.list(phase=["Failed"])) == []
    assert list(here.client.scans.list(since=scan.completed_at)) == []  # type: ignore[arg-type]


def test_what_was_mended_is_remediated(place: Place) -> None:
    """It leaves the list, is there when asked for, keeps its beginning, and may come back."""
    first = place.scan()
    before = {one.id: one for one in place.findings()}
    place.put("web", s(), HOST_NETWORK)
    second = place.scan()
    after = {one.id: one for one in place.findings()}
    gone = {one.id: one for one in place.findings(remediated=True)}
    assert ("privileged", "web-0") in checks(list(before.values()))
    assert gone.keys() == before.keys() - after.keys()
    assert ("privileged", "web-0") in checks(list(gone.values()))
    assert all(one.remediated and one.scan_id == first.id for one in gone.values())
    for one in after.values():
        assert (one.first_seen, one.scan_id) == (before[one.id].first_seen, second.id)
        assert one.last_seen > before[one.id].last_seen  # type: ignore[operator]
    of_first = {one.id: one for one in place.findings(scan_id=first.id)}
    assert of_first.keys() == before.keys()
    assert {one.id for one in of_first.values() if one.remediated} == gone.keys()
    assert {one.id for one in place.findings(scan_id=first.id, remediated=False)} == after.keys()

    place.put("web", PRIVILEGED, HOST_NETWORK)
    place.scan()
    again = {one.id: one for one in place.findings()}
    assert again.keys() == before.keys()
    assert place.findings(remediated=True) == []
    assert all(one.first_seen == before[one.id].first_seen for one in again.values())
    assert {one.id for one in place.findings(scan_id=second.id)} == after.keys()


def test_filters_and_pages_have_one_order(place: Place) -> None:
    """Worst first, no finding twice or never over pages, and numbers that agree with the list."""
    place.put("blog", PRIVILEGED, HOST_NETWORK, PRIVILEGED, namespace="blog")
    place.scan()
    everything = place.findings(page_size=200)
    assert len({one.id for one in everything}) == len(everything) >= 8
    order = ["critical", "high", "medium", "low", "info"]
    places = [order.index(one.severity) for one in everything]
    assert places == sorted(places)
    assert [one.id for one in place.findings(page_size=5)] == [one.id for one in everything]
    wanted = {
        "severity": (["critical"], lambda one: one.severity == "critical"),
        "min_severity": ("high", lambda one: one.severity in ("critical", "high")),
        "category": (["pod-security"], lambda one: one.category == "pod-security"),
        "namespace": (["blog"], lambda one: one.resource.namespace == "blog"),
        "resource_kind": (["Namespace"], lambda one: one.resource.kind == "Namespace"),
        "resource_name": ("blog-2", lambda one: one.resource.name == "blog-2"),
        "check_id": (["privileged"], lambda one: one.check_id == "privileged"),
        "cluster": (["elsewhere"], lambda one: one.cluster == "elsewhere"),
        "q": ("BLOG-1", lambda one: "blog-1" in (one.title + one.description + one.resource.name).lower()),
    }
    for name, (value, fits) in wanted.items():
        found = place.findings(**{name: value})
        assert [one.id for one in found] == [one.id for one in everything if fits(one)], name
        if name in ("q", "min_severity", "namespace"):
            assert place.client.findings.summary(**{name: value}).total == len(found), name  # type: ignore[arg-type]
    # What is a pattern to a database is a letter to people.
    assert place.findings(q="%") == place.findings(q="_")
    assert place.findings(q="privileged container") == place.findings(q="Privileged CONTAINER")
    summary = place.client.findings.summary()
    assert summary.by_namespace is not None
    assert {one.namespace: one.total for one in summary.by_namespace} == {
        "blog": sum(one.resource.namespace == "blog" for one in everything),
        "shop": sum(one.resource.namespace == "shop" for one in everything),
    }


def test_scopes_do_not_tell_a_finding_twice(place: Place) -> None:
    """A scan of a part tells only of its part; a newer one of everything takes its place."""
    place.put("blog", PRIVILEGED, namespace="blog")
    place.scan()
    everything = {one.id for one in place.findings()}
    part = place.scan(
        ScanScopeRequest(namespaces=["blog"]), scanners=["container-security-context", "pod-security"]
    )
    assert part.scope is not None
    assert part.scope.namespaces == ["blog"]
    assert len(place.findings()) == len(everything)
    assert {one.resource.namespace for one in place.findings(scan_id=part.id)} == {"blog"}
    place.put("blog", s(), namespace="blog")
    place.scan(ScanScopeRequest(namespaces=["blog"]), scanners=["container-security-context", "pod-security"])
    assert ("privileged", "blog-0") not in checks(place.findings())
    place.put("blog", namespace="blog")
    place.scan()
    assert {one.resource.namespace for one in place.findings()} == {"shop"}


def test_labels_and_least_severity_choose(here: Place) -> None:
    """Objects by their labels, checks by their severity; a selector that has no meaning is refused."""
    assert here.scan(ScanScopeRequest(label_selector="app in (nothing, else)")).findings_count == 0
    severe = here.scan(min_severity="critical")
    assert severe.summary is not None
    assert severe.summary.total_findings == severe.summary.critical
    for selector in ("a==b==c", "x in (a", "=b", "a,,b", "k notin b", "é=1"):
        with pytest.raises(BadRequestError, match="labelSelector"):
            here.client.scans.trigger(scope=ScanScopeRequest(label_selector=selector))
    with pytest.raises(BadRequestError):
        here.client.scans.trigger(scanners=["no-such-scanner"])
    with pytest.raises(NotFoundError, match="No scan has the id scan-none"):
        here.client.scans.get("scan-none")


def test_exceptions_suppress_until_their_end(here: Place) -> None:
    """Listed with the reason and not counted; once they have ended, they do nothing."""
    here.put("web", PRIVILEGED, **{"ignore.aotanami.com/privileged": "until=2999-01-31 agreed with security"})
    here.scan()
    (finding,) = here.findings(check_id=["privileged"])
    assert (finding.suppressed, finding.suppression_reason) == (True, "agreed with security")
    assert here.client.findings.summary(check_id=["privileged"]).total == 0
    here.put("web", PRIVILEGED, **{"ignore.aotanami.com/privileged": "until=2020-01-31 agreed with security"})
    here.scan()
    (again,) = here.findings(check_id=["privileged"])
    assert (again.id, again.suppressed, again.first_seen) == (finding.id, False, finding.first_seen)
    assert here.client.findings.summary(check_id=["privileged"]).total == 1
    assert here.findings(remediated=True) == []


def test_what_cannot_be_read_is_not_called_mended(here: Place) -> None:
    """A file that is broken makes the scan Degraded and says where; its findings stay, as they were last seen."""
    first = here.scan()
    before = {one.id: one.last_seen for one in here.findings()}
    broken = here.folder / "web" / "broken.yaml"
    for file in (here.folder / "web").iterdir():
        file.unlink()
    broken.write_text("kind: [\n")
    here.put("blog", PRIVILEGED, namespace="blog")
    second = here.scan()
    assert second.phase == "Degraded"
    assert second.errors
    assert "broken.yaml" in second.errors[0].message
    kept = {one.id: one for one in here.findings(namespace=["shop"])}
    assert kept.keys() == before.keys()
    assert all(one.scan_id == first.id and one.last_seen == before[one.id] for one in kept.values())
    assert {one.resource.namespace for one in here.findings(scan_id=second.id)} == {"blog"}
    broken.unlink()
    here.scan()
    assert here.findings(namespace=["shop"]) == []
    assert len(here.findings(remediated=True)) == len(before)


def test_only_the_newest_reports_are_kept(here: Place) -> None:
    """Ten of a scope; what only older ones tell goes with them."""
    first = here.scan()
    here.put("web")
    scans = [here.scan() for _ in range(10)]
    assert [one.id for one in here.client.scans.list()] == [one.id for one in reversed(scans)]
    with pytest.raises(NotFoundError):
        here.client.scans.report(first.id)
    assert here.findings(remediated=True) == []


def test_of_two_triggers_at_once_one_scans(place: Place) -> None:
    """The other is told which; it is the database that decides."""
    with ThreadPoolExecutor(8) as pool:

        def trigger(_: int) -> str:
            try:
                return place.client.scans.trigger().id
            except ConflictError as error:
                return str(error)

        answers = list(pool.map(trigger, range(8)))
    begun = [answer for answer in answers if answer.startswith("scan-") and " " not in answer]
    assert begun
    assert all("looks at the same scope" in answer for answer in answers if answer not in begun)
    for found in begun:
        assert place.client.scans.wait(found, timeout=20).phase == "Completed"
    # However many came after the end of another: never two at a time.
    scans = sorted(place.client.scans.list(), key=lambda one: one.id)
    for earlier, later in pairwise(scans):
        assert later.started_at >= earlier.completed_at  # type: ignore[operator]


def test_before_the_first_scan_nothing_is_claimed(here: Place) -> None:
    """No findings, and no mark for what nobody looked at."""
    summary = here.client.findings.summary()
    assert (summary.total, summary.security_score, summary.last_scan_at) == (0, UNSET, UNSET)
    assert here.findings() == []


def test_without_targets_a_scan_is_refused(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """With what to set."""
    with (
        copied_database("sqlite", tmp_path, request) as url,
        running_site(url, tmp_path) as site,
        Aotanami(site.base_url, api_key=site.key(Scope.WRITE)) as client,
        pytest.raises(ConflictError, match="AKMATORI_MANIFESTS") as refused,
    ):
        client.scans.trigger()
    assert refused.value.code == "SourceNotConfigured"

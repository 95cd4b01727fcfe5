"""Drift as its users ask for it: over HTTP and with the SDK."""

from __future__ import annotations

import subprocess
from collections.abc import Generator
from pathlib import Path
from textwrap import dedent

import pytest

from akmatori_sdk import Aotanami, ConflictError, NotFoundError
from akmatori_server.config import ConfigurationError
from akmatori_server.http.call import Scope
from tests.support.databases import KINDS, copied_database
from tests.support.site import Site, running_site

DESIRED = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web, namespace: shop}
    spec: {replicas: 2, template: {spec: {containers: [{name: web, image: "web:1"}]}}}
    ---
    apiVersion: v1
    kind: Secret
    metadata: {name: key, namespace: shop}
    stringData: {token: wanted-value}
    ---
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: quiet, namespace: calm}
    data: {a: b}
    ---
    apiVersion: v1
    kind: Namespace
    metadata: {name: shop, labels: {team: a}}
"""
LIVE = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web, namespace: shop}
    spec: {replicas: 5, template: {spec: {containers: [{name: web, image: "web:2"}]}}}
    ---
    apiVersion: v1
    kind: Secret
    metadata: {name: key, namespace: shop}
    data: {token: bGl2ZS12YWx1ZQ==}
    ---
    apiVersion: v1
    kind: Service
    metadata: {name: extra, namespace: shop}
    ---
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: quiet, namespace: calm}
    data: {a: b}
    ---
    apiVersion: v1
    kind: Namespace
    metadata: {name: shop}
    ---
    apiVersion: v1
    kind: Namespace
    metadata: {name: kube-system}
"""


class Place:
    """A server that compares two folders, one of them a Git work tree."""

    def __init__(self, site: Site, live: Path) -> None:
        self.site = site
        self.live = live
        self.client = Aotanami(site.base_url, api_key=site.key(Scope.READ))


@pytest.fixture(scope="module", params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    """A running server with something to compare."""
    directory = tmp_path_factory.mktemp("drift")
    desired, live = directory / "tree" / "deploy", directory / "live"
    for folder, text in ((desired, DESIRED), (live, LIVE)):
        folder.mkdir(parents=True)
        (folder / "all.yaml").write_text(dedent(text))
    git = directory / "tree" / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "refs" / "heads" / "main").write_text("5f2c9a0b" * 5 + "\n")
    (git / "config").write_text('[remote "origin"]\n\turl = https://me:token@git.example.com/shop.git\n')
    more = {"drift_source": desired, "manifests": (("local", (live,)),)}
    with (
        copied_database(request.param, directory, request) as url,
        running_site(url, directory / "data", more=more) as site,
    ):
        made = Place(site, live)
        yield made
        made.client.close()


def test_namespaces_are_listed_the_worst_first(place: Place) -> None:
    """With their counts, and the commit they were compared with; no credentials of the remote."""
    shop, cluster, calm = list(place.client.drift.list())
    assert (cluster.namespace, cluster.drift_count) == ("", 1)
    assert (shop.namespace, shop.drift_count, shop.highest_severity) == ("shop", 4, "high")
    assert shop.by_type is not None
    assert (shop.by_type.added, shop.by_type.modified, shop.by_type.deleted) == (1, 3, 0)
    assert (shop.managed_resources, shop.unmanaged_resources) == (2, 1)
    assert shop.source is not None
    assert (shop.source.type, shop.source.url) == ("git", "https://git.example.com/shop.git")
    assert shop.source.revision == "5f2c9a0b" * 5
    assert (calm.namespace, calm.drift_count) == ("calm", 0)
    assert [one.namespace for one in place.client.drift.list(only_drifted=True)] == ["shop", ""]
    assert [one.namespace for one in place.client.drift.list(namespace=["calm"])] == ["calm"]


def test_the_differences_of_a_namespace(place: Place) -> None:
    """Each with its field and values; those of secrets are masked; filters work."""
    entries = {one.field_path or one.resource_kind: one for one in place.client.drift.get("shop")}
    image = entries["spec.template.spec.containers[name=web].image"]
    assert (image.live_value, image.desired_value, image.severity) == ('"web:2"', '"web:1"', "high")
    assert str(image.source_file).endswith("all.yaml")
    secret = entries["data.token"]
    assert secret.redacted is True
    assert "value" not in f"{secret.live_value}{secret.desired_value}"
    assert entries["Service"].type == "added"
    assert [one.field_path for one in place.client.drift.get("shop", severity=["low"])] == ["spec.replicas"]
    assert [one.resource_kind for one in place.client.drift.get("shop", kind=["Secret"])] == ["Secret"]
    with pytest.raises(NotFoundError, match="no namespace nowhere"):
        list(place.client.drift.get("nowhere"))


def test_what_is_in_no_namespace_can_be_read(place: Place) -> None:
    """By a name that no namespace has; what every cluster has is no difference."""
    (drift,) = place.client.drift.get("_cluster")
    assert (drift.resource_kind, drift.resource_name, drift.field_path) == (
        "Namespace",
        "shop",
        "metadata.labels",
    )


def test_an_unknown_target_ends_the_start(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """It is no reason to compare nothing."""
    with (
        copied_database("sqlite", tmp_path, request) as url,
        pytest.raises(ConfigurationError, match="no cluster or folder nope; there are local"),
        running_site(url, tmp_path, more={"drift_target": "nope", "manifests": (("local", (tmp_path,)),)}),
    ):
        pass


def test_a_difference_keeps_its_beginning(place: Place) -> None:
    """Compared again, what is still there is the same; what was mended is gone."""
    from akmatori_server.kubernetes.drift.service import DriftOptions, DriftService
    from akmatori_server.kubernetes.drift.source import DesiredState
    from akmatori_server.kubernetes.targets import FolderTarget

    before = {one.id: one.detected_at for one in place.client.drift.get("shop")}
    live = place.live / "all.yaml"
    live.write_text(live.read_text().replace("replicas: 5", "replicas: 2"))
    options = DriftOptions(
        desired=DesiredState(place.live.parent / "tree" / "deploy"),
        target=FolderTarget("local", (place.live,)),
    )
    installation = place.site.installation
    DriftService(installation.database, options, now=installation.now).check()
    after = {one.id: one.detected_at for one in place.client.drift.get("shop")}
    assert len(after) == 3
    assert after.items() <= before.items()


def test_without_a_source_it_is_said(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Nothing is invented: 409, with what to do."""
    with (
        copied_database("sqlite", tmp_path, request) as url,
        running_site(url, tmp_path) as site,
        Aotanami(site.base_url, api_key=site.key(Scope.READ)) as client,
        pytest.raises(ConflictError, match="AKMATORI_DRIFT_SOURCE") as refused,
    ):
        list(client.drift.list())
    assert refused.value.code == "SourceNotConfigured"


def test_a_real_work_tree_tells_its_commit(tmp_path: Path) -> None:
    """As Git writes it."""
    from akmatori_server.kubernetes.drift.source import DesiredState

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.net", *arguments],
            check=True, capture_output=True, text=True,
        ).stdout.strip()  # fmt: skip

    git("init", "-q")
    (tmp_path / "a.yaml").write_text("kind: A\n")
    git("add", ".")
    git("commit", "-qm", "first")
    described = DesiredState(tmp_path).described()
    assert described.revision == git("rev-parse", "HEAD")
    git("pack-refs", "--all")
    assert DesiredState(tmp_path).described().revision == described.revision

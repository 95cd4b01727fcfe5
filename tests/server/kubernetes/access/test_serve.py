"""`aotanami-server serve`: Aotanami's API alone."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from akmatori_sdk import Aotanami
from akmatori_server.app import create_aotanami_app
from akmatori_server.config import Settings
from akmatori_server.engine import MemoryEngine
from akmatori_server.http.call import Scope
from akmatori_server.installation import open_installation
from akmatori_server.kubernetes import commands, serve_command
from akmatori_server.kubernetes.clusters.configuration import ClusterConfig
from akmatori_server.kubernetes.configuration import KubernetesSettings
from akmatori_server.kubernetes.first_look import first_look
from akmatori_server.kubernetes.targets import ClusterTarget, FolderTarget
from tests.support.databases import copied_database
from tests.support.kube_api import kube_api
from tests.support.running import serve


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of manifests."""
    found = tmp_path / "app"
    found.mkdir()
    return found


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(commands.main, ["serve", *map(str, arguments)])


@pytest.mark.usefixtures("own_process_settings")
def test_it_refuses_what_makes_no_sense(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AKMATORI_MANIFESTS", "AKMATORI_CLUSTERS"):
        monkeypatch.delenv(name, raising=False)
    data = ("--data-dir", tmp_path / "data")
    nothing = run(*data)
    assert nothing.exit_code == 2
    assert "Name what to watch" in nothing.output
    monkeypatch.setenv("AKMATORI_READABLE_NAMESPACES", "A")
    wrong = run(*data, "--manifests", folder)
    assert wrong.exit_code == 2
    assert "AKMATORI_READABLE_NAMESPACES: A is no name of a namespace." in wrong.output
    assert "Invalid value" not in wrong.output
    monkeypatch.setenv("AKMATORI_READABLE_NAMESPACES", "shop")
    monkeypatch.setenv("AKMATORI_NOTIFICATION_FILE", "S3CRET")
    outside = run(*data, "--manifests", folder, "--host", "0.0.0.0")  # noqa: S104  that it is refused is the test
    assert "(AKMATORI_READABLE_NAMESPACES) is not used" in outside.output
    assert "AKMATORI_NOTIFICATION_FILE" in outside.output
    assert '"nearest": "AKMATORI_NOTIFICATIONS_FILE"' in outside.output
    assert "S3CRET" not in outside.output
    assert outside.exit_code == 1
    assert "Refusing to listen on 0.0.0.0: nobody could call the server." in outside.output
    monkeypatch.setenv("AKMATORI_K8S_AUTH", "tokenreview")
    unverifiable = run(*data, "--manifests", folder)
    assert unverifiable.exit_code == 1
    assert "needs a cluster that knows the tokens" in unverifiable.output


def test_its_data_has_a_place_of_its_own(tmp_path: Path) -> None:
    usual = serve_command._usual_data_dir  # pyright: ignore[reportPrivateUsage]  # starting a server for it takes seconds
    assert usual({"XDG_DATA_HOME": str(tmp_path)}) == tmp_path / "aotanami"
    assert usual({"AKMATORI_DATA_DIR": "/x"}) is None


def is_there(base: str) -> bool:
    """Whether somebody listens there."""
    try:
        return httpx.get(f"{base}/api/v1/health").status_code == 200
    except httpx.TransportError:
        return False


def check_server(base: str, key: str) -> None:
    """No setup, a key, nothing of Akmatori, and errors in Aotanami's own shape."""
    with Aotanami(base, api_key=key) as client:
        assert [(one.name, one.status) for one in client.clusters.list()] == [("manifests", "healthy")]
        assert client.readiness.get().ready
    with httpx.Client(base_url=base) as plain:
        assert plain.get("/api/v1/clusters").status_code == 401
        for path in ("/api/incidents", "/auth/login", "/console", "/nothing"):
            answer = plain.get(path, headers={"X-API-Key": key})
            assert (answer.status_code, answer.json()["error"]["reason"]) == (404, "NotFound"), path
        assert plain.get("/").headers["location"] == "api/v1/openapi.json"


def test_it_works_at_once(folder: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with copied_database("sqlite", tmp_path, request) as url:
        settings = Settings(
            data_dir=tmp_path,
            database_url=url,
            kubernetes=KubernetesSettings(manifests=(("manifests", (folder,)),)),
        )
        site = open_installation(settings)
        app = create_aotanami_app(settings, installation=site, engine=MemoryEngine())
        with serve(app, on_stop=site.stopping.begin) as base:
            check_server(base, site.auth.create_key("a", Scope.WRITE).text)


@pytest.mark.soak
def test_as_a_process(folder: Path, tmp_path: Path) -> None:
    """The first start makes a key and says so."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "akmatori_server.kubernetes", "serve", "--port", str(port)]
    command += ["--data-dir", str(tmp_path / "data"), "--manifests", str(folder)]
    told = tmp_path / "told"
    with (
        told.open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        assert process.stdout is not None
        try:
            key, base, end = (
                process.stdout.readline().strip(),
                f"http://127.0.0.1:{port}",
                time.monotonic() + 60,
            )
            while time.monotonic() < end and not is_there(base):
                time.sleep(0.1)
            check_server(base, key)
        finally:
            process.terminate()
        # Stopped in good order, uvicorn passes the signal on.
        assert process.wait(30) in {0, -signal.SIGTERM}
    first, look, *_ = lines = told.read_text().splitlines()
    assert (first, look) == (
        "Aotanami is starting.",
        f"Folder manifests: 0 files of manifests in {folder}.",
    )
    assert f"Aotanami listens on {base}/api/v1, described at {base}/api/v1/openapi.json." in lines
    assert any("This key opens it" in line for line in lines)


def test_what_a_start_finds(folder: Path, tmp_path: Path) -> None:
    """Each target in a sentence; one that does not answer is told, and does not hold the start up."""
    (folder / "a.yaml").touch()
    (folder / "b.txt").touch()
    with kube_api() as api:
        answers = ClusterTarget(ClusterConfig("prod", api.kubeconfig(tmp_path)))
        silent = ClusterTarget(ClusterConfig("test", tmp_path / "nowhere"))
        said = list(first_look([answers, FolderTarget("app", (folder, folder / "a.yaml")), silent]))
    assert said[:2] == [
        f"Cluster prod: Kubernetes v1.32.4 at {api.url}.",
        f"Folder app: 2 files of manifests in {folder}, {folder}/a.yaml.",
    ]
    assert said[2].startswith("The cluster test cannot be used by the current context of")
    assert said[2].endswith("It is asked again every minute.")


def test_the_first_key_is_the_only_one_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = open_installation(Settings(data_dir=tmp_path, database_url=f"sqlite:///{tmp_path / 'x.db'}"))
    try:
        for _ in range(2):
            serve_command._say_where(site, "http://x")  # pyright: ignore[reportPrivateUsage]  # as the start does
        keys = re.findall(r"^akm_\S+$", capsys.readouterr().out, re.MULTILINE)
        assert len(keys) == 1
        found = site.auth.identify(keys[0])
        assert found is not None
        assert (found.name, found.scope) == ("first", Scope.WRITE)
    finally:
        site.close()

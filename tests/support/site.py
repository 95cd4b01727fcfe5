"""A whole server for tests: the real application under uvicorn, its own database, the engine in memory.

The server is imported when the first fixture needs it: tests of the SDK do not wait for it.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import httpx
import pytest

from tests.contract.exchanges import EXCHANGES
from tests.support.databases import KINDS, copied_database
from tests.support.running import serve

if TYPE_CHECKING:
    from akmatori_server.engine import Engine
    from akmatori_server.http.call import Scope
    from akmatori_server.installation import Installation

PASSWORD = "correct horse battery"
# For modules whose promises no database has a part in; what is stored is tested on both, a layer below.
ON_SQLITE_ALONE = pytest.mark.parametrize("server", ["sqlite"], indirect=True, scope="module")


@attrs.frozen(kw_only=True)
class Site:
    """A running server, and its inside for what a test must arrange or check behind its back."""

    base_url: str
    installation: Installation

    def client(self, credential: str | None = None) -> httpx.Client:
        """Return a client with this token or key; close it, or use it in `with`."""
        headers = {} if credential is None else {"Authorization": f"Bearer {credential}"}
        return httpx.Client(base_url=self.base_url, headers=headers, timeout=20)

    def key(self, scope: Scope, name: str | None = None) -> str:
        """Make an API key and return it."""
        auth = self.installation.auth
        return auth.create_key(name or f"{scope.value}-{len(auth.keys.all())}", scope).text


@contextmanager
def running_site(
    database_url: str,
    data_dir: Path,
    *,
    admin_password: str | None = PASSWORD,
    engine: Engine | None = None,
    jwt_secret: str | None = None,
    event_streams: int = 500,
    slack_api_url: str | None = None,
    more: Mapping[str, Any] | None = None,
) -> Generator[Site]:
    """Run a server; every answer it gives is checked against the specification. `more` are further settings.

    Those of Aotanami may be among them by their own names.
    """
    from akmatori_server.app import create_app
    from akmatori_server.config import Settings
    from akmatori_server.engine import MemoryEngine
    from akmatori_server.installation import open_installation
    from akmatori_server.kubernetes.configuration import KubernetesSettings

    given = dict(more or {})
    watched = {name: given.pop(name) for name in attrs.fields_dict(KubernetesSettings) if name in given}
    if watched:
        given["kubernetes"] = KubernetesSettings(**watched)
    settings = Settings(
        data_dir=data_dir,
        database_url=database_url,
        admin_password=admin_password,
        jwt_secret=jwt_secret,
        check_responses=True,
        concurrency=1,
        event_streams=event_streams,
        slack_api_url=slack_api_url,
        **given,
    )
    installation = open_installation(settings)
    app = create_app(settings, installation=installation, engine=engine or MemoryEngine())
    with serve(app, on_stop=installation.stopping.begin) as base_url:
        EXCHANGES.watch(base_url)
        yield Site(base_url=base_url, installation=installation)
    EXCHANGES.leave(base_url)


@pytest.fixture(scope="module", params=KINDS)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Site]:
    """A running server with a password, once for each database; shared by the tests of a module."""
    directory = tmp_path_factory.mktemp("server")
    with copied_database(request.param, directory, request) as url, running_site(url, directory) as site:
        yield site


def logged_in(site: Site) -> Generator[httpx.Client]:
    """Yield a client that is logged in as the administrator."""
    with site.client() as anonymous:
        answer = anonymous.post("/auth/login", json={"username": "admin", "password": PASSWORD})
    with site.client(answer.json()["token"]) as client:
        yield client


@pytest.fixture(scope="module")
def admin(server: Site) -> Generator[httpx.Client]:
    """A client that is logged in as the administrator."""
    yield from logged_in(server)


@pytest.fixture(scope="module")
def api_key(server: Site) -> str:
    """An API key that may do everything."""
    from akmatori_server.http.call import Scope

    return server.key(Scope.ADMIN, "everything")


@pytest.fixture
def setup_site(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Site]:
    """A running server that nobody has set up yet."""
    with (
        copied_database("sqlite", tmp_path, request) as url,
        running_site(url, tmp_path, admin_password=None) as site,
    ):
        yield site

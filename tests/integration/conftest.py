"""What the tests with real programs share: one server, one Alertmanager, one Prometheus, started once."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from akmatori_sdk import Akmatori
from tests.contract.exchanges import EXCHANGES
from tests.integration.monitoring import Alertmanager, Backlog, running_alertmanager, running_prometheus
from tests.promises.serverprocess import PASSWORD, Launcher, ServerProcess

SECRET = "the-secret-of-this-source"


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Generator[ServerProcess]:
    """A server of its own process, as an operator runs it."""
    with Launcher() as launcher, ServerProcess(launcher, tmp_path_factory.mktemp("live")) as running:
        EXCHANGES.watch(running.base_url)
        yield running


@pytest.fixture(scope="session")
def client(live_server: ServerProcess) -> Generator[Akmatori]:
    """An administrator's client, who has one runbook."""
    with Akmatori(base_url=live_server.base_url, username="admin", password=PASSWORD) as made:
        made.runbooks.create(
            title="Disk filling up", content="1. Run `df -h`.\n2. Delete old logs under /var/log."
        )
        yield made


@pytest.fixture(scope="session")
def alertmanager(
    tmp_path_factory: pytest.TempPathFactory, client: Akmatori, live_server: ServerProcess
) -> Generator[Alertmanager]:
    """Debian's Alertmanager with one webhook receiver: our alert source, authorised by its secret."""
    source = client.alert_sources.create(source_type_name="alertmanager", name="prod", webhook_secret=SECRET)
    url = f"{live_server.base_url}/webhook/alert/{source.uuid}"
    with running_alertmanager(tmp_path_factory.mktemp("single") / "alertmanager", url, SECRET) as running:
        yield running


@pytest.fixture(scope="session")
def backlog(tmp_path_factory: pytest.TempPathFactory, alertmanager: Alertmanager) -> Generator[Backlog]:
    """The metric that Debian's Prometheus watches; above 100 its rule fires, and Alertmanager hears of it."""
    directory = tmp_path_factory.mktemp("rule") / "prometheus"
    with Backlog() as endpoint, running_prometheus(directory, endpoint, alertmanager):
        yield endpoint


@pytest.fixture(scope="session")
def peers(
    tmp_path_factory: pytest.TempPathFactory, client: Akmatori, live_server: ServerProcess
) -> Generator[tuple[Alertmanager, Alertmanager]]:
    """Two Alertmanagers that are one cluster, and both deliver to one alert source."""
    source = client.alert_sources.create(source_type_name="alertmanager", name="ha", webhook_secret=SECRET)
    url = f"{live_server.base_url}/webhook/alert/{source.uuid}"
    directory = tmp_path_factory.mktemp("cluster")
    with (
        running_alertmanager(directory / "a", url, SECRET, peers=()) as first,
        running_alertmanager(directory / "b", url, SECRET, peers=(first,)) as second,
    ):
        yield first, second

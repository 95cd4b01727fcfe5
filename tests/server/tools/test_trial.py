"""Trying a tool: one harmless call, and a sentence that says what happened and who can mend it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Generator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import attrs
import pytest

from akmatori_server.database import Database
from akmatori_server.errors import NotFound
from akmatori_server.http_connectors.models import NewHttpConnector
from akmatori_server.http_connectors.service import HttpConnectorService
from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.connectors import connector_kit
from akmatori_server.kits.http_api import http_kits
from akmatori_server.kits.sql import sql_kits
from akmatori_server.kits.ssh.kit import ssh_kit
from akmatori_server.settings.route import direct
from akmatori_server.toolbox.arguments import checked_arguments
from akmatori_server.toolbox.models import Access, Invocation, Output
from akmatori_server.toolbox.trial import TrialResult
from akmatori_server.tools.builtin import builtin_types
from tests.server.http_connectors.billing import BILLING
from tests.server.incidents.domain import call
from tests.server.kits.using import open_tool
from tests.server.tools import key_texts
from tests.server.tools.workshop import Workshop, make_trial, make_workshop

TOKEN = "netbox-token-0815"
HERE = ["127.0.0.0/8"]
# Enough of them for a plan.
SETTINGS = {
    "ssh": {"ssh_hosts": [{"hostname": "web-1", "address": "10.0.0.5"}]},
    "postgresql": {"pg_host": "db.example.net", "pg_database": "app", "pg_username": "u", "pg_password": "p"},
    "clickhouse": {
        "ch_host": "ch.example.net",
        "ch_database": "logs",
        "ch_username": "u",
        "ch_password": "p",
    },
    "victoria_metrics": {"vm_url": "https://a.example.net", "vm_auth_method": "none"},
    "kubernetes": {"k8s_url": "https://a.example.net", "k8s_token": "t"},
    "jira": {"jira_url": "https://a.example.net", "jira_username": "u", "jira_api_token": "t"},
    "zabbix": {"zabbix_url": "https://a.example.net", "zabbix_token": "t"},
}


class Service(ThreadingHTTPServer):
    """Answers like NetBox, in the way that it is told to."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.asked: list[str] = []
        self.status = 200
        self.body = b'{"netbox-version": "4.1.3", "secret": "not to be shown"}'
        self.waits = 0.0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}"


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        service = self.server
        assert isinstance(service, Service)
        service.asked.append(f"{self.path} {self.headers.get('Authorization')}")
        time.sleep(service.waits)
        self.send_response(service.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(service.body)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError):
            self.wfile.write(service.body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
        del format, args


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Generator[Workshop]:
    """Tools on SQLite."""
    path = tmp_path_factory.mktemp("trial") / "tools.db"
    with closing(Database.open(f"sqlite:///{path}")) as database:
        yield make_workshop(database)


@pytest.fixture
def service() -> Generator[Service]:
    """A service that runs."""
    with Service() as one:
        thread = threading.Thread(target=one.serve_forever, args=(0.02,))
        thread.start()
        yield one
        one.shutdown()
        thread.join()


def netbox(shop: Workshop, url: str, name: str, **more: object) -> int:
    """Add a tool."""
    return shop.tool("netbox", name, netbox_url=url, netbox_api_token=TOKEN, **more)


def tried(shop: Workshop, tool_id: int) -> TrialResult:
    """Try a tool."""
    return asyncio.run(shop.trial.run(call(), tool_id))


def test_every_type_declares_a_harmless_call(tmp_path: Path) -> None:
    """It reads, its arguments are right, and with the usual settings it can be planned."""
    with closing(Database.open(f"sqlite:///{tmp_path / 'a.db'}")) as database:
        kits = {**http_kits(lambda _service: direct), **sql_kits(), "ssh": ssh_kit(database)}
        for definition in builtin_types():
            name = definition.name
            usual = {f"{name}_url": "https://a.example.net", f"{name}_api_token": "t"}
            tool = open_tool(definition, SETTINGS.get(name, usual))
            chosen = kits[name].trial(tool)
            assert chosen is not None, name
            function = next(one for one in definition.functions if one.name == chosen.function)
            arguments = checked_arguments(function, chosen.arguments)
            plan = kits[name].plan(Invocation(tool=tool, function=function, arguments=arguments))
            assert (function.read_only, plan.access) == (True, Access.READ)
            assert chosen.proves.endswith(".")


def test_a_tool_that_works(shop: Workshop, service: Service) -> None:
    """It is told to be reached, with its version and nothing else of the answer; never out of a cache; and audited."""
    tool_id = netbox(shop, service.url, "Works", allowed_networks=HERE)
    first, again = tried(shop, tool_id), tried(shop, tool_id)

    assert first.is_success
    assert first.message == "The service was reached, and accepted the credentials. It is version 4.1.3."
    assert (first.function, first.version) == ("api_request", "4.1.3")
    assert again.is_success
    assert service.asked == [f"/api/status/ Token {TOKEN}"] * 2
    entry = shop.entries()[-1]
    assert (entry.action, entry.target) == ("tool:tested", f"tool:{tool_id}")
    assert entry.after is not None
    assert (entry.after["ok"], entry.after["function"]) == (True, "api_request")
    assert "not to be shown" not in shop.everything()


def test_what_is_wrong_is_said(shop: Workshop, service: Service) -> None:
    """And who can mend it: the setting that is meant is named."""
    closed = socket.create_server(("127.0.0.1", 0))
    nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"
    closed.close()
    private = tried(shop, netbox(shop, service.url, "Private"))
    asked_so_far = list(service.asked)
    gone = tried(shop, netbox(shop, nobody, "Gone", allowed_networks=HERE))
    nameless = tried(shop, netbox(shop, "http://nowhere.invalid", "Nameless"))
    metadata = tried(
        shop, netbox(shop, "http://169.254.169.254", "Metadata", allowed_networks=["169.254.0.0/16"])
    )
    service.status, service.body = 401, f'{{"detail": "bad token {TOKEN}"}}'.encode()
    refused = tried(shop, netbox(shop, service.url, "Refused", allowed_networks=HERE))
    service.status, service.body = 200, b"<html>a login page</html>"
    wrong = tried(shop, netbox(shop, service.url, "Wrong", allowed_networks=HERE))

    assert not any(one.is_success for one in (private, gone, nameless, metadata, refused, wrong))
    assert "allowed_networks of the tool's settings" in private.message
    assert asked_so_far == []
    assert "netbox_url" in gone.message
    assert "nowhere.invalid cannot be resolved" in nameless.message
    assert "metadata address, which is never called" in metadata.message
    assert "401" in refused.message
    assert "netbox_api_token" in refused.message
    assert TOKEN not in refused.message
    assert "netbox_url" in wrong.message
    assert TOKEN not in repr([entry.after for entry in shop.entries()])


def test_a_trial_does_not_take_long(shop: Workshop, service: Service) -> None:
    """Also where the tool's own settings would let it."""
    service.waits = 1.0
    kits = http_kits(lambda _service: direct)
    trial = make_trial(
        shop.database, shop.tools, shop.audit, lambda tool_type: kits.get(tool_type.name), seconds=0.3
    )
    tool_id = netbox(shop, service.url, "Slow", allowed_networks=HERE, netbox_timeout=300)
    result = asyncio.run(trial.run(call(), tool_id))

    assert not result.is_success
    assert "no answer within 0.3 seconds" in result.message
    assert result.duration_ms < 1000


def test_hosts_are_told_one_by_one(shop: Workshop) -> None:
    """Which of them let nobody in, and why."""
    no_key = tried(
        shop, shop.tool("ssh", "No key", ssh_hosts=[{"hostname": "web-1", "address": "127.0.0.1"}])
    )
    no_host = tried(shop, shop.tool("ssh", "No host"))
    rows: list[JSON] = [
        {"server": "web-1", "success": True, "error": ""},
        {"server": "db-1", "success": False, "error": "db-1 port 22: The host key is not known."},
    ]
    trouble = ssh_kit(shop.database).trouble(Output(value={"results": rows, "summary": {}}))

    assert (no_key.is_success, no_host.is_success) == (False, False)
    assert no_key.message == "web-1: This tool has no SSH key; add one to it."
    assert "ssh_hosts" in no_host.message
    assert trouble == "1 of 2 hosts let the user in. db-1: db-1 port 22: The host key is not known."
    assert key_texts.openssh().splitlines()[1] not in shop.everything()


def test_connectors_are_tried_by_a_call_without_arguments(shop: Workshop, service: Service) -> None:
    """The first that reads and needs none; where there is none, that is said."""
    connectors = HttpConnectorService(shop.database, shop.audit, now=shop.clock)
    simple = {"tools": [{"name": "status", "http_method": "GET", "path": "/status"}]}
    needing = {"tools": BILLING.tools["tools"][:1]}
    with connectors.transaction() as connection:
        connectors.create_in(connection, None, attrs.evolve(BILLING, tools=simple))
        other: NewHttpConnector = attrs.evolve(BILLING, tool_type_name="needing", tools=needing)
        connectors.create_in(connection, None, other)
    trial = make_trial(shop.database, shop.tools, shop.audit, connector_kit(connectors))
    settings = {"billing_url": service.url, "billing_token": TOKEN, "allowed_networks": HERE}
    works = asyncio.run(trial.run(call(), shop.tool("billing", "Billing", **settings)))
    cannot = asyncio.run(trial.run(call(), shop.tool("needing", "Needing", **settings)))

    assert works.message == "The API was reached, and accepted the credentials."
    assert service.asked == [f"/status Bearer {TOKEN}"]
    assert "/api/http-connectors/{id}/test" in cannot.message


def test_a_tool_that_is_not_there(shop: Workshop) -> None:
    """Is not tried."""
    with pytest.raises(NotFound):
        tried(shop, 4711)

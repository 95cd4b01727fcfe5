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
from tests.server.kits.ssh.calls import ssh_tool
from tests.server.kits.using import open_tool, use
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
        self.kind = "application/json"
        # Answered before `body`, one after the other.
        self.bodies: list[bytes] = []
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
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        time.sleep(service.waits)
        body = service.bodies.pop(0) if service.bodies else service.body
        self.send_response(service.status)
        self.send_header("Content-Type", service.kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError):
            self.wfile.write(body)

    do_POST = do_GET  # noqa: N815  its name there

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


@contextlib.contextmanager
def saying(words: bytes) -> Generator[int]:
    """Yield a port that says this to whoever says something to it, and ends the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    near, _ = listening.accept()
                    with near, contextlib.suppress(OSError):
                        near.recv(65536)
                        near.sendall(words)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def tool_at(shop: Workshop, name: str, url: str, title: str, **more: object) -> int:
    """Add a tool of a type that is an HTTP API."""
    address = {"victoria_metrics": "vm_url", "kubernetes": "k8s_url"}.get(name, f"{name}_url")
    usual: dict[str, object] = {} if name in SETTINGS else {f"{name}_api_token": "t"}
    settings = {**usual, **SETTINGS.get(name, {}), address: url, "allowed_networks": HERE, **more}
    return shop.tool(name, title, **settings)


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


PAGE = b"<html><body>\n<p>Log in: secretdetail</p>\n</body></html>"
# What each service answers, and what others do, with status 200; and the setting to look at.
ANSWERS: dict[str, tuple[list[bytes], list[bytes], str]] = {
    "kubernetes": ([b'{"gitVersion": "v1.35.0"}'], [PAGE, b"{}", b'{"gitVersion": " "}', b'"v1"'], "k8s_url"),
    "netbox": ([b'{"netbox-version": "4.1.3"}'], [b"{}", b""], "netbox_url"),
    "jira": ([b'{"displayName": "Ann"}'], [PAGE, b"{}", b"[]", b'{"displayName": 1}'], "jira_url"),
    "grafana": ([b"[]", b'[{"uid": "a"}]'], [PAGE, b"{}"], "grafana_url"),
    "pagerduty": ([b'{"services": []}'], [b"{}"], "pagerduty_url"),
    "catchpoint": ([b'{"data": {"tests": []}}'], [b"{}"], "catchpoint_url"),
    "victoria_metrics": (
        [b'{"status": "success", "data": {"resultType": "scalar", "result": [1, "1"]}}'],
        [b"{}", b'{"data": []}'],
        "vm_url",
    ),
    "zabbix": ([], [b"{}", b'{"result": "7.4.0"}'], "zabbix_url"),
}


def test_another_service_is_told_apart(shop: Workshop, service: Service) -> None:
    """Every type that is an HTTP API knows its own service by its answer: a page to log in to is not Jira."""
    wrong: list[str] = []
    assert {*ANSWERS, "ssh", "postgresql", "clickhouse"} == {one.name for one in builtin_types()}
    for name, (right_bodies, other_bodies, setting) in ANSWERS.items():
        tool_id = tool_at(shop, name, service.url, f"{name} or another")
        for body in right_bodies:
            service.body = body
            result = tried(shop, tool_id)
            wrong += [] if result.is_success else [f"{name} {body!r}: {result.message}"]
        for body in other_bodies:
            service.body = body
            result = tried(shop, tool_id)
            told = setting in result.message and "secretdetail" not in result.message
            wrong += [f"{name} {body!r}: {result.message}"] if result.is_success or not told else []
    assert wrong == []


def test_nothing_of_an_answer_is_shown(shop: Workshop, service: Service) -> None:
    """Only its status, and which setting to look at: an investigation may read bodies, and a trial needs none."""
    jira = tool_at(shop, "jira", service.url, "Jira that refuses")
    host = {"ch_host": "127.0.0.1", "ch_port": service.server_port, "allowed_networks": HERE}
    clickhouse = shop.tool("clickhouse", "No ClickHouse", **{**SETTINGS["clickhouse"], **host})
    service.body = b'{"message": "Invalid API key,\\n secretdetail=1"}'
    for status, words in {
        400: "check jira_url",
        401: "check jira_username and jira_api_token in the tool's settings",
        403: "needs the permission",
        404: "check jira_url in the tool's settings",
        429: "too many requests; wait a little",
        503: "a problem of its own; look into its log",
    }.items():
        service.status = status
        said = tried(shop, jira).message
        assert f"answered {status}: " in said
        assert words in said
        assert "secretdetail" not in said
        assert "arguments" not in said
    for status, body, kind in [
        (404, PAGE, "text/html"),
        (200, PAGE, "text/html"),
        (400, b"Port 9000 is for the secretdetail", "text/plain"),
        (502, PAGE, "text/html"),
    ]:
        service.status, service.body, service.kind = status, body, kind
        said = tried(shop, clickhouse).message
        assert "not answer as ClickHouse does" in said
        assert "check ch_host and ch_port in the tool's settings" in said
        assert "secretdetail" not in said
        assert "\n" not in said
    service.status, service.kind = 403, "text/plain"
    service.body = b"Code: 516. DB::Exception: u: secretdetail (AUTHENTICATION_FAILED) (version 26.9)"
    said = tried(shop, clickhouse).message
    assert said == (
        "ClickHouse does not let the user u in; check ch_username and ch_password in the tool's settings."
    )
    service.status = 404
    service.body = b"Code: 81. DB::Exception: secretdetail (UNKNOWN_DATABASE) (version 26.9)"
    said = tried(shop, clickhouse).message
    assert (
        said
        == "ClickHouse refused the statement (404, UNKNOWN_DATABASE); check ch_database in the tool's settings."
    )


def test_what_a_service_says_of_itself(shop: Workshop, service: Service) -> None:
    """Plain http where https is asked for, an error of Prometheus, a credential that Zabbix does not know."""
    plain = tool_at(shop, "victoria_metrics", service.url.replace("http:", "https:"), "Plain")
    said = tried(shop, plain).message
    assert "plain http" in said
    assert "http:// instead of https:// into vm_url" in said
    assert "vm_verify_ssl" not in said
    host = {"ch_host": "127.0.0.1", "ch_port": service.server_port, "allowed_networks": HERE}
    encrypted = shop.tool(
        "clickhouse", "Plain too", **{**SETTINGS["clickhouse"], **host, "ch_ssl_enabled": True}
    )
    assert "ch_ssl_enabled" in tried(shop, encrypted).message

    bearer = {"vm_auth_method": "bearer_token", "vm_bearer_token": TOKEN}
    failing = tool_at(shop, "victoria_metrics", service.url, "Failing", **bearer)
    service.body = f'{{"status": "error", "error": "bad\\n {TOKEN}"}}'.encode()
    assert tried(shop, failing).message.endswith("answered with an error: bad ****")

    for method, settings in {
        "token": "check zabbix_token in",
        "credentials": "check zabbix_username and zabbix_password in",
    }.items():
        login = {"auth_method": method, "zabbix_username": "ann", "zabbix_password": "p"}
        zabbix = tool_at(shop, "zabbix", service.url, f"Zabbix {method}", **login)
        for error in (b"Not authorised.", b"Session terminated, re-login, please."):
            session = [b'{"result": "s"}'] if method == "credentials" else []
            refusal = b'{"error": {"message": "Invalid params.", "data": "%s"}}' % error
            # It logs in once more, and tries again.
            service.bodies = [b'{"result": "7.4.0"}', *session, refusal] * 2
            assert settings in tried(shop, zabbix).message


def test_databases_name_the_setting(shop: Workshop) -> None:
    """What PostgreSQL or its library says, and what to do about it."""
    closed = socket.create_server(("127.0.0.1", 0))
    nobody = int(closed.getsockname()[1])
    closed.close()

    def said(port: int, ssl_mode: str) -> str:
        settings = {
            **SETTINGS["postgresql"],
            "pg_host": "127.0.0.1",
            "pg_port": port,
            "pg_ssl_mode": ssl_mode,
        }
        title = f"{ssl_mode} {port} {time.monotonic()}"
        result = tried(shop, shop.tool("postgresql", title, **settings, allowed_networks=HERE))
        assert not result.is_success
        return result.message

    assert "check pg_host and pg_port in the tool's settings" in said(nobody, "require").lower()
    with saying(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        for mode in ("require", "disable"):
            assert "check pg_port in the tool's settings" in said(port, mode)
    for code, sentence, words in [
        (b"28P01", b'password authentication failed for user "u"', "Check pg_username and pg_password in"),
        (b"28000", b'no pg_hba.conf entry for host "10.0.0.1", user "u"', "administrator"),
        (b"28000", b'role "u" does not exist', "Check pg_username in"),
        (b"3D000", b'database "app" does not exist', "Check pg_database in"),
    ]:
        fields = b"SFATAL\0C" + code + b"\0M" + sentence + b"\0\0"
        with saying(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields) as port:
            assert words in said(port, "disable")


def test_ssh_names_the_port_and_the_jump_host(shop: Workshop) -> None:
    """A port that speaks something else, and a jump host that is not there."""
    kit = ssh_kit(shop.database)
    closed = socket.create_server(("127.0.0.1", 0))
    nobody = int(closed.getsockname()[1])
    closed.close()

    def said(port: int, **more: object) -> str:
        host = {"hostname": "web-1", "address": "127.0.0.1", "port": port, **more}
        tool = ssh_tool(key_texts.openssh(), ssh_hosts=[host], ssh_connection_timeout=5)
        return kit.trouble(asyncio.run(use(kit, tool, "test_connectivity")))

    with saying(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        assert "It may not be an SSH server; check the port in the tool's settings." in said(port)
        jump = said(port, jumphost_address="127.0.0.1", jumphost_port=nobody)
    assert "jump host cannot be used" in jump
    assert f"127.0.0.1 port {nobody} cannot be reached" in jump
    assert "Check its address and port in the tool's settings" in said(nobody)

"""Who goes through the proxy: the real server, a real proxy, and real targets behind it."""

from __future__ import annotations

import base64
import logging
import socket
import ssl
from collections.abc import Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from akmatori_server.http_connectors.settings_schema import VERIFY_TLS
from tests.server.http_connectors.billing import TOOLS, Api, running_api
from tests.support.databases import copied_database
from tests.support.forward_proxy import ForwardProxy, forward_proxy
from tests.support.running import serve
from tests.support.site import logged_in, running_site

PASSWORD = "pr0xy p@ss"
IN_URL = "pr0xy%20p%40ss"
SENT = "Basic " + base64.b64encode(f"ann:{PASSWORD}".encode()).decode()
NAME = "eu.billing.example.net"


@pytest.fixture(autouse=True)
def _names_lead_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make names below example.net lead to this machine."""
    usual = socket.getaddrinfo

    def look_up(host: Any, *arguments: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else str(host)
        here = name.endswith(".example.net")
        return usual("127.0.0.1" if here else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.fixture(scope="module")
def admin(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[httpx.Client]:
    """The administrator of a server; which database it has makes no difference here."""
    directory = tmp_path_factory.mktemp("proxied")
    with copied_database("sqlite", directory, request) as url, running_site(url, directory) as site:
        yield from logged_in(site)


@pytest.fixture(scope="module")
def api() -> Generator[Api]:
    """The API behind the connector."""
    with running_api() as running:
        yield running


@pytest.fixture
def proxy() -> Generator[ForwardProxy]:
    """The proxy."""
    with forward_proxy() as running:
        yield running


@pytest.fixture(scope="module")
def connector(admin: httpx.Client) -> int:
    """A connector of the server."""
    body = {
        "tool_type_name": "billing",
        "base_url_field": "billing_url",
        "auth_config": {"method": "bearer_token", "token_field": "billing_token"},
        "tools": TOOLS,
    }
    return int(admin.post("/api/http-connectors", json=body).json()["id"])


def put(admin: httpx.Client, proxy: ForwardProxy, *services: str, no_proxy: str = "") -> None:
    """Set the proxy for these services."""
    body = {
        "proxy_url": f"http://ann:{IN_URL}@127.0.0.1:{proxy.port}",
        "no_proxy": no_proxy,
        "services": {name: {"enabled": True} for name in services},
    }
    answer = admin.put("/api/settings/proxy", json=body)
    assert answer.status_code == 200
    assert "%2A%2A%2A%2A" in answer.json()["proxy_url"]


def call(admin: httpx.Client, connector: int, url: str, **settings: Any) -> dict[str, Any]:
    """Make a tool for the address, and have the connector call it."""
    kind = next(one for one in admin.get("/api/tool-types").json() if one["name"] == "billing")
    settings = {"billing_url": url, "billing_token": "billing-token", "allow_private": True, **settings}
    tool = admin.post(
        "/api/tools",
        json={"tool_type_id": kind["id"], "name": f"T {datetime.now(UTC)}", "settings": settings},
    ).json()
    body = {"tool_instance_id": tool["id"], "tool": "get_invoice", "arguments": {"id": "7"}}
    tried: dict[str, Any] = admin.post(f"/api/http-connectors/{connector}/test", json=body).json()
    return tried


def test_a_connector_goes_through_the_proxy(
    admin: httpx.Client, connector: int, api: Api, proxy: ForwardProxy, caplog: pytest.LogCaptureFixture
) -> None:
    """By the name of its target, with the proxy's password, which is in no log and no answer."""
    put(admin, proxy, "http_connectors")
    with caplog.at_level(logging.DEBUG):
        result = call(admin, connector, f"http://{NAME}:{api.server_port}/api")

    assert result["ok"], result
    [passed] = proxy.passed
    assert passed.target == f"http://{NAME}:{api.server_port}/api/invoices/7?lines=50"
    assert passed.headers["proxy-authorization"] == SENT
    assert passed.headers["host"] == f"{NAME}:{api.server_port}"
    assert "proxy-authorization" not in api.requests[-1][1]
    assert caplog.records
    for secret in (PASSWORD, IN_URL, SENT.split()[1]):
        assert secret not in caplog.text + str(result)


@pytest.mark.parametrize(
    ("services", "no_proxy", "host"),
    [
        ((), "", NAME),
        (("llm", "slack", "grafana", "mcp_servers"), "", NAME),
        (("http_connectors",), f"other.example.net, {NAME}", NAME),
        (("http_connectors",), ".example.net", NAME),
        (("http_connectors",), "billing.example.net", NAME),
        (("http_connectors",), "127.0.0.0/8", "127.0.0.1"),
        (("http_connectors",), "*", NAME),
    ],
    ids=["no toggle", "other toggles", "name", "dotted suffix", "suffix", "CIDR", "everything"],
)
def test_what_is_not_for_the_proxy_goes_directly(
    admin: httpx.Client,
    connector: int,
    api: Api,
    proxy: ForwardProxy,
    services: tuple[str, ...],
    no_proxy: str,
    host: str,
) -> None:
    """Because the toggle is off, or by the list of exceptions."""
    put(admin, proxy, *services, no_proxy=no_proxy)
    result = call(admin, connector, f"http://{host}:{api.server_port}/api")

    assert result["ok"], result
    assert proxy.passed == []


def test_a_name_that_only_ends_alike_goes_through_the_proxy(
    admin: httpx.Client, connector: int, api: Api, proxy: ForwardProxy
) -> None:
    """Suffixes begin at a dot; a network counts for addresses only."""
    put(admin, proxy, "http_connectors", no_proxy="g.example.net,10.0.0.0/8")
    assert call(admin, connector, f"http://{NAME}:{api.server_port}/api")["ok"]

    assert len(proxy.passed) == 1


@pytest.mark.parametrize(
    ("url", "settings", "words"),
    [
        ("http://169.254.169.254/latest", {}, "never called"),
        (f"http://{NAME}/api", {"allow_private": False}, "private address"),
        ("http://no-such-name.invalid/api", {}, "cannot be resolved"),
    ],
)
def test_the_target_is_checked_before_the_proxy_is_asked(
    admin: httpx.Client, connector: int, proxy: ForwardProxy, url: str, settings: dict[str, Any], words: str
) -> None:
    """A proxy is no way round the rules for addresses."""
    put(admin, proxy, "http_connectors")
    result = call(admin, connector, url, **settings)

    assert not result["ok"]
    assert words in result["message"]
    assert proxy.passed == []


def test_a_proxy_that_is_not_there_is_told(admin: httpx.Client, connector: int, api: Api) -> None:
    """As what it is, without its password."""
    put(admin, ForwardProxy(port=1), "http_connectors")
    result = call(admin, connector, f"http://{NAME}:{api.server_port}/api")

    assert not result["ok"]
    assert result["message"].startswith(f"No connection to {NAME} port {api.server_port} through the proxy")
    assert IN_URL not in str(result)


def test_tls_goes_through_a_tunnel(
    admin: httpx.Client, connector: int, proxy: ForwardProxy, tmp_path: Path
) -> None:
    """The proxy sees the name and the port, and nothing of the request."""
    put(admin, proxy, "http_connectors")
    with running_api() as api:
        api.socket = _tls(tmp_path).wrap_socket(api.socket, server_side=True)
        result = call(admin, connector, f"https://{NAME}:{api.server_port}/api", **{VERIFY_TLS: False})

    assert result["ok"], result
    [passed] = proxy.passed
    assert (passed.method, passed.target) == ("CONNECT", f"{NAME}:{api.server_port}")
    assert passed.headers["proxy-authorization"] == SENT
    assert "authorization" not in passed.headers


def test_an_mcp_server_goes_through_the_proxy_when_it_is_told_to(
    admin: httpx.Client, proxy: ForwardProxy, request: pytest.FixtureRequest
) -> None:
    """Its own toggle, and the same exceptions."""
    pytest.importorskip("mcp", reason="the extra mcp is not installed")
    from tests.server.mcp_servers.programs import make_server

    app: Any = make_server().streamable_http_app()
    with serve(app) as base:
        body = {"name": "far", "transport": "sse", "url": f"{base}/mcp", "namespace_prefix": "far"}
        made = admin.post("/api/mcp-servers", json=body).json()
        request.addfinalizer(lambda: admin.delete(f"/api/mcp-servers/{made['id']}"))
        seen: dict[str, int] = {}
        for case, services, no_proxy in (
            ("on", ("mcp_servers",), ""),
            ("off", ("http_connectors",), ""),
            ("excepted", ("mcp_servers",), "127.0.0.0/8"),
        ):
            proxy.passed.clear()
            put(admin, proxy, *services, no_proxy=no_proxy)
            result = admin.post(f"/api/mcp-servers/{made['id']}/test").json()
            assert result["ok"], result
            assert all(one.headers["proxy-authorization"] == SENT for one in proxy.passed)
            seen[case] = len(proxy.passed)

    assert seen["on"] > 0
    assert (seen["off"], seen["excepted"]) == (0, 0)


def _tls(directory: Path) -> ssl.SSLContext:
    """Return the TLS of a server with a certificate that nobody knows."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = directory / "server.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context

"""The same rules for libraries that bring an HTTP client of their own."""

from __future__ import annotations

import asyncio

import pytest

from akmatori_server.outgoing.errors import AddressRefusedError
from akmatori_server.outgoing.policy import Policy, parsed_networks
from akmatori_server.settings.route import Proxy
from tests.support.forward_proxy import forward_proxy
from tests.support.origin import Reply, running_origin
from tests.support.tls import authority_and_server

httpx2 = pytest.importorskip("httpx2", reason="the extra mcp is not installed")
HERE = Policy(parsed_networks(["127.0.0.0/8"]))


def to_here(_host: str, _port: int) -> list[str]:
    """Find every name on this machine."""
    return ["127.0.0.1"]


def test_requests_go_to_checked_addresses_by_their_name() -> None:
    """A redirect is checked like a first request, TLS gets the name, and connections are kept for each name."""
    from akmatori_server.outgoing.httpx2_transport import CheckedTransport

    async def main(url: str) -> None:
        transport = CheckedTransport(HERE, resolver=to_here, verify_tls=False)
        async with httpx2.AsyncClient(transport=transport, follow_redirects=True) as client:
            assert (await client.get(f"{url}/a")).status_code == 200
            assert (await client.get(f"{url}/b")).status_code == 200
            with pytest.raises(AddressRefusedError, match="never called"):
                await client.get(f"{url}/moved")
            for hostile in ("http://metadata.google.internal/", "http://0x7f.1/", "http://10.0.0.1/"):
                with pytest.raises(AddressRefusedError):
                    await client.get(hostile)

    moved = Reply({}, 302, {"Location": "http://169.254.169.254/latest"})
    with running_origin(lambda asked: moved if asked.path == "/moved" else Reply()) as origin:
        asyncio.run(main(f"http://mcp.example:{origin.server_port}"))
        assert {asked.headers["host"] for asked in origin.asked} == {f"mcp.example:{origin.server_port}"}
        assert len({asked.client for asked in origin.asked}) == 1
    with running_origin(lambda asked: moved if asked.path == "/moved" else Reply()) as origin:
        _, context = authority_and_server("mcp.example")
        names: list[str | None] = []
        context.sni_callback = lambda _socket, name, _context: names.append(name)
        origin.socket = context.wrap_socket(origin.socket, server_side=True)
        asyncio.run(main(f"https://mcp.example:{origin.server_port}"))
        assert names == ["mcp.example"]


def test_a_proxy_is_told_the_name() -> None:
    """After the check."""
    from akmatori_server.outgoing.httpx2_transport import CheckedTransport

    with running_origin() as origin, forward_proxy() as proxy:
        route = Proxy(f"http://127.0.0.1:{proxy.port}")

        async def main() -> None:
            transport = CheckedTransport(HERE, resolver=to_here, proxy=route)
            async with httpx2.AsyncClient(transport=transport) as client:
                await client.get(f"http://mcp.example:{origin.server_port}/")
                with pytest.raises(AddressRefusedError):
                    await client.get("http://169.254.169.254/")

        asyncio.run(main())
        assert [passed.target for passed in proxy.passed] == [f"http://mcp.example:{origin.server_port}/"]

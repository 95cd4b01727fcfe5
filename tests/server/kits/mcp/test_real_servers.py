"""Servers that others wrote: two from PyPI as programs, and one over HTTP."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Generator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from akmatori_server.mcp_servers.models import Endpoint, Transport
from akmatori_server.settings.route import Proxy
from akmatori_server.toolbox.models import ToolFailedError
from tests.server.kits.mcp.test_kit import using
from tests.support.running import serve

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        find_spec("mcp_server_time") is None or find_spec("mcp_server_git") is None,
        reason="the packages mcp-server-time and mcp-server-git are not installed",
    ),
]


def module(name: str, *arguments: str) -> Endpoint:
    """A server that is a module of this Python."""
    return Endpoint(
        prefix="ext.box", transport=Transport.STDIO, command=sys.executable, args=("-m", name, *arguments)
    )


def test_two_servers_from_the_registry_at_once(tmp_path: Path) -> None:
    """The clock answers; the one for repositories reads, and what would change one waits for a person."""
    for words in (["init", "-q"], ["-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "--allow-empty", "-m", "First light"]):  # fmt: skip  # noqa: E501
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)

    async def clock() -> None:
        async with using(module("mcp_server_time", "--local-timezone", "UTC")) as used:
            now = (await used.call("get_current_time", timezone="Europe/Kyiv")).value
            assert isinstance(now, dict)
            assert now["timezone"] == "Europe/Kyiv"
            wrong = await used.call("get_current_time", timezone="Nowhere")
            assert wrong.is_failure
            assert "Nowhere" in str(wrong.value)

    async def repository() -> None:
        async with using(module("mcp_server_git", "--repository", str(tmp_path))) as used:
            log = (await used.call("git_log", repo_path=str(tmp_path))).value
            assert "First light" in str(log)
            with pytest.raises(ToolFailedError, match="set allow_writes"):
                await used.call("git_checkout", repo_path=str(tmp_path), branch_name="x")

    async def both() -> None:
        await asyncio.gather(clock(), repository())

    asyncio.run(both())


@pytest.fixture(params=["streamable", "sse"])
def http_server(request: pytest.FixtureRequest) -> Generator[tuple[str, list[str], threading.Event]]:
    """A server over HTTP, in both forms; whose requests it got; and a switch that makes it fail."""
    from tests.server.mcp_servers.programs import make_server

    server = make_server()
    app: Any = server.streamable_http_app() if request.param == "streamable" else server.sse_app()
    hosts: list[str] = []
    broken = threading.Event()

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            hosts.append(dict(scope["headers"])[b"host"].decode())
            if scope["path"].startswith("/moved"):
                location = f"http://{hosts[-1]}{scope['path'].removeprefix('/moved')}".encode()
                await send(
                    {"type": "http.response.start", "status": 307, "headers": [(b"location", location)]}
                )
                await send({"type": "http.response.body", "body": b""})
                return
            if broken.is_set():
                await send({"type": "http.response.start", "status": 503, "headers": []})
                await send({"type": "http.response.body", "body": b""})
                return
        await app(scope, receive, send)

    with serve(noting) as base:
        yield f"{base}/{'mcp' if request.param == 'streamable' else 'sse'}", hosts, broken


def test_a_server_over_http(http_server: tuple[str, list[str], threading.Event]) -> None:
    """By its name, also where it moved; and when it fails in the middle, that is a sentence."""
    url, hosts, broken = http_server
    moved = url.replace("127.0.0.1", "localhost").replace("/mcp", "/moved/mcp").replace("/sse", "/moved/sse")

    async def scenario() -> None:
        endpoint = Endpoint(prefix="ext.box", transport=Transport.SSE, url=moved)
        async with using(endpoint, call_seconds=3, read_functions=["add"]) as used:
            assert (await used.call("add", a=1, b=2)).value == {"result": 3}
            assert {host.partition(":")[0] for host in hosts} == {"localhost"}
            broken.set()
            with pytest.raises(ToolFailedError) as caught:
                await used.call("add", a=1, b=2)
            assert str(caught.value).endswith(".")

    asyncio.run(scenario())


def test_the_proxy_of_the_settings_is_used() -> None:
    """And only that one; its password is in no sentence."""
    proxy = Proxy("http://user:proxy-password@127.0.0.1:1")

    async def scenario() -> None:
        from akmatori_server.kits.mcp import McpKit
        from akmatori_server.toolbox.session import Session
        from tests.server.kits.mcp.test_kit import DEFINITION, Stored
        from tests.server.kits.using import open_tool

        endpoint = Endpoint(prefix="ext.box", transport=Transport.SSE, url="http://127.0.0.1:2/mcp")
        kit = McpKit(Stored({"ext.box": endpoint}), route=lambda _url: proxy)
        async with Session() as session:
            with pytest.raises(ToolFailedError) as caught:
                await kit.functions(open_tool(DEFINITION, {}), session)
        assert "No connection" in str(caught.value)
        assert "proxy-password" not in str(caught.value)

    asyncio.run(scenario())

"""Trying MCP servers: real ones, as programs and over HTTP."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from akmatori_server.mcp_servers import connecting
from akmatori_server.mcp_servers import probe as probing
from akmatori_server.mcp_servers.handlers import McpServerHandlers
from akmatori_server.mcp_servers.models import Endpoint, McpServerMembers, Transport
from akmatori_server.mcp_servers.probe import Offer, ProbeFailedError, probe
from akmatori_server.mcp_servers.service import McpServerService
from tests.server.incidents.domain import call
from tests.server.tools.workshop import Workshop
from tests.support.running import serve

pytest.importorskip("mcp", reason="the extra mcp is not installed")

PROGRAMS = str(Path(__file__).with_name("programs.py"))
# Some of its tools can be used.
HALF_BROKEN = str(Path(__file__).parents[1] / "kits/mcp/programs.py")
SECRET = "hunter2-hunter2"


def program(how: str, **members: Any) -> Endpoint:
    """One of the programs."""
    return Endpoint(
        prefix="box",
        transport=Transport.STDIO,
        command=sys.executable,
        args=(PROGRAMS, how),
        environment={"TOKEN": SECRET},
        secrets=(SECRET,),
        **members,
    )


def address(url: str, **members: Any) -> Endpoint:
    """A server at an address."""
    return Endpoint(prefix="box", transport=Transport.SSE, url=url, **members)


def ask(endpoint: Endpoint, limit_seconds: float = 60) -> Offer:
    """Try a server. The usual limit is for people; a busy machine may need more."""
    return asyncio.run(probe(endpoint, limit_seconds=limit_seconds))


def test_a_program_is_started_and_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """With its own variables, and with nothing of what this server knows."""
    monkeypatch.setenv("AKMATORI_DATABASE_URL", "postgresql://user:password@host/name")
    monkeypatch.setenv("ADMIN_PASSWORD", "secret")
    offer = ask(program("stdio"))

    assert (offer.server_name, offer.server_version) == ("toolbox", "1.4.0")
    add, environment = offer.tools
    assert (add.name, add.description) == ("add", "Add two numbers.")
    assert set(add.input_schema["properties"]) == {"a", "b"}
    variables = set(environment.description.split())
    assert "TOKEN" in variables
    assert not variables & {"AKMATORI_DATABASE_URL", "ADMIN_PASSWORD"}
    # LC_CTYPE is set by Python itself.
    assert variables <= {"HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER", "TOKEN", "LC_CTYPE"}


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        (program("broken"), "It wrote: cannot start with ****"),
        (Endpoint(prefix="x", transport=Transport.STDIO, command="/not/there"), "/not/there is not there"),
        (Endpoint(prefix="x", transport=Transport.STDIO, command=PROGRAMS), "may not be started"),
        (Endpoint(prefix="x", transport=Transport.STDIO, command="true"), "does not speak MCP"),
        (address("http://127.0.0.1:1/mcp"), "No connection to 127.0.0.1:1"),
        (address("http://169.254.169.254/latest"), "never called"),
    ],
)
def test_why_a_server_cannot_be_reached_is_told(endpoint: Endpoint, words: str) -> None:
    """In one sentence, without secrets."""
    with pytest.raises(ProbeFailedError) as caught:
        ask(endpoint)

    assert words in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_silent_program_is_given_up_and_ended(tmp_path: Path) -> None:
    """It does not outlive the test."""
    started = time.monotonic()
    endpoint = program("silent")
    with pytest.raises(ProbeFailedError, match=r"did not answer within 2 seconds"):
        ask(endpoint, limit_seconds=2)

    assert time.monotonic() - started < 30
    running = [
        entry.read_bytes()
        for entry in Path("/proc").glob("[0-9]*/cmdline")
        if entry.exists() and str(tmp_path) not in str(entry)
    ]
    assert not [line for line in running if PROGRAMS.encode() in line and b"silent" in line]


@pytest.fixture(scope="module", params=["streamable", "sse"])
def http_server(request: pytest.FixtureRequest) -> Generator[tuple[str, list[dict[str, str]]]]:
    """A server over HTTP, in both forms; and the headers of the requests it gets."""
    from tests.server.mcp_servers.programs import make_server

    server = make_server()
    app: Any = server.streamable_http_app() if request.param == "streamable" else server.sse_app()
    seen: list[dict[str, str]] = []

    async def noting(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            seen.append({name.decode(): value.decode() for name, value in scope["headers"]})
        await app(scope, receive, send)

    with serve(noting) as base:
        # An address that does not tell which of the two it is.
        yield f"{base}/{'mcp' if request.param == 'streamable' else 'sse'}", seen


def test_a_server_over_http_is_asked(http_server: tuple[str, list[dict[str, str]]]) -> None:
    """Whichever of the two forms it speaks, with the headers that authenticate."""
    url, seen = http_server
    offer = ask(address(url, headers={"Authorization": "Bearer abc"}))

    assert offer.server_name == "toolbox"
    assert [tool.name for tool in offer.tools] == ["add", "environment"]
    assert {headers.get("authorization") for headers in seen} == {"Bearer abc"}


def test_a_page_that_is_no_mcp_server_is_told() -> None:
    """With its status."""

    async def closed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "http.response.start", "status": 403, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    with serve(closed) as base, pytest.raises(ProbeFailedError) as caught:
        ask(address(f"{base}/x"))
    assert "403" in str(caught.value)


def test_without_the_library_that_is_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what to install."""
    monkeypatch.setattr(connecting, "find_spec", lambda _name: None)

    with pytest.raises(ProbeFailedError, match="extra mcp"):
        ask(program("stdio"))


def test_the_operation_answers_what_happened(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tools by the names the agent calls them by; a failure is an answer too."""
    monkeypatch.setattr(probing, "LIMIT_SECONDS", 60)
    servers = McpServerService(workshop.database, workshop.secrets, workshop.audit, now=workshop.clock)
    handlers = McpServerHandlers(servers)
    ids: list[int] = []
    for how, file in {"stdio": PROGRAMS, "broken": PROGRAMS, "good": HALF_BROKEN}.items():
        members = McpServerMembers(
            name=how,
            transport=Transport.STDIO,
            command=sys.executable,
            args={"args": [file, how]},
            env_vars={"TOKEN": SECRET},
            namespace_prefix=f"box.{how}",
        )
        with servers.transaction() as connection:
            ids.append(servers.create_in(connection, None, members).id)
    good, bad, half = (asyncio.run(handlers.test_mcp_server(call(), id=number)) for number in ids)

    assert (good.ok, good.message) == (True, "The server offers 2 tools.")
    assert [tool.name for tool in good.tools] == ["box.stdio.add", "box.stdio.environment"]
    assert (good.server_name, good.server_version) == ("toolbox", "1.4.0")
    assert (good.left_out, bad.left_out) == ([], [])
    assert half.message == "The server offers 14 tools, of which 5 cannot be used."
    assert (
        half.left_out[1] == "The tool wrong_schema is left out: its schema breaks the rules of JSON Schema."
    )
    assert "look!" in half.left_out[-1]
    assert (bad.ok, bad.tools) == (False, [])
    assert "****" in bad.message
    assert SECRET not in bad.message

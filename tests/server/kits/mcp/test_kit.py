"""MCP servers as tools: servers that behave, that misbehave, and that die."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest

from akmatori_server.errors import NotFound
from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.mcp import McpKit
from akmatori_server.mcp_servers.models import Endpoint, Transport
from akmatori_server.mcp_servers.tool_type import SETTINGS
from akmatori_server.toolbox.models import Access, OutcomeUnknownError, Output, ToolFailedError
from akmatori_server.toolbox.session import Session
from akmatori_server.tools.definition import ToolFunction, TypeDefinition
from akmatori_server.tools.models import OpenTool
from tests.server.kits.using import invocation, open_tool

pytest.importorskip("mcp", reason="the extra mcp is not installed")

PROGRAMS = str(Path(__file__).with_name("programs.py"))
SECRET = "hunter2-hunter2"
DEFINITION = TypeDefinition(name="ext.box", description="", version="1", settings=SETTINGS, functions=())


@attrs.frozen
class Stored:
    """Where the kit finds the server of a type."""

    endpoints: Mapping[str, Endpoint]

    def endpoint_of_type(self, name: str, /) -> Endpoint:
        """Return it."""
        if name not in self.endpoints:
            raise NotFound(f"There is no enabled MCP server with the prefix {name}.")
        return self.endpoints[name]


def program(how: str) -> Endpoint:
    """One of the programs."""
    return Endpoint(
        prefix="ext.box",
        transport=Transport.STDIO,
        command=sys.executable,
        args=("-S", PROGRAMS, how),
        environment={"TOKEN": SECRET},
        secrets=(SECRET,),
    )


@attrs.frozen
class Used:
    """A server in use."""

    kit: McpKit
    tool: OpenTool
    session: Session
    functions: Mapping[str, ToolFunction]

    async def call(self, name: str, /, **arguments: JSON) -> Output:
        """Call a function."""
        call = invocation(self.tool, self.functions[name], arguments)
        self.kit.plan(call)
        return await self.kit.run(call, self.session)


@asynccontextmanager
async def using(
    endpoint: Endpoint, *, discovery_seconds: float = 30, call_seconds: float = 30, **settings: object
) -> AsyncGenerator[Used]:
    """Use a server as an investigation does."""
    kit = McpKit(
        Stored({"ext.box": endpoint}), discovery_seconds=discovery_seconds, call_seconds=call_seconds
    )
    tool = open_tool(DEFINITION, settings)
    async with Session() as session:
        functions = await kit.functions(tool, session)
        yield Used(kit, tool, session, {one.name: one for one in functions})


def left_running(*words: str) -> list[int]:
    """Return the programs with these words in their command line that still run after a moment.

    One that was ended is there until the system has got round to it.
    """
    give_up = time.monotonic() + 5
    while (found := running(*words)) and time.monotonic() < give_up:
        time.sleep(0.05)
    return found


def running(*words: str) -> list[int]:
    """Return the programs that run with these words in their command line."""
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if all(word.encode() in line for word in (PROGRAMS, *words)):
            found.append(int(entry.name))
    return found


def test_a_servers_tools_are_functions() -> None:
    """By safe names, with bounded words that say whose they are; what is broken is left out."""

    async def scenario() -> None:
        async with using(program("good")) as used:
            assert set(used.functions) == {
                "look", "change", "env_dump_all", "fail", "die", "die_once", "die_changing", "hang", "picture",
            }  # fmt: skip
            look, change = used.functions["look"], used.functions["change"]
            assert (look.read_only, change.read_only) == (True, False)
            assert look.description == "In the words of the MCP server ext.box: Looks."
            pids = {str((await used.call("look", a=number)).value) for number in (1, 1)}
            assert await used.kit.left_out(used.tool, used.session) == [
                "The tool elsewhere is left out: its schema leads to another document, which is not fetched.",
                "The tool wrong_schema is left out: its schema breaks the rules of JSON Schema.",
                "The tool huge is left out: its schema is larger than 32,768 bytes.",
                "The tool '' is left out: its name has no letter that can be used.",
                "The tool 'look!' is left out: another tool is called look, too.",
            ]
            # One program serves the whole investigation.
            assert len(pids) == 1
            picture = (await used.call("picture")).value
            assert picture == (
                "CPU of web-1\n[image, image/png, 9 bytes, not shown]\n[link to runbook: file:///runbook.md]\n"
                "file:///a.txt:\nhello"
            )

    asyncio.run(scenario())
    assert left_running("good") == []


def test_a_program_gets_its_own_variables_and_its_secrets_do_not_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing of what this server knows is there."""
    monkeypatch.setenv("AKMATORI_DATABASE_URL", "postgresql://user:password@host/name")

    async def scenario() -> None:
        async with using(program("good")) as used:
            dumped = (await used.call("env_dump_all")).value
            assert isinstance(dumped, dict)
            variables = dumped["structured"]
            assert isinstance(variables, dict)
            assert set(variables) <= {"HOME", "LOGNAME", "PATH", "SHELL", "TERM", "USER", "TOKEN", "LC_CTYPE"}
            assert SECRET not in str(dumped)
            failed = await used.call("fail")
            assert failed.is_failure
            assert str(failed.value).startswith("No: ")
            assert SECRET not in str(failed.value)

    asyncio.run(scenario())


def test_what_may_change_something_waits_for_a_person() -> None:
    """Where the tool's settings allow it at all; an operator may know better than the server what only reads."""

    async def scenario() -> None:
        async with using(program("good")) as used:
            change = invocation(used.tool, used.functions["change"], {"a": 1})
            with pytest.raises(ToolFailedError, match="set allow_writes"):
                used.kit.plan(change)
            with pytest.raises(ToolFailedError, match="set allow_writes"):
                await used.kit.run(change, used.session)
            allowing = open_tool(DEFINITION, {"allow_writes": True})
            plan = used.kit.plan(attrs.evolve(change, tool=allowing))
            assert plan.access is Access.WRITE
            assert plan.summary == f'change on the MCP server ext.box ({sys.executable}) with {{"a":1}}'
            look = used.kit.plan(invocation(used.tool, used.functions["look"], {}))
            assert look.access is Access.READ
        async with using(program("good"), read_functions=["change"]) as used:
            assert used.functions["change"].read_only
            assert "pid" in str((await used.call("change")).value)
            # What was a read when it was planned must still be one.
            pretended = attrs.evolve(used.functions["die_changing"], read_only=True)
            with pytest.raises(ToolFailedError, match="no longer says"):
                await used.kit.run(invocation(used.tool, pretended, {}), used.session)

    asyncio.run(scenario())


def test_an_approved_write_is_made_outside_of_any_investigation() -> None:
    """With a session of its own."""

    async def scenario() -> None:
        async with using(program("good"), allow_writes=True) as used:
            call = invocation(used.tool, used.functions["change"], {"a": 1})
        async with Session() as session:
            output = await used.kit.run(call, session)
            assert isinstance(output.value, dict)
            assert output.value["a"] == 1

    asyncio.run(scenario())
    assert left_running("good") == []


def test_a_server_that_dies_is_started_once_more_for_a_read(tmp_path: Path) -> None:
    """Of a write nobody knows whether it was done, so it is not repeated."""

    async def scenario() -> None:
        async with using(program("good"), allow_writes=True) as used:
            again = await used.call("die_once", mark=str(tmp_path / "mark"))
            assert "pid" in str(again.value)
            with pytest.raises(ToolFailedError, match="ended during the call, twice"):
                await used.call("die")
            with pytest.raises(OutcomeUnknownError, match="broke off during the call"):
                await used.call("die_changing")
            assert "pid" in str((await used.call("look")).value)

    asyncio.run(scenario())
    assert left_running("good") == []


def test_a_call_that_hangs_is_given_up() -> None:
    """By its limit; and a call that is cancelled ends the program with the session."""

    async def limited() -> None:
        async with using(program("good"), call_seconds=0.5) as used:
            with pytest.raises(ToolFailedError, match="did not answer in time"):
                await used.call("hang")

    async def cancelled() -> None:
        async with using(program("good")) as used:
            work = asyncio.create_task(used.call("hang"))
            await asyncio.sleep(0.2)
            work.cancel()
            with pytest.raises(asyncio.CancelledError):
                await work

    async def both() -> None:
        await asyncio.gather(limited(), cancelled())

    asyncio.run(both())
    assert left_running("good") == []


def test_a_silent_server_delays_nobody_beyond_its_limit() -> None:
    """And one that ends for no signal but the last is ended, with what it started."""

    async def silent() -> None:
        started = time.monotonic()
        with pytest.raises(ToolFailedError, match="did not say within 1 seconds"):
            async with using(program("silent"), discovery_seconds=1):
                pass
        # Ending it is part of ending the session.
        assert time.monotonic() - started < 15

    async def stubborn() -> None:
        async def main() -> None:
            async with using(program("stubborn")) as used:
                await used.call("look")
                called.set()
                await asyncio.sleep(600)

        called = asyncio.Event()
        work = asyncio.create_task(main())
        await asyncio.wait_for(called.wait(), 30)
        assert running("stubborn")
        assert running("child")
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

    async def both() -> None:
        await asyncio.gather(silent(), stubborn())

    asyncio.run(both())
    deadline = time.monotonic() + 10
    while left := [*running("silent"), *running("stubborn"), *running("child")]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def test_a_server_that_cannot_be_used_is_a_sentence() -> None:
    """Whatever is wrong with it."""

    async def complaint(endpoint: Endpoint) -> str:
        with pytest.raises(ToolFailedError) as caught:
            async with using(endpoint):
                pass
        return str(caught.value)

    missing = attrs.evolve(program("good"), command="/not/there")
    closed = Endpoint(prefix="ext.box", transport=Transport.SSE, url="http://127.0.0.1:1/mcp")
    metadata = attrs.evolve(closed, url="http://169.254.169.254/mcp")
    named = attrs.evolve(closed, url="http://metadata.google.internal/mcp")

    async def scenario() -> None:
        assert "/not/there is not there" in await complaint(missing)
        assert "No connection to 127.0.0.1:1" in await complaint(closed)
        assert "never called" in await complaint(metadata)
        assert "never called" in await complaint(named)
        kit = McpKit(Stored({}))
        async with Session() as session:
            with pytest.raises(ToolFailedError, match=r"no enabled MCP server with the prefix ext\.box"):
                await kit.functions(open_tool(DEFINITION, {}), session)

    asyncio.run(scenario())
    assert os.getpid() not in running()

"""The functions of SSH tools."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import cast

import attrs

from akmatori_server.command_gate import judge, remote_line
from akmatori_server.command_gate.rendering import limited
from akmatori_server.database import Database
from akmatori_server.incidents.storable import JSON
from akmatori_server.installation import utc_now
from akmatori_server.kits.ssh.connections import Connector
from akmatori_server.kits.ssh.host_keys import HostKeys
from akmatori_server.kits.ssh.running import Ran, run_line
from akmatori_server.kits.ssh.server_info import SCRIPT, parse_info
from akmatori_server.kits.ssh.settings import Host, Settings, read_settings
from akmatori_server.outgoing.policy import PUBLIC_ONLY, Policy
from akmatori_server.toolbox.kit import Kit
from akmatori_server.toolbox.models import Access, Invocation, Output, Plan, ToolFailedError, TrialCall
from akmatori_server.toolbox.session import Session
from akmatori_server.tools.models import OpenTool

MOST_HOSTS_AT_ONCE = 10
# What starting and ending takes, beyond the limits of connecting and of the command.
SPARE_SECONDS = 15
INFO_SECONDS = 15
_NAMED_IN_SUMMARY = 5

_Row = dict[str, JSON]


@attrs.frozen(kw_only=True)
class _Work:
    """What a call does, decided from its arguments and the tool's settings alone."""

    settings: Settings
    hosts: tuple[Host, ...]
    access: Access = Access.READ
    # As a person reads it, and as the host gets it.
    command: str = ""
    line: str = ""


class SshKit(Kit):
    """Commands on hosts."""

    def __init__(
        self, database: Database, *, policy: Policy = PUBLIC_ONLY, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._policy = policy
        self._host_keys = HostKeys(database, now=now)

    def trial(self, tool: OpenTool) -> TrialCall:
        """Log in to every host, and run nothing."""
        count = len(read_settings(tool, self._policy).chosen(()))
        hosts = "The host was" if count == 1 else f"All {count} hosts were"
        return TrialCall(
            function="test_connectivity",
            proves=f"{hosts} reached, showed the right host key, and let the user in.",
        )

    def trouble(self, output: Output) -> str:
        """Name the hosts that did not let us in."""
        value = cast("Mapping[str, JSON]", output.value)
        results = cast("list[_Row]", value["results"])
        rows = [row for row in results if row["success"] is not True]
        if not rows:
            return ""
        total = len(results)
        told = [f"{row['server']}: {row['error']}" for row in rows[:_NAMED_IN_SUMMARY]]
        more = f" {len(rows) - len(told)} more fail, too." if len(rows) > len(told) else ""
        head = "" if total == 1 else f"{total - len(rows)} of {total} hosts let the user in. "
        return f"{head}{' '.join(told)}{more}"

    def plan(self, call: Invocation) -> Plan:
        """Say whether the command only reads, by the command gate; see the base class."""
        work = self._work(call)
        rounds = math.ceil(len(work.hosts) / MOST_HOSTS_AT_ONCE)
        connecting = work.settings.connection_seconds * (2 if any(host.jump for host in work.hosts) else 1)
        running = work.settings.command_seconds if work.line else INFO_SECONDS
        return Plan(
            access=work.access,
            summary=f"{work.command or call.function.name} on {_named(work.hosts)}",
            timeout_seconds=float(rounds * (connecting + running + SPARE_SECONDS)),
        )

    async def run(self, call: Invocation, session: Session) -> Output:
        """Run it on all hosts; see the base class."""
        work = self._work(call)
        connector = Connector(
            tool=call.tool, settings=work.settings, session=session, host_keys=self._host_keys
        )
        if call.function.name == "test_connectivity":
            return await _on_all(work.hosts, lambda host: _connect(connector, host))
        if call.function.name == "get_server_info":
            return await _on_all(work.hosts, lambda host: _inform(connector, host))
        return await _on_all(work.hosts, lambda host: _execute(connector, host, work.line))

    def _work(self, call: Invocation) -> _Work:
        settings = read_settings(call.tool, self._policy)
        servers = cast("list[str]", call.arguments.get("servers") or [])
        hosts = settings.chosen(servers)
        if call.function.name in {"test_connectivity", "get_server_info"}:
            return _Work(settings=settings, hosts=hosts)
        if call.function.name != "execute_command":
            raise ToolFailedError(f"SSH tools have no function {call.function.name}.")
        return _judged(settings, hosts, str(call.arguments.get("command") or ""))


def ssh_kit(
    database: Database, *, policy: Policy = PUBLIC_ONLY, now: Callable[[], datetime] = utc_now
) -> Kit:
    """Return the kit of SSH tools; `policy` is for hosts that are not listed, and of the whole installation."""
    return SshKit(database, policy=policy, now=now)


def _judged(settings: Settings, hosts: tuple[Host, ...], command: str) -> _Work:
    verdict = judge(command)
    if verdict.allowed:
        line = remote_line(verdict.pipeline, settings.command_seconds)
        return _Work(settings=settings, hosts=hosts, command=command, line=line)
    refusing = tuple(host for host in hosts if not host.allows_writes)
    if refusing:
        raise ToolFailedError(
            f"{verdict.sentence} Only commands that read run on {_named(refusing)}: allow_write_commands is off."
        )
    if not command.strip() or "\0" in command:
        raise ToolFailedError(verdict.sentence)
    return _Work(
        settings=settings,
        hosts=hosts,
        access=Access.WRITE,
        command=command,
        line=limited(command, settings.command_seconds),
    )


async def _on_all(hosts: tuple[Host, ...], one: Callable[[Host], Awaitable[_Row]]) -> Output:
    room = asyncio.Semaphore(MOST_HOSTS_AT_ONCE)

    async def on(host: Host) -> _Row:
        async with room:
            return await one(host)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(on(host)) for host in hosts]
    rows = [task.result() for task in tasks]
    is_truncated = [row.pop("is_truncated", False) for row in rows]
    succeeded = sum(row["success"] is True for row in rows)
    summary: Mapping[str, JSON] = {
        "total": len(rows),
        "succeeded": succeeded,
        "failed": len(rows) - succeeded,
    }
    return Output(
        value={"results": cast("list[JSON]", rows), "summary": dict(summary)},
        is_truncated=any(is_truncated),
        is_failure=succeeded == 0,
    )


async def _ran(connector: Connector, host: Host, line: str, limit_seconds: int) -> Ran:
    try:
        link = await connector.link(host)
    except ToolFailedError as error:
        return Ran(error=str(error))
    return await run_line(link, line, limit_seconds)


async def _execute(connector: Connector, host: Host, line: str) -> _Row:
    ran = await _ran(connector, host, line, connector.settings.command_seconds)
    return {
        "server": host.name,
        "success": ran.exit_code == 0 and not ran.error,
        "stdout": ran.stdout,
        "stderr": ran.stderr,
        "exit_code": ran.exit_code,
        "duration_ms": ran.duration_ms,
        "error": ran.error,
        "is_truncated": ran.is_truncated,
    }


async def _connect(connector: Connector, host: Host) -> _Row:
    try:
        await connector.link(host)
    except ToolFailedError as error:
        return {"server": host.name, "success": False, "error": str(error)}
    return {"server": host.name, "success": True, "error": ""}


async def _inform(connector: Connector, host: Host) -> _Row:
    ran = await _ran(connector, host, limited(SCRIPT, INFO_SECONDS, only_reads=True), INFO_SECONDS)
    success = ran.exit_code == 0 and not ran.error
    return {"server": host.name, "success": success, **parse_info(ran.stdout), "error": ran.error}


def _named(hosts: tuple[Host, ...]) -> str:
    names = [host.name for host in hosts]
    more = f" and {len(names) - _NAMED_IN_SUMMARY} more" if len(names) > _NAMED_IN_SUMMARY else ""
    return f"{', '.join(names[:_NAMED_IN_SUMMARY])}{more}"

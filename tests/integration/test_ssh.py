"""The SSH kit against Debian's OpenSSH server, through everything that a call passes."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine, Generator
from pathlib import Path
from typing import Any, TypeVar, cast

import attrs
import pytest

from akmatori_server.database import Database, metadata
from akmatori_server.installation import utc_now
from akmatori_server.kits.ssh.kit import SshKit
from akmatori_server.kits.ssh.tables import ssh_host_keys
from akmatori_server.toolbox.models import Access, ToolFailedError
from akmatori_server.toolbox.session import Session
from tests.integration.sshd import Sshd, new_key, running_sshd
from tests.server.kits.ssh.calls import call, ssh_tool

pytestmark = pytest.mark.integration
T = TypeVar("T")


@attrs.frozen
class Pair:
    """Two servers that take the same key."""

    first: Sshd
    second: Sshd
    private_key: str

    def host(self, name: str = "web-1", server: Sshd | None = None, **more: object) -> dict[str, object]:
        """An entry of ssh_hosts."""
        chosen = server or self.first
        return {"hostname": name, "address": "127.0.0.1", "port": chosen.port, "user": chosen.user, **more}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Generator[Pair]:
    private, public = new_key()
    folder = tmp_path_factory.mktemp("sshd")
    with (
        running_sshd(folder / "a", private, public) as first,
        running_sshd(folder / "b", private, public) as second,
    ):
        yield Pair(first, second, private)


@pytest.fixture
def kit(tmp_path: Path) -> Generator[SshKit]:
    database = Database.open(f"sqlite:///{tmp_path}/keys.db")
    metadata.create_all(database.engine, tables=[ssh_host_keys])
    yield SshKit(database, now=utc_now)
    database.close()


def running(main: Callable[[Session], Coroutine[Any, Any, T]]) -> T:
    """Run in a session of its own, as an investigation does."""

    async def session() -> T:
        async with Session() as opened:
            return await main(opened)

    return asyncio.run(session())


def rows(value: object) -> list[dict[str, Any]]:
    return cast("dict[str, list[dict[str, Any]]]", value)["results"]


def execute(kit: SshKit, pair: Pair, command: str, *, session: Session | None = None, **settings: Any) -> Any:
    settings.setdefault("ssh_hosts", [pair.host()])
    invocation = call(ssh_tool(pair.private_key, **settings), command=command)
    if session is not None:
        return kit.run(invocation, session)
    return running(lambda opened: kit.run(invocation, opened))


def test_a_command_gives_its_output_and_exit_code(kit: SshKit, pair: Pair, tmp_path: Path) -> None:
    """What the host printed comes back word for word, also what needs quotes."""
    (tmp_path / "a.log").write_text("it's \\ 'quoted'  $HOME\nother\n")
    output = execute(kit, pair, f'grep -F "it\'s" {tmp_path}/*.log; cat /does/not/exist')

    (row,) = rows(output.value)
    assert row["stdout"] == "it's \\ 'quoted'  $HOME\n"
    assert "No such file" in row["stderr"]
    assert (row["server"], row["success"], row["exit_code"], row["error"]) == ("web-1", False, 1, "")
    assert output.value["summary"] == {"total": 1, "succeeded": 0, "failed": 1}
    assert output.is_failure
    assert not output.is_truncated


def test_many_hosts_and_one_that_is_down(kit: SshKit, pair: Pair) -> None:
    """One dead host is a row with a sentence; the others are asked on connections of their own."""
    hosts = [pair.host(f"web-{number}", pair.first if number % 2 else pair.second) for number in range(12)]
    hosts.append({"hostname": "dead", "address": "127.0.0.1", "port": 1, "user": "x"})
    output = execute(kit, pair, "echo ready", ssh_hosts=hosts)

    assert output.value["summary"] == {"total": 13, "succeeded": 12, "failed": 1}
    assert [row["server"] for row in rows(output.value)] == [host["hostname"] for host in hosts]
    assert rows(output.value)[-1]["exit_code"] == -1
    assert "cannot be reached" in rows(output.value)[-1]["error"]
    assert not output.is_failure


def test_calls_share_the_connection(kit: SshKit, pair: Pair) -> None:
    """10 calls at once need one login, and no more channels than a server gives."""
    before = pair.first.log.count("Accepted publickey")

    async def main(session: Session) -> list[Any]:
        calls = [execute(kit, pair, f"echo {number}", session=session) for number in range(10)]
        return await asyncio.gather(*calls)

    outputs = running(main)

    assert [rows(output.value)[0]["stdout"] for output in outputs] == [f"{number}\n" for number in range(10)]
    assert pair.first.log.count("Accepted publickey") == before + 1


def test_a_jump_host_is_verified_too(kit: SshKit, pair: Pair) -> None:
    """The way through a second server works, and both keys are remembered."""
    jump = {"jumphost_address": "127.0.0.1", "jumphost_port": pair.second.port}
    output = execute(kit, pair, "echo behind", ssh_hosts=[pair.host(**jump)])
    assert rows(output.value)[0]["stdout"] == "behind\n"

    other = new_key()[1]
    wrong = [pair.host(**jump), pair.host("jump", pair.second, host_key=other)]
    output = execute(kit, pair, "echo behind", ssh_hosts=wrong)
    assert "host key of 127.0.0.1" in rows(output.value)[0]["error"]
    assert rows(output.value)[0]["stdout"] == ""


def test_keys_of_hosts(kit: SshKit, pair: Pair) -> None:
    """Strict refuses a key that is not known, auto_add remembers it, and a changed one is refused by both."""
    strict = rows(execute(kit, pair, "echo x", ssh_known_hosts_policy="strict").value)[0]
    assert "is not known" in strict["error"]
    assert rows(execute(kit, pair, "echo x").value)[0]["success"]
    assert rows(execute(kit, pair, "echo x", ssh_known_hosts_policy="strict").value)[0]["success"]

    pair.first.stop()
    public = pair.first.change_host_key()
    pair.first.start()
    for policy in ("strict", "auto_add"):
        row = rows(execute(kit, pair, "echo x", ssh_known_hosts_policy=policy).value)[0]
        assert not row["success"]
        assert "has changed" in row["error"]
        assert row["stdout"] == ""
    assert rows(execute(kit, pair, "echo x", ssh_known_hosts_policy="ignore").value)[0]["success"]
    written = [pair.host(host_key=f"{public} root@web-1")]
    assert rows(execute(kit, pair, "echo x", ssh_hosts=written, ssh_known_hosts_policy="strict").value)[0][
        "success"
    ]


def test_a_wrong_login_key(kit: SshKit, pair: Pair) -> None:
    """The sentence says what to do, and nothing of the key."""
    stranger = new_key()[0]
    tool = ssh_tool(stranger, ssh_hosts=[pair.host()])
    output = running(lambda session: kit.run(call(tool, command="echo x"), session))

    assert "authorized_keys" in rows(output.value)[0]["error"]
    assert "PRIVATE" not in str(output.value)


def alive(marker: str) -> bool:
    """Whether a process with this in its command line runs here: the servers are on this machine."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if marker.encode() in path.read_bytes():
                return True
        except OSError:
            continue
    return False


def gone(marker: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not alive(marker):
            return True
        time.sleep(0.05)
    return False


def endless(folder: Path) -> str:
    """A file that nothing ever comes out of, by a name that no other process has in its command line."""
    path = folder / "endless"
    os.mkfifo(path)
    return str(path)


def test_cancelling_ends_the_remote_command(kit: SshKit, pair: Pair, tmp_path: Path) -> None:
    """Who stops waiting leaves nothing running on the host."""
    marker = endless(tmp_path)

    async def main(session: Session) -> None:
        task = asyncio.ensure_future(execute(kit, pair, f"cat {marker}", session=session))
        async with asyncio.timeout(20):
            while not alive(marker):
                assert not task.done()
                await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # At once, also from a command that would take its time to end.
        assert await asyncio.to_thread(gone, marker, 3)

    running(main)


def test_the_time_limit_ends_the_remote_command(kit: SshKit, pair: Pair) -> None:
    """The host itself ends it, and the sentence names the setting."""
    marker = "/var/log/too-slow-72"
    row = rows(
        execute(kit, pair, f"awk 'BEGIN {{ while (1) x = 1 }}' {marker}", ssh_command_timeout=5).value
    )[0]

    assert "more than 5 s" in row["error"]
    assert 5000 <= row["duration_ms"] < 9000
    assert gone(marker, 3)


def test_ten_megabytes_are_cut(kit: SshKit, pair: Pair, tmp_path: Path) -> None:
    """64 KiB are kept, the exit code is still known, and the text says what is missing."""
    (tmp_path / "big").write_bytes(b"0123456789abcde\n" * 655_360)
    output = execute(kit, pair, f"cat {tmp_path}/big")

    row = rows(output.value)[0]
    assert row["exit_code"] == 0
    assert len(row["stdout"]) < 66_000
    assert row["stdout"].endswith("[10420224 more bytes are left out]")
    assert output.is_truncated


def test_writing_needs_a_person(kit: SshKit, pair: Pair, tmp_path: Path) -> None:
    """What the gate refuses is a proposal where all hosts allow it, and then runs once as it was written."""
    line = f"echo 'a  b' > {tmp_path}/made && cat {tmp_path}/made"
    with pytest.raises(ToolFailedError, match=r"written to files.*allow_write_commands is off"):
        kit.plan(call(ssh_tool(pair.private_key, ssh_hosts=[pair.host()]), command=line))
    with pytest.raises(ToolFailedError, match="allow_write_commands"):
        execute(kit, pair, line)
    assert not (tmp_path / "made").exists()

    tool = ssh_tool(pair.private_key, ssh_hosts=[pair.host(allow_write_commands=True)])
    invocation = call(tool, command=line)
    plan = kit.plan(invocation)
    output = running(lambda session: kit.run(invocation, session))

    assert (plan.access, plan.summary) == (Access.WRITE, f"{line} on web-1")
    assert rows(output.value)[0]["stdout"] == "a  b\n"


def test_the_other_functions(kit: SshKit, pair: Pair) -> None:
    """Logging in and out, and what a host says of itself."""
    tool = ssh_tool(pair.private_key, ssh_hosts=[pair.host()])
    reached = running(lambda session: kit.run(call(tool, function="test_connectivity"), session))
    told = running(lambda session: kit.run(call(tool, function="get_server_info"), session))

    assert rows(reached.value) == [{"server": "web-1", "success": True, "error": ""}]
    (row,) = rows(told.value)
    assert row["hostname"]
    assert row["os"]
    assert " d " in row["uptime"]


def test_a_lost_connection_is_opened_anew(kit: SshKit, pair: Pair) -> None:
    """A server that restarts costs one call, not the investigation."""

    async def main(session: Session) -> list[bool]:
        first = await execute(kit, pair, "echo 1", session=session)
        await asyncio.to_thread(pair.first.stop)
        await asyncio.to_thread(pair.first.start)
        link = next(iter(cast("Any", session)._open.values())).ready.result()
        link.connection.abort()
        await link.connection.wait_closed()
        second = await execute(kit, pair, "echo 2", session=session)
        return [rows(one.value)[0]["success"] for one in (first, second)]

    assert running(main) == [True, True]

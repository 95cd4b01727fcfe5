"""What calls of SSH tools will do, decided before anything is opened."""

from __future__ import annotations

import pytest

from akmatori_server.database import Database
from akmatori_server.installation import utc_now
from akmatori_server.kits.ssh.host_keys import HostKeys, Recognition
from akmatori_server.kits.ssh.kit import SshKit
from akmatori_server.kits.ssh.settings import KnownHosts, Place
from akmatori_server.toolbox.models import Access, ToolFailedError
from tests.server.kits.ssh.calls import call, ssh_tool

READER = {"hostname": "web-1", "address": "10.0.0.5"}
WRITER = {"hostname": "web-2", "address": "10.0.0.6", "allow_write_commands": True}


@pytest.fixture
def kit(database: Database) -> SshKit:
    return SshKit(database, now=utc_now)


def test_reads_writes_and_refusals(kit: SshKit) -> None:
    """The gate decides; a write needs every host's permission."""
    tool = ssh_tool("key", ssh_hosts=[READER, WRITER])
    read = kit.plan(call(tool, command="df -h"))
    write = kit.plan(call(tool, command="systemctl restart nginx", servers=["web-2"]))

    assert (read.access, read.summary) == (Access.READ, "df -h on web-1, web-2")
    assert (write.access, write.summary) == (Access.WRITE, "systemctl restart nginx on web-2")
    with pytest.raises(ToolFailedError, match=r"restart is not allowed.*web-1: allow_write_commands is off"):
        kit.plan(call(tool, command="systemctl restart nginx"))


def test_choosing_hosts(kit: SshKit) -> None:
    """By name or address; others only where the settings say so, and a near miss is named."""
    tool = ssh_tool("key", ssh_hosts=[READER, WRITER])
    assert kit.plan(call(tool, command="w", servers=["10.0.0.6", "WEB-2"])).summary == "w on web-2"
    with pytest.raises(ToolFailedError, match="did you mean web-1"):
        kit.plan(call(tool, command="w", servers=["web1"]))
    with pytest.raises(ToolFailedError, match="no hosts"):
        kit.plan(call(ssh_tool("key"), command="w"))

    anywhere = ssh_tool("key", allow_adhoc_connections=True)
    assert kit.plan(call(anywhere, command="w", servers=["db.example.net"])).access is Access.READ
    for name in ("-oProxyCommand=id", "a b", "root@x", "x;id", ""):
        with pytest.raises(ToolFailedError):
            kit.plan(call(anywhere, command="w", servers=[name]))
    with pytest.raises(ToolFailedError, match="allow_write_commands"):
        kit.plan(call(anywhere, command="reboot", servers=["db.example.net"]))


async def _remembered_twice(keys: HostKeys, place: Place) -> list[str]:
    return [
        await keys.known(place),
        await keys.remember(place, "ssh-ed25519 AAAA"),
        await keys.remember(place, "b c"),
    ]


def test_the_first_key_stays(database: Database) -> None:
    """Whoever comes second gets the key that was first, and it is then another one."""
    import asyncio

    place = Place(address="Web-1", port=22, user="ops")
    kept = asyncio.run(_remembered_twice(HostKeys(database, now=utc_now), place))
    recognition = Recognition(place=place, policy=KnownHosts.AUTO_ADD, expected=kept[2])

    assert kept == ["", "ssh-ed25519 AAAA", "ssh-ed25519 AAAA"]
    assert recognition.accepts("ssh-ed25519 AAAA")
    assert not recognition.accepts("ssh-ed25519 BBBB")
    assert "has changed" in recognition.complaint

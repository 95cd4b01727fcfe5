"""The settings of an SSH tool as values, and choosing hosts from them."""

from __future__ import annotations

import difflib
import enum
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import attrs

from akmatori_server.outgoing.policy import Policy
from akmatori_server.toolbox.models import ToolFailedError
from akmatori_server.tools.models import OpenTool

# Listed hosts are the operator's own list of addresses, so they may be private ones.
LISTED = Policy(allow_private=True)
_MOST_NAMED = 20
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*|[0-9a-fA-F:]*:[0-9a-fA-F:.]*")


class KnownHosts(enum.StrEnum):
    """What to do about a host key that is not known."""

    STRICT = "strict"
    AUTO_ADD = "auto_add"
    IGNORE = "ignore"


@attrs.frozen(kw_only=True)
class Place:
    """Where to log in, and as whom."""

    address: str
    port: int
    user: str
    # The public key that the operator says it has; empty when it is learnt.
    host_key: str = ""


@attrs.frozen(kw_only=True)
class Host:
    """A host that commands may run on."""

    name: str
    place: Place
    jump: Place | None = None
    key_id: str = ""
    allows_writes: bool = False
    policy: Policy = LISTED


@attrs.frozen(kw_only=True)
class Settings:
    """The settings of one tool."""

    hosts: tuple[Host, ...]
    command_seconds: int
    connection_seconds: int
    known_hosts: KnownHosts
    logs_connections: bool
    # The host to take as a pattern for those that are not listed; None when only listed ones are reached.
    other: Host | None

    def chosen(self, names: Sequence[str]) -> tuple[Host, ...]:
        """Return the hosts of these names or addresses, all of them when there are no names.

        Raises:
            ToolFailedError: there is no such host.
        """
        if not names:
            if not self.hosts:
                raise ToolFailedError("This tool has no hosts; list them as ssh_hosts in its settings.")
            return self.hosts
        found: dict[str, Host] = {}
        for name in names:
            host = self._host(name.strip())
            found.setdefault(host.name, host)
        return tuple(found.values())

    def _host(self, name: str) -> Host:
        for host in self.hosts:
            if host.name == name:
                return host
        wanted = name.casefold()
        same = [
            host for host in self.hosts if wanted in {host.name.casefold(), host.place.address.casefold()}
        ]
        if len(same) == 1:
            return same[0]
        if same:
            raise ToolFailedError(f"{name} could be {', '.join(one.name for one in same)}; use the name.")
        if self.other is None:
            raise ToolFailedError(self._unknown(name))
        if _HOST.fullmatch(name) is None:
            raise ToolFailedError(f"“{name[:60]}” is not a host name or address.")
        return attrs.evolve(self.other, name=name, place=attrs.evolve(self.other.place, address=name))

    def _unknown(self, name: str) -> str:
        names = [host.name for host in self.hosts]
        close = difflib.get_close_matches(name, names, n=1)
        if close:
            return f"There is no host {name[:60]}; did you mean {close[0]}?"
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        return f"There is no host {name[:60]}; there are {', '.join(names[:_MOST_NAMED])}{more}."


def read_settings(tool: OpenTool, policy: Policy) -> Settings:
    """Read the settings of a tool; `policy` is the installation's, for hosts that are not listed.

    Raises:
        ToolFailedError: a network in `allowed_networks` is none.
    """
    given = tool.settings
    entries = cast("list[Mapping[str, Any]]", given.get("ssh_hosts") or [])
    hosts = tuple(_host(entry) for entry in entries if str(entry.get("address") or "").strip())
    return Settings(
        hosts=_with_jump_keys(hosts),
        command_seconds=_number(given, "ssh_command_timeout", 30, 5, 600),
        connection_seconds=_number(given, "ssh_connection_timeout", 10, 5, 60),
        known_hosts=KnownHosts(given.get("ssh_known_hosts_policy") or KnownHosts.AUTO_ADD),
        logs_connections=given.get("ssh_debug") is True,
        other=_other(given, policy) if given.get("allow_adhoc_connections") is True else None,
    )


def private_key(tool: OpenTool, host: Host) -> str:
    """Return the key to log in to a host with: its own, else the default, else any.

    Raises:
        ToolFailedError: there is none.
    """
    if host.key_id:
        if host.key_id not in tool.private_keys:
            raise ToolFailedError(
                f"The key of host {host.name} is no longer there; choose another in its settings."
            )
        return tool.private_keys[host.key_id]
    for key in sorted(tool.tool.keys, key=lambda one: not one.is_default):
        if key.id in tool.private_keys:
            return tool.private_keys[key.id]
    raise ToolFailedError("This tool has no SSH key; add one to it.")


def _host(entry: Mapping[str, Any]) -> Host:
    user = str(entry.get("user") or "root")
    jump = str(entry.get("jumphost_address") or "").strip()
    return Host(
        name=str(entry.get("hostname") or entry["address"]),
        place=Place(
            address=str(entry["address"]).strip(),
            port=_number(entry, "port", 22, 1, 65535),
            user=user,
            host_key=_key_line(str(entry.get("host_key") or "")),
        ),
        jump=Place(
            address=jump,
            port=_number(entry, "jumphost_port", 22, 1, 65535),
            user=str(entry.get("jumphost_user") or user),
        )
        if jump
        else None,
        key_id=str(entry.get("key_id") or ""),
        allows_writes=entry.get("allow_write_commands") is True,
    )


def _with_jump_keys(hosts: Sequence[Host]) -> tuple[Host, ...]:
    """Give jump hosts the key that is written at the host which they are."""
    keys = {(host.place.address, host.place.port): host.place.host_key for host in hosts}
    return tuple(
        attrs.evolve(
            host, jump=attrs.evolve(host.jump, host_key=keys.get((host.jump.address, host.jump.port), ""))
        )
        if host.jump
        else host
        for host in hosts
    )


def _other(given: Mapping[str, Any], policy: Policy) -> Host:
    try:
        allowed = policy.with_settings(given)
    except ValueError as error:
        raise ToolFailedError(f"allowed_networks: {error}") from None
    return Host(
        name="",
        place=Place(
            address="",
            port=_number(given, "adhoc_default_port", 22, 1, 65535),
            user=str(given.get("adhoc_default_user") or "root"),
        ),
        allows_writes=given.get("adhoc_allow_write_commands") is True,
        policy=allowed,
    )


def _number(given: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = given.get(name)
    return min(max(value, least), most) if isinstance(value, int) and value else default


def _key_line(text: str) -> str:
    """Return kind and key of a line such as `ssh-ed25519 AAAA… comment`, or of one with the host in front."""
    words = text.split()
    if words and not words[0].startswith(("ssh-", "ecdsa-", "sk-")):
        words = words[1:]
    return " ".join(words[:2])

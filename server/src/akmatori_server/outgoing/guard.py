"""Looking a host up once, and checking every address it has.

Checking a name and resolving it again for the connection would let a DNS answer change in between.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import TypeAlias

from akmatori_server.outgoing.errors import AddressRefusedError
from akmatori_server.outgoing.policy import Policy
from akmatori_server.outgoing.target import checked_host, checked_port, is_address

LookUp: TypeAlias = Callable[[str, int], Sequence[str]]
"""Tells the addresses of a host; it may block."""


def look_up(host: str, port: int) -> list[str]:
    """Look a host up.

    Raises:
        OSError: it cannot be resolved.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def resolve_checked(host: str, port: int, policy: Policy, *, resolver: LookUp | None = None) -> str:
    """Return the one address to connect to.

    Raises:
        AddressRefusedError: the host cannot be resolved, or one of its addresses is not allowed.
    """
    addresses = await resolve_all_checked(host, port, policy, resolver=resolver)
    return addresses[0]


async def resolve_all_checked(
    host: str, port: int, policy: Policy, *, resolver: LookUp | None = None
) -> tuple[str, ...]:
    """Return the addresses of a host, all of them allowed, the one to try first at the front.

    Raises:
        AddressRefusedError: the host cannot be resolved, or one of its addresses is not allowed.
    """
    name, number = checked_host(host), checked_port(port)
    if is_address(name):
        return checked_addresses(name, [name], policy)
    try:
        found = await asyncio.to_thread(resolver or look_up, name, number)
    except (OSError, UnicodeError):
        raise AddressRefusedError(
            f"The name {name} cannot be resolved; check how it is written, and the name servers of this machine."
        ) from None
    return checked_addresses(name, found, policy)


def checked_addresses(host: str, addresses: Sequence[str], policy: Policy) -> tuple[str, ...]:
    """Return the addresses, if every one of them is allowed: which is used is up to whoever answers for the name.

    Raises:
        AddressRefusedError: there is none, or one is not allowed.
    """
    if not addresses:
        raise AddressRefusedError(f"The name {host} has no address.")
    for text in addresses:
        try:
            address = ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            raise AddressRefusedError(f"The name {host} leads to something that is no address.") from None
        complaint = policy.complaint(address)
        if complaint is not None:
            subject = f"{host} is" if host == text else f"{host} is {text},"
            raise AddressRefusedError(f"{subject} {complaint}")
    return tuple(addresses)

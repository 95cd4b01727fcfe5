"""Which addresses a request may go to, decided on what the name resolves to; the answer is then pinned.

Checking a name and resolving it again for the connection would let a DNS answer change in between.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from typing import TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve: TypeAlias = Callable[[str, int], Sequence[str]]

# What clouds serve credentials of the machine at, beyond the link-local addresses.
_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in ("100.100.100.200", "168.63.129.16", "fd00:ec2::254", "fd20:ce::254")
)
# An IPv6 address that stands for an IPv4 one: the rules are those of the one it stands for.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressRefusedError(Exception):
    """A request may not go there; the sentence says why."""


def resolve(host: str, port: int) -> list[str]:
    """Look a host name up.

    Raises:
        OSError: it cannot be resolved.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def allowed_address(host: str, port: int, *, allow_private: bool, look_up: Resolve = resolve) -> str:
    """Return the address to connect to.

    Args:
        host: a name or an address.
        port: the port.
        allow_private: whether addresses of this host and of private networks are allowed.
        look_up: resolves the name.

    Raises:
        AddressRefusedError: the name cannot be resolved, or leads to an address that is not allowed.
    """
    try:
        texts = look_up(host, port)
    except (OSError, UnicodeError):
        raise AddressRefusedError(f"The name {host} cannot be resolved.") from None
    if not texts:
        raise AddressRefusedError(f"The name {host} has no address.")
    # Every one of them: which is used is up to whoever answers for the name.
    for text in texts:
        complaint = _complaint(ipaddress.ip_address(text.partition("%")[0]), allow_private=allow_private)
        if complaint is not None:
            raise AddressRefusedError(f"{host} is {text}, {complaint}")
    return texts[0]


def _complaint(address: Address, *, allow_private: bool) -> str | None:
    meant = _meant(address)
    if meant.is_link_local or meant in _METADATA:
        return "a link-local or metadata address, which is never called."
    if meant.is_multicast or meant.is_unspecified or str(meant) == "255.255.255.255":
        return "not the address of one host."
    if not meant.is_global and not allow_private:
        return "a private address; set allow_private to true in the tool's settings if that is meant."
    return None


def _meant(address: Address) -> Address:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address

"""Which addresses are reached without the proxy.

`no_proxy` is a list with commas or blanks between its entries, read as curl and Python's own library do:

- `*`: every address.
- `example.net`, `.example.net`, `*.example.net`: the host and everything below it.
- `192.0.2.7`, `2001:db8::1`, `[2001:db8::1]`: one address; `192.0.2.0/24`: a network.
- Any of them but the network may end with `:port`, and then only that port counts.

Names are not resolved: a network matches addresses that are written as numbers.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TypeAlias
from urllib.parse import urlsplit

import attrs

EVERYTHING = "*"
USUAL_PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_SEPARATOR = re.compile(r"[\s,]+")
_WITH_PORT = re.compile(r"(?P<host>\[[^\]]+\]|[^:]+):(?P<port>\d{1,5})")


@attrs.frozen
class Target:
    """Where a request goes."""

    host: str
    port: int | None
    address: _Address | None

    @classmethod
    def of(cls, url: str) -> Target:
        """Read it from a URL.

        Raises:
            ValueError: the URL has no host, or a port that is none.
        """
        parts = urlsplit(url)
        if not parts.hostname:
            raise ValueError("The URL names no host.")
        host = parts.hostname.rstrip(".")
        return cls(host, parts.port or USUAL_PORTS.get(parts.scheme), _address(host))


def is_direct(url: str, no_proxy: str) -> bool:
    """Whether the URL is to be reached without the proxy.

    Raises:
        ValueError: the URL has no host, or a port that is none.
    """
    target = Target.of(url)
    return any(_matches(entry.lower(), target) for entry in _SEPARATOR.split(no_proxy) if entry)


def _matches(entry: str, target: Target) -> bool:
    if entry == EVERYTHING:
        return True
    if "/" in entry:
        return _is_in_network(entry, target)
    with_port = _WITH_PORT.fullmatch(entry)
    if with_port is not None:
        return int(with_port["port"]) == target.port and _is_host(with_port["host"], target)
    return _is_host(entry, target)


def _is_host(entry: str, target: Target) -> bool:
    name = entry.removeprefix("*").strip(".")
    address = _address(entry.strip("[]"))
    if address is not None:
        return address == target.address
    if not name:
        # `*:8080` is every host on that port.
        return entry == EVERYTHING
    # At a dot: `example.net` is not the end of `badexample.net`.
    return target.address is None and (target.host == name or target.host.endswith(f".{name}"))


def _is_in_network(entry: str, target: Target) -> bool:
    if target.address is None:
        return False
    try:
        network = ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return False
    return target.address in network


def _address(text: str) -> _Address | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address

"""Which addresses connections may go to: the public ones, and those that an administrator listed."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias, cast

import attrs

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

# The settings of tools that widen what is allowed.
ALLOWED_NETWORKS, ALLOW_PRIVATE = "allowed_networks", "allow_private"

# What clouds serve credentials of the machine at, beyond the link-local addresses.
_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
)
# Nobody's host in any network: this network, link-local, broadcast.
_NOWHERE = (ipaddress.ip_network("0.0.0.0/8"), ipaddress.ip_network("255.255.255.255/32"))
# Versions of Python differ about these.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(text)
    for text in ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2001:db8::/32", "3fff::/20")
)
# The only IPv6 addresses that are handed out for the public network.
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
# IPv6 addresses that stand for the IPv4 one in their last 32 bits.
_WITH_V4_AT_END = tuple(
    ipaddress.IPv6Network(text) for text in ("::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "::/96")
)
_PLAIN_V6 = frozenset({ipaddress.ip_address("::"), ipaddress.ip_address("::1")})


@attrs.frozen
class Policy:
    """What is allowed beyond public addresses. Nothing allows link-local and metadata addresses."""

    networks: tuple[Network, ...] = ()
    # Every private network, and this host.
    allow_private: bool = False

    def complaint(self, address: Address) -> str | None:
        """Say what speaks against an address, in words that follow "… is …"; None for nothing."""
        meanings = _meanings(address)
        for one in (address, *meanings):
            if one.is_link_local or one in _METADATA:
                return "a link-local or metadata address, which is never called."
            if one.is_multicast or one.is_unspecified or _is_in(one, _NOWHERE):
                return "not the address of one host."
        # The one in a network that is meant may be written in another way.
        if all(_is_public(one) or self.allow_private or self._lists(one, address) for one in meanings):
            return None
        return (
            "a private address; if that is meant, list its network in allowed_networks of the tool's settings,"
            " or in AKMATORI_ALLOWED_NETWORKS for all of them."
        )

    def with_settings(self, settings: Mapping[str, Any]) -> Policy:
        """Return the policy of a tool with these settings; this one is that of the whole installation.

        Raises:
            ValueError: an entry is no network; the sentence says which.
        """
        listed = cast("list[object]", settings.get(ALLOWED_NETWORKS) or [])
        return Policy(
            networks=(*self.networks, *parsed_networks(str(one) for one in listed)),
            allow_private=self.allow_private or settings.get(ALLOW_PRIVATE) is True,
        )

    def _lists(self, *forms: Address) -> bool:
        return any(_is_in(form, self.networks) for form in forms)


PUBLIC_ONLY = Policy()


def parsed_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Read networks such as 10.0.0.0/8, fd00::/8 and single addresses.

    Raises:
        ValueError: one is no network; the sentence says which.
    """
    networks: list[Network] = []
    for text in texts:
        try:
            networks.append(ipaddress.ip_network(text.strip(), strict=False))
        except ValueError:
            raise ValueError(f"{text[:64]} is not a network such as 10.0.0.0/8 or 192.0.2.7.") from None
    return tuple(networks)


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in _PUBLIC_V6:
        return False
    return address.is_global and not _is_in(address, _NOT_PUBLIC)


def _meanings(address: Address) -> tuple[Address, ...]:
    """Return the addresses that an address stands for: the rules are those of what is reached by it."""
    if isinstance(address, ipaddress.IPv4Address) or address in _PLAIN_V6:
        return (address,)
    if _is_in(address, _WITH_V4_AT_END):
        return (ipaddress.IPv4Address(int(address) & 0xFFFFFFFF),)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    if address.teredo is not None:
        return (address, *address.teredo)
    # ISATAP: the last 64 bits are 0:5efe and an IPv4 address, in any network.
    if (int(address) >> 32) & 0xFCFFFFFF == 0x00005EFE:
        return (address, ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return (address,)

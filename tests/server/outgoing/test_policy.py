"""Which addresses connections may go to."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence

import pytest

from akmatori_server.config import ConfigurationError, load_settings
from akmatori_server.outgoing.errors import AddressRefusedError
from akmatori_server.outgoing.guard import checked_addresses, resolve_checked
from akmatori_server.outgoing.policy import PUBLIC_ONLY, Policy, parsed_networks

PRIVATE = Policy(allow_private=True)


def is_allowed(address: str, policy: Policy) -> bool:
    """Whether a policy lets a connection go to an address."""
    return policy.complaint(ipaddress.ip_address(address)) is None


@pytest.mark.parametrize(
    "address",
    ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822", "2002:5db8:d822::"],
)
def test_public_addresses_are_allowed(address: str) -> None:
    """Always."""
    assert is_allowed(address, PUBLIC_ONLY)
    assert is_allowed(address, PRIVATE)


def test_private_addresses_need_to_be_meant() -> None:
    """By a switch or by their network, whatever way they are written."""
    for address, network in (
        ("127.0.0.1", "127.0.0.0/8"),
        ("127.8.8.8", "127.0.0.0/8"),
        ("::1", "::1"),
        ("10.1.2.3", "10.1.0.0/16"),
        ("172.16.0.1", "172.16.0.1"),
        ("192.168.1.1", "192.168.1.7/24"),
        ("100.64.0.1", "100.64.0.0/10"),
        ("198.18.0.1", "198.18.0.0/15"),
        ("192.0.2.1", "192.0.2.0/24"),
        ("fd12::1", "fd00::/8"),
        ("fec0::1", "fec0::/10"),
        ("::ffff:10.0.0.1", "10.0.0.0/8"),
        ("64:ff9b::a00:1", "10.0.0.0/8"),
        ("2002:a00:1::", "10.0.0.0/8"),
        ("::10.0.0.1", "10.0.0.0/8"),
        ("240.0.0.1", "240.0.0.0/4"),
    ):
        assert not is_allowed(address, PUBLIC_ONLY), address
        assert not is_allowed(address, Policy(parsed_networks(["10.99.0.0/16", "fd99::/16"]))), address
        assert is_allowed(address, PRIVATE), address
        assert is_allowed(address, Policy(parsed_networks([network]))), address


def test_some_addresses_are_never_called() -> None:
    """Where clouds hand out credentials, and what is no one host's: no list and no switch opens them."""
    everything = Policy(parsed_networks(["0.0.0.0/0", "::/0"]), allow_private=True)
    for address in (
        *("169.254.169.254", "169.254.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fe80::1"),
        *("::169.254.169.254", "2002:a9fe:a9fe::1", "2606:4700::5efe:a9fe:a9fe", "64:ff9b:1::a9fe:a9fe"),
        *("fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "0.0.0.0", "0.1.2.3", "::"),  # noqa: S104
        *("224.0.0.1", "ff02::1", "255.255.255.255"),
    ):
        assert not is_allowed(address, everything), address


def test_one_bad_address_among_good_ones_is_enough() -> None:
    """Whoever answers for the name chooses which comes first."""
    with pytest.raises(
        AddressRefusedError, match=r"db is 10\.0\.0\.1, a private address; .*allowed_networks"
    ):
        checked_addresses("db", ["93.184.216.34", "10.0.0.1"], PUBLIC_ONLY)
    assert checked_addresses("db", ["93.184.216.34", "93.184.216.35"], PUBLIC_ONLY)[0] == "93.184.216.34"


def test_a_name_is_looked_up_once() -> None:
    """And one that leads nowhere is refused with its name."""
    asked: list[str] = []

    def look_up(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        if host == "nowhere.example":
            raise socket.gaierror("no")
        # Another answer each time: what was checked is what is returned.
        return ["93.184.216.34"] if len(asked) == 1 else ["10.0.0.1"]

    first = asyncio.run(resolve_checked("api.example", 443, PUBLIC_ONLY, resolver=look_up))
    assert first == "93.184.216.34"
    assert asked == ["api.example"]
    with pytest.raises(AddressRefusedError, match=r"nowhere\.example cannot be resolved"):
        asyncio.run(resolve_checked("nowhere.example", 80, PRIVATE, resolver=look_up))


def test_a_tool_adds_to_what_the_installation_allows() -> None:
    """And takes nothing away."""
    policy = Policy(parsed_networks(["10.0.0.0/8"])).with_settings({"allowed_networks": ["192.168.7.0/24"]})

    assert [is_allowed(one, policy) for one in ("10.1.1.1", "192.168.7.7", "192.168.8.8")] == [
        True,
        True,
        False,
    ]
    assert is_allowed("192.168.8.8", policy.with_settings({"allow_private": True}))
    with pytest.raises(ValueError, match="my network is not a network"):
        policy.with_settings({"allowed_networks": ["my network"]})


def test_the_installation_says_it_in_its_environment() -> None:
    """With commas or blanks; what is no network keeps the server from starting."""
    settings = load_settings({"AKMATORI_ALLOWED_NETWORKS": "10.0.0.0/8, fd00::/8 192.168.1.1"})
    assert [str(one) for one in settings.allowed_networks] == ["10.0.0.0/8", "fd00::/8", "192.168.1.1/32"]
    assert load_settings({}).allowed_networks == ()
    with pytest.raises(
        ConfigurationError, match=r"AKMATORI_ALLOWED_NETWORKS: 10\.0\.0\.0/99 is not a network"
    ):
        load_settings({"AKMATORI_ALLOWED_NETWORKS": "10.0.0.0/99"})

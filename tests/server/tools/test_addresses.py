"""Which addresses requests may go to."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import pytest

from akmatori_server.tools.addresses import AddressRefusedError, allowed_address


def allowed(*addresses: str, allow_private: bool) -> str | None:
    """Return the address a name with these addresses leads to, None when it is refused."""

    def look_up(_host: str, _port: int) -> Sequence[str]:
        return addresses

    try:
        return allowed_address("api.example.net", 443, allow_private=allow_private, look_up=look_up)
    except AddressRefusedError:
        return None


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"]
)
def test_public_addresses_are_allowed(address: str) -> None:
    """Always."""
    assert allowed(address, allow_private=False) == address
    assert allowed(address, allow_private=True) == address


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "::1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "198.18.0.1",
        "fd12::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
        "240.0.0.1",
    ],
)
def test_private_addresses_need_to_be_meant(address: str) -> None:
    """By the setting, whatever way they are written."""
    assert allowed(address, allow_private=False) is None
    assert allowed(address, allow_private=True) == address


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "fe80::1",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "0.0.0.0",  # noqa: S104  refused, not listened on
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
    ],
)
def test_some_addresses_are_never_called(address: str) -> None:
    """Where clouds hand out credentials, and what is no one host's."""
    assert allowed(address, allow_private=True) is None


def test_one_bad_address_among_good_ones_is_enough() -> None:
    """Whoever answers for the name chooses which comes first."""
    assert allowed("93.184.216.34", "10.0.0.1", allow_private=False) is None
    assert allowed("93.184.216.34", "93.184.216.35", allow_private=False) == "93.184.216.34"


def test_a_name_that_leads_nowhere_is_refused() -> None:
    """With its name."""

    def look_up(_host: str, _port: int) -> Sequence[str]:
        raise socket.gaierror("no")

    with pytest.raises(AddressRefusedError, match=r"api\.example\.net"):
        allowed_address("api.example.net", 80, allow_private=True, look_up=look_up)
    assert allowed(allow_private=True) is None

"""Which addresses are reached without the proxy."""

from __future__ import annotations

import pytest

from akmatori_server.settings.no_proxy import is_direct


@pytest.mark.parametrize(
    ("no_proxy", "url"),
    [
        ("*", "https://anything.example.net"),
        ("example.net", "https://example.net"),
        ("example.net", "https://api.example.net/path?x=1"),
        (".example.net", "https://api.example.net"),
        (".example.net", "https://example.net"),
        ("*.example.net", "https://a.b.example.net"),
        ("Example.NET", "https://API.example.net"),
        ("example.net", "https://example.net./"),
        ("example.net.", "https://example.net/"),
        ("localhost,example.net", "http://example.net"),
        (" localhost ,  example.net ", "http://localhost:9090"),
        ("localhost example.net", "http://example.net"),
        ("example.net:8080", "http://example.net:8080"),
        ("example.net:443", "https://example.net"),
        ("example.net:80", "ws://api.example.net"),
        ("*:8428", "http://metrics.example.org:8428"),
        ("192.0.2.7", "http://192.0.2.7:9000"),
        ("192.0.2.7:9000", "http://192.0.2.7:9000"),
        ("192.0.2.0/24", "http://192.0.2.200"),
        ("192.0.2.7/24", "http://192.0.2.200"),
        ("10.0.0.0/8", "http://[::ffff:10.1.2.3]/"),
        ("2001:db8::/32", "http://[2001:db8::5]:443/"),
        ("2001:db8::5", "http://[2001:0db8:0:0::5]/"),
        ("[2001:db8::5]", "http://[2001:db8::5]/"),
        ("[2001:db8::5]:8443", "https://[2001:db8::5]:8443/"),
        ("fe80::1", "http://[fe80::1%25eth0]/"),
        ("https://nonsense,example.net", "https://example.net"),
    ],
)
def test_reached_directly(no_proxy: str, url: str) -> None:
    """Hosts and what is below them, ports, addresses, networks, everything."""
    assert is_direct(url, no_proxy)


@pytest.mark.parametrize(
    ("no_proxy", "url"),
    [
        ("", "https://example.net"),
        (" , ,", "https://example.net"),
        ("example.net", "https://badexample.net"),
        ("example.net", "https://example.net.example.org"),
        ("api.example.net", "https://example.net"),
        ("example.net:8080", "http://example.net"),
        ("example.net:443", "http://example.net"),
        ("192.0.2.7", "http://192.0.2.70"),
        ("2.7", "http://192.0.2.7"),
        ("192.0.2.7:9000", "http://192.0.2.7:9001"),
        ("192.0.2.0/24", "http://192.0.3.1"),
        ("192.0.2.0/24", "http://host.example.net"),
        ("192.0.2.0/99", "http://192.0.2.1"),
        ("2001:db8::/32", "http://192.0.2.1"),
        ("2001:db8::5", "http://[2001:db8::6]/"),
        (".", "https://example.net"),
        ("*example.net", "https://badexample.net"),
        ("user@example.net", "https://example.net"),
    ],
)
def test_not_reached_directly(no_proxy: str, url: str) -> None:
    """What only looks alike goes through the proxy."""
    assert not is_direct(url, no_proxy)


@pytest.mark.parametrize("url", ["", "example.net", "http://", "http://host:port/", "http://host:70000/"])
def test_what_is_no_address_is_an_error(url: str) -> None:
    """It must not slip past the proxy."""
    with pytest.raises(ValueError, match=r".+"):
        is_direct(url, "*")

"""The proxy: what is stored of it, what is shown, and who goes through it."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from akmatori_sdk._core.model import UNSET
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.crypto import SecretBox, SecretUnreadableError
from akmatori_server.errors import BadRequest
from akmatori_server.settings.service import SettingsService
from akmatori_server.settings.tables import proxy_settings
from tests.server.incidents.domain import call
from tests.server.settings.conftest import Office

URL = "http://ann:p4ss%40word@proxy.example.net:3128"
SHOWN = "http://ann:%2A%2A%2A%2A@proxy.example.net:3128"


def put(office: Office, **members: Any) -> models.ProxySettings:
    """Replace the proxy settings by this JSON."""
    body = codec.decode_update_proxy_settings_request(members)
    return office.handlers.update_proxy_settings(call(), if_match=UNSET, body=body).body


def enabled(shown: models.ProxySettings) -> set[str]:
    """The services that use the proxy."""
    services = codec.encode_proxy_settings(shown)["services"]
    return {name for name, state in services.items() if state["enabled"]}


def test_before_anybody_changed_it(office: Office) -> None:
    """No proxy; language models and Slack would use one; SSH never can."""
    shown = office.handlers.get_proxy_settings(call()).body

    assert (shown.proxy_url, shown.no_proxy) == ("", "")
    assert enabled(shown) == {"llm", "openai", "slack"}
    assert shown.services.ssh == models.ProxyServiceState(enabled=False, supported=False)
    assert office.settings.proxy().proxy_for("https://api.example.net", "llm") is None


def test_a_toggle_is_switched_on_and_off_again(office: Office) -> None:
    """Unlike in the product; and what is left out is off."""
    on = put(office, proxy_url=URL, services={"zabbix": {"enabled": True}, "llm": {"enabled": True}})
    off = put(office, proxy_url=URL, services={"zabbix": {"enabled": False}, "jira": {"enabled": True}})

    assert enabled(on) == {"zabbix", "llm", "openai"}
    assert enabled(off) == {"jira"}
    assert enabled(office.handlers.get_proxy_settings(call()).body) == {"jira"}


def test_the_whole_is_cleared(office: Office) -> None:
    """The URL, its password, the exceptions and every toggle."""
    put(office, proxy_url=URL, no_proxy="localhost", services={"llm": {"enabled": True}})
    cleared = put(office)

    assert (cleared.proxy_url, cleared.no_proxy, enabled(cleared)) == ("", "", set())
    with office.database.read() as connection:
        row = connection.execute(sa.select(proxy_settings)).one()
    assert (row.url, row.password, row.services) == ("", None, [])


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        ({"openai": {"enabled": True}}, {"llm", "openai"}),
        ({"openai": {"enabled": True}, "llm": None}, {"llm", "openai"}),
        ({"openai": {"enabled": True}, "llm": {"enabled": False}}, set()),
        ({"openai": {"enabled": True}, "llm": {}}, set()),
        ({"openai": {"enabled": False}, "llm": {"enabled": True}}, {"llm", "openai"}),
        ({"slack": {"enabled": None}, "kubernetes": {}}, set()),
        (None, set()),
    ],
)
def test_the_old_name_counts_when_the_new_one_is_left_out(
    office: Office, services: dict[str, Any] | None, expected: set[str]
) -> None:
    """`openai` is what older clients call `llm`."""
    assert enabled(put(office, proxy_url=URL, services=services)) == expected


def test_the_password_is_masked_and_encrypted(office: Office) -> None:
    """It is in clear for those who connect only."""
    shown = put(office, proxy_url=URL, services={"llm": {"enabled": True}})
    with office.database.read() as connection:
        row = connection.execute(sa.select(proxy_settings)).one()

    assert shown.proxy_url == SHOWN
    assert "p4ss" not in f"{row} {office.settings.proxy()!r}"
    assert office.settings.proxy().url == URL


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (SHOWN, URL),
        ("http://ann:****@proxy.example.net:3128", URL),
        ("https://ann:%2a%2a%2a%2a@other.example.net", "https://ann:p4ss%40word@other.example.net"),
        ("http://ann:new@proxy.example.net:3128", "http://ann:new@proxy.example.net:3128"),
        ("http://ann@proxy.example.net:3128", "http://ann@proxy.example.net:3128"),
        ("http://proxy.example.net:3128", "http://proxy.example.net:3128"),
    ],
)
def test_a_masked_password_keeps_the_stored_one(office: Office, sent: str, stored: str) -> None:
    """Anything else replaces or clears it."""
    put(office, proxy_url=URL)
    put(office, proxy_url=sent)

    assert office.settings.proxy().url == stored


@pytest.mark.parametrize(
    "url",
    ["http://:secret@proxy:3128", "http://user:secret@[2001:db8::1]:3128/", "HTTP://u:a:b@Proxy.Example.net"],
)
def test_a_url_is_used_as_it_was_written(office: Office, url: str) -> None:
    """With whatever may stand in one."""
    put(office, proxy_url=url)

    assert office.settings.proxy().url.lower() == url.lower()


@pytest.mark.parametrize(
    "url",
    [
        "proxy:3128",
        "socks5://proxy:1080",
        "http://",
        "http://:3128",
        "http://user:p4ssword@",
        "http://user:p4/word@proxy:3128",
        "http://user:p4ssword@proxy:port",
        "http://user:p4ssword@proxy:99999",
        "http://user:p4ssword@proxy:0",
        "http://user:p4ss word@proxy",
        "http://user:****@proxy",
    ],
)
def test_a_url_that_cannot_be_used_is_refused(office: Office, url: str) -> None:
    """With a sentence that does not repeat the password; nothing is stored."""
    with pytest.raises(BadRequest, match="proxy_url") as refusal:
        put(office, proxy_url=url)

    assert "p4" not in f"{refusal.value} {refusal.value.__cause__}"
    assert office.settings.proxy().address == ""


def test_who_goes_through_the_proxy(office: Office) -> None:
    """Those switched on, unless the address is excepted."""
    put(office, proxy_url=URL, no_proxy=".internal, 10.0.0.0/8", services={"grafana": {"enabled": True}})
    proxy = office.settings.proxy()

    assert proxy.proxy_for("https://grafana.example.net", "grafana") == URL
    assert proxy.proxy_for("https://grafana.internal", "grafana") is None
    assert proxy.proxy_for("http://10.3.2.1:3000", "grafana") is None
    assert proxy.proxy_for("https://grafana.example.net", "llm") is None
    assert proxy.proxy_for("https://grafana.example.net", "ssh") is None


def test_with_the_key_lost_nothing_is_sent_without_the_password(office: Office) -> None:
    """Reading still shows the settings, and sending them back keeps what is stored."""
    put(office, proxy_url=URL, services={"llm": {"enabled": True}})
    lost = SettingsService(office.database, SecretBox([Fernet.generate_key().decode()]), now=office.clock)

    assert lost.proxy().shown_url == SHOWN
    with pytest.raises(SecretUnreadableError):
        lost.proxy().proxy_for("https://api.example.net", "llm")
    with lost.writing() as write:
        write.put_proxy(write.proxy().replaced(url=SHOWN, no_proxy="x", services=[]))
    assert office.settings.proxy().url == URL

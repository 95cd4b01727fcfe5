"""Where the server is and who is asking."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akmatori_sdk import Akmatori, Aotanami, AsyncAkmatori, ConfigError
from akmatori_sdk._core.auth import Anonymous, ApiKey, Credential, Login, Token
from akmatori_sdk._core.config import AKMATORI, AOTANAMI, System, normalise, resolve


def settled(system: System = AKMATORI, environ: dict[str, str] | None = None, **arguments: str) -> Credential:
    given: dict[str, Any] = dict.fromkeys(("api_key", "token", "username", "password"))
    return resolve(system, base_url="https://a", environ=environ or {}, **{**given, **arguments}).credential


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://a.example", "https://a.example"),
        ("https://a.example/", "https://a.example"),
        ("https://a.example/api", "https://a.example"),
        ("https://a.example/api/", "https://a.example"),
        ("https://a.example/api/v1", "https://a.example"),
        ("https://a.example/api/v1/", "https://a.example"),
        ("https://a.example:8443/ops/api", "https://a.example:8443/ops"),
        ("https://a.example/myapi", "https://a.example/myapi"),
        (" https://a.example ", "https://a.example"),
        ("a.example", "https://a.example"),
        ("localhost:3000", "http://localhost:3000"),
        ("127.0.0.1:3000/api", "http://127.0.0.1:3000"),
        ("http://[::1]:3000/api", "http://[::1]:3000"),
    ],
)
def test_addresses(address: str, expected: str) -> None:
    assert normalise(address, "base_url") == expected


@pytest.mark.parametrize(
    "address",
    ["", "ftp://a", "https://", "https://a:port", "https://a?x=1", "https://a#x", "https://[::1", "://a"],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="base_url"):
        normalise(address, "base_url")


def test_credentials_in_the_address_are_refused_and_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        Akmatori("https://bob:hunter22@a.example")
    assert "credentials" in str(caught.value)
    assert "hunter22" not in str(caught.value)


@given(st.text())
def test_any_text_is_an_address_or_a_config_error(text: str) -> None:
    try:
        url = normalise(text, "base_url")
    except ConfigError:
        return
    assert normalise(url, "base_url") == url or "/api" in url


@pytest.mark.parametrize("client", [Akmatori, AsyncAkmatori, Aotanami])
def test_without_a_server_the_error_names_the_variable(client: type[Any]) -> None:
    with pytest.raises(ConfigError, match=r"base_url= or set (AKMATORI|AOTANAMI)_HOST"):
        client(token="t")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"token": "t"}, Token("t")),
        ({"api_key": "k"}, ApiKey("k")),
        ({"username": "u", "password": "p"}, Login("u", "p")),
        ({}, Anonymous()),
    ],
)
def test_arguments(arguments: dict[str, str], expected: Credential) -> None:
    assert settled(AKMATORI, {}, **arguments) == expected


ALL = {
    "AKMATORI_TOKEN": "at",
    "AKMATORI_API_KEY": "ak",
    "AKMATORI_USERNAME": "au",
    "AKMATORI_PASSWORD": "ap",
    "AOTANAMI_TOKEN": "ot",
    "AOTANAMI_API_KEY": "ok",
}


@pytest.mark.parametrize(
    ("system", "without", "expected"),
    [
        (AKMATORI, [], Token("at")),
        (AKMATORI, ["AKMATORI_TOKEN"], ApiKey("ak")),
        (AKMATORI, ["AKMATORI_TOKEN", "AKMATORI_API_KEY"], Login("au", "ap")),
        (AKMATORI, ["AKMATORI_TOKEN", "AKMATORI_API_KEY", "AKMATORI_PASSWORD"], Anonymous()),
        (AOTANAMI, [], Token("ot")),
        (AOTANAMI, ["AOTANAMI_TOKEN"], ApiKey("ok")),
        (AOTANAMI, ["AOTANAMI_TOKEN", "AOTANAMI_API_KEY"], Token("at")),
    ],
)
def test_the_environment_in_its_order(system: System, without: list[str], expected: Credential) -> None:
    assert settled(system, {k: v for k, v in ALL.items() if k not in without}) == expected


def test_arguments_win_as_a_whole() -> None:
    assert settled(AKMATORI, ALL, api_key="mine") == ApiKey("mine")
    with pytest.raises(ConfigError, match="go together"):
        settled(AKMATORI, ALL, username="me")


def test_two_kinds_of_credentials_are_refused() -> None:
    with pytest.raises(ConfigError, match="one credential, not token and api_key"):
        settled(token="t", api_key="k")


@pytest.mark.parametrize("value", ["", "two words", "line\nend", "schlüssel", "tab\t"])
def test_values_that_cannot_be_sent_are_refused_and_not_shown(value: str) -> None:
    with pytest.raises(ConfigError, match="token=") as caught:
        settled(token=value)
    assert not value or value not in str(caught.value)
    if value:
        with pytest.raises(ConfigError, match="AKMATORI_API_KEY"):
            settled(AKMATORI, {"AKMATORI_API_KEY": value})


def test_a_source_that_is_shadowed_is_logged_by_name(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "akmatori_sdk")
    settled(AKMATORI, ALL, token="mine")
    settled(AKMATORI, ALL)
    first, second = (record.getMessage() for record in caplog.records)
    others = "AKMATORI_API_KEY, AKMATORI_USERNAME"
    assert first == f"credentials come from arguments; set but ignored: AKMATORI_TOKEN, {others}"
    assert second == f"credentials come from AKMATORI_TOKEN; set but ignored: {others}"
    assert not {"at", "ak", "ap", "mine"} & set(caplog.text.replace(",", " ").split())


def test_one_source_is_not_worth_a_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "akmatori_sdk")
    settled(AKMATORI, {"AKMATORI_TOKEN": "t"})
    assert not caplog.records


def test_credentials_over_plain_http_are_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    Akmatori("http://a.example", token="t").close()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    caplog.clear()
    Akmatori("http://localhost", token="t").close()
    Akmatori("http://a.example").close()
    assert not caplog.records


def test_the_real_environment_is_read_when_the_client_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AKMATORI_HOST", "https://from-env.example/api")
    monkeypatch.setenv("AKMATORI_API_KEY", "k")
    with Akmatori() as akmatori, Aotanami() as aotanami:
        assert akmatori.base_url == aotanami.base_url == "https://from-env.example"
    monkeypatch.setenv("AOTANAMI_HOST", "https://other.example/api/v1")
    with Aotanami() as aotanami, Aotanami("https://third.example") as explicit:
        assert aotanami.base_url == "https://other.example"
        assert explicit.base_url == "https://third.example"

"""What a call sends and whom it asks: headers, addresses, raw requests, clients of one's own."""

from __future__ import annotations

import functools
import threading
from typing import Any

import pytest

from akmatori_sdk import (
    Akmatori,
    CallOptions,
    ConfigError,
    RetryPolicy,
    TransportError,
    UnauthorizedError,
    UnavailableError,
)
from tests.sdk.server import CAPABLE, Reply, Scripted, Seen
from tests.sdk.support import UUID, StillClock, incident, run

ITEM = f"/api/incidents/{UUID}"
GOOD = Reply(json=incident())
BUSY = Reply(status=503, json={"error": "not now"}, headers=CAPABLE)


def get(client: Any) -> Any:
    return client.incidents.get(UUID)


def post_raw(client: Any, options: CallOptions | None) -> Any:
    return client.request("POST", "/x", options=options)


def test_a_good_call(server: Scripted, flavour: str) -> None:
    server.on("GET", ITEM, GOOD)
    assert run(flavour, server.url + "/api/v1/", get).uuid == UUID
    (seen,) = server.seen
    assert seen.headers["authorization"] == "Bearer test-token"
    assert seen.headers["user-agent"].startswith("akmatori-sdk/")
    assert seen.headers["accept"] == "application/json"
    assert len(seen.headers["x-request-id"]) == 16


def test_an_api_key_goes_into_its_own_header(server: Scripted, flavour: str) -> None:
    server.on("GET", ITEM, GOOD)
    run(flavour, server.url, get, api_key="k1")
    assert server.seen[0].headers["x-api-key"] == "k1"
    assert "authorization" not in server.seen[0].headers


def test_public_operations_carry_no_credential(server: Scripted, flavour: str) -> None:
    server.on("GET", "/health", Reply(json={"status": "ok", "version": "1"}))
    run(flavour, server.url, lambda c: c.health.get())
    assert "authorization" not in server.seen[0].headers


def test_no_credential_at_all_is_said_in_the_401(server: Scripted) -> None:
    server.on("GET", ITEM, Reply(status=401, json={"error": "token missing"}))
    with Akmatori(server.url) as client, pytest.raises(UnauthorizedError) as caught:
        client.incidents.get(UUID)
    assert "no credential was given" in str(caught.value)
    assert "AKMATORI_TOKEN or AKMATORI_API_KEY" in str(caught.value)


@pytest.mark.parametrize("uuid", ["", ".", ".."])
def test_identifiers_that_would_address_something_else_are_refused(server: Scripted, uuid: str) -> None:
    with Akmatori(server.url, token="t") as client, pytest.raises(ValueError, match="part of the address"):
        client.incidents.get(uuid)
    assert not server.seen


@pytest.mark.parametrize("name", ["a/b", "a b", "100%", "ä", "a?b#c", "../x"])
def test_identifiers_are_quoted(server: Scripted, flavour: str, name: str) -> None:
    from urllib.parse import quote

    path = f"/api/skills/{quote(name, safe='')}"
    server.on("DELETE", path, Reply(status=204))
    assert run(flavour, server.url, lambda c: c.skills.delete(name)) is None


def test_raw_requests(server: Scripted, flavour: str) -> None:
    def echo(seen: Seen) -> Reply:
        return Reply(json={"query": dict(seen.query), "body": seen.body.decode()}, headers={"X-Thing": "1"})

    server.on("POST", "/api/new", echo)
    response = run(
        flavour,
        server.url,
        lambda c: c.request("post", "/api/new", query={"a": [1, 2], "b": None}, json={"x": True}),
    )
    assert (response.status, response.headers["x-thing"]) == (200, "1")
    assert response.json() == {"query": {"a": ["1", "2"]}, "body": '{"x":true}'}
    assert server.seen[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["api/x", "https://evil.example/x", "//evil.example/x", "/x?y=1"])
def test_raw_requests_stay_on_the_server(server: Scripted, flavour: str, path: str) -> None:
    with pytest.raises(ConfigError):
        run(flavour, server.url, lambda c: c.request("GET", path))
    assert not server.seen


def test_raw_posts_are_not_repeated_without_a_key(server: Scripted, flavour: str, still: StillClock) -> None:
    server.on("POST", "/x", BUSY)
    for options, expected in ((None, 1), (CallOptions(idempotency_key="k"), 3)):
        server.seen.clear()
        with pytest.raises(UnavailableError):
            run(
                flavour,
                server.url,
                functools.partial(post_raw, options=options),
                clock=still.clock,
            )
        assert len(server.seen) == expected


def test_an_http_client_of_ones_own(server: Scripted) -> None:
    import httpx

    server.on("GET", ITEM, GOOD)
    with httpx.Client(headers={"x-mine": "1"}, follow_redirects=True, timeout=0.0001) as http:
        with Akmatori(server.url, token="t", http_client=http, timeout=5) as client:
            client.incidents.get(UUID)
        assert server.seen[0].headers["x-mine"] == "1"
        assert not http.is_closed
        server.on("GET", ITEM, Reply(json=incident(), delay=0.3))
        client = Akmatori(server.url, token="t", http_client=http, retry=RetryPolicy.none())
        with pytest.raises(TransportError):
            client.incidents.get(UUID)


def test_derived_clients_share_connections_and_do_not_close_them(server: Scripted) -> None:
    server.on("GET", ITEM, GOOD)
    with Akmatori(server.url, token="t", headers={"X-A": "1"}) as client:
        derived = client.with_options(headers={"X-B": "2"}, retry=RetryPolicy.none(), timeout=3)
        assert type(derived) is Akmatori
        assert derived.incidents is not client.incidents
        derived.incidents.get(UUID)
        derived.close()
        client.incidents.get(UUID)
    first, second = server.seen
    assert (first.headers["x-a"], first.headers["x-b"]) == ("1", "2")
    assert "x-b" not in second.headers


def test_many_threads_share_one_client(server: Scripted) -> None:
    server.on("GET", ITEM, GOOD)
    failures: list[BaseException] = []
    with Akmatori(server.url, token="t") as client:

        def work() -> None:
            try:
                for _ in range(10):
                    client.incidents.get(UUID)
            except BaseException as error:  # noqa: BLE001 - reported below
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failures
    assert len(server.seen) == 80
    assert len({seen.headers["x-request-id"] for seen in server.seen}) == 80

"""Calls over real connections that fail in every way; both loops must behave alike."""

from __future__ import annotations

import functools
import logging
import math
import socket
import threading
import time
from typing import Any

import pytest

from akmatori_sdk import (
    Akmatori,
    CallOptions,
    ConflictError,
    ConnectError,
    DeadlineExceededError,
    DecodeError,
    Delivery,
    NotFoundError,
    RateLimitedError,
    RequestTimeoutError,
    RetryPolicy,
    ServerError,
    StatusError,
    Timeout,
    TransportError,
    UnavailableError,
)
from tests.sdk.server import CAPABLE, Reply, Scripted
from tests.sdk.support import UUID, StillClock, incident, run

ITEM = f"/api/incidents/{UUID}"
GOOD = Reply(json=incident())
CREATED = Reply(
    status=201, json={"uuid": UUID, "status": "pending", "working_dir": "/w", "message": "m"}, headers=CAPABLE
)
BUSY = Reply(status=503, json={"error": "not now"}, headers=CAPABLE)
RESET = Reply(fault="unread")


def get(client: Any) -> Any:
    return client.incidents.get(UUID)


def create(client: Any, options: CallOptions | None = None) -> Any:
    return client.incidents.create(task="why?", options=options)


def post_raw(client: Any, options: CallOptions | None) -> Any:
    return client.request("POST", "/x", options=options)


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("fault", [RESET, BUSY, Reply(json=incident(), fault="half")])
def test_a_read_is_repeated(server: Scripted, flavour: str, still: StillClock, fault: Reply) -> None:
    server.on("GET", ITEM, fault, fault, GOOD)
    assert run(flavour, server.url, get, clock=still.clock).uuid == UUID
    assert still.sleeps == [0.5, 1.0]
    assert len({seen.headers["x-request-id"] for seen in server.seen}) == 1


def test_a_server_that_is_not_there(flavour: str, still: StillClock) -> None:
    with pytest.raises(ConnectError) as caught:
        run(flavour, f"http://127.0.0.1:{unused_port()}", create, clock=still.clock)
    error = caught.value
    assert (error.delivery, error.attempts, error.stop_reason) == (Delivery.NOT_SENT, 3, "no attempts left")
    assert len(still.sleeps) == 2, "a write whose connection was never made goes again"
    assert error.elapsed == pytest.approx(1.5)
    assert error.__cause__ is None
    assert error.__context__ is None, "the library's error would hold the request with its headers"


def test_a_write_without_key_goes_once(server: Scripted, flavour: str, still: StillClock) -> None:
    server.on("POST", "/api/skills/sync", RESET)
    with pytest.raises(TransportError) as caught:
        run(flavour, server.url, lambda c: c.skills.sync(), clock=still.clock)
    assert len(server.seen) == 1
    assert caught.value.stop_reason == "the write may have been applied and has no idempotency key"


@pytest.mark.parametrize(
    "fault", [RESET, BUSY, Reply(status=429, json={"error": "slow down"}, headers=CAPABLE)]
)
def test_a_keyed_write_goes_again_to_a_server_known_to_honour_keys(
    server: Scripted, flavour: str, still: StillClock, fault: Reply
) -> None:
    server.on("GET", "/health", Reply(json={"status": "ok"}, headers=CAPABLE))
    server.on("POST", "/api/incidents", fault, CREATED)
    assert run(flavour, server.url, create, clock=still.clock).uuid == UUID
    first, second = server.calls("POST")
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert len(first.headers["idempotency-key"]) == 36
    # Only a reset says nothing about the server; an answer carries the capability.
    assert len(server.calls("GET", "/health")) == (1 if fault is RESET else 0)


@pytest.mark.parametrize(
    "health",
    [
        Reply(json={"status": "ok"}),
        Reply(status=404, json={}),
        RESET,
        Reply(headers={"Akmatori-Capabilities": "cursor"}),
    ],
)
def test_a_keyed_write_goes_once_to_any_other_server(
    server: Scripted, flavour: str, still: StillClock, health: Reply
) -> None:
    server.on("GET", "/health", health)
    server.on("POST", "/api/incidents", RESET, CREATED)
    with pytest.raises(TransportError) as caught:
        run(flavour, server.url, create, clock=still.clock)
    assert len(server.calls("POST")) == 1
    assert len(server.calls("GET", "/health")) == 1
    assert "not known to honour" in str(caught.value)
    assert "authorization" not in server.calls("GET")[0].headers


def test_a_server_is_not_asked_when_the_answer_would_change_nothing(server: Scripted, flavour: str) -> None:
    server.on("POST", "/api/incidents", RESET)
    server.on("POST", "/x", RESET)
    for action in (create, functools.partial(post_raw, options=None)):
        with pytest.raises(TransportError):
            run(flavour, server.url, action, retry=RetryPolicy.none())
    assert not server.calls("GET")


def test_what_an_earlier_answer_said_is_remembered(server: Scripted, still: StillClock) -> None:
    server.on("GET", ITEM, Reply(json=incident(), headers=CAPABLE))
    server.on("POST", "/api/incidents", RESET, CREATED)
    with Akmatori(server.url, token="t", clock=still.clock) as client:
        client.incidents.get(UUID)
        assert client.with_options(timeout=9).incidents.create(task="x").uuid == UUID
    assert not server.calls("GET", "/health")


def test_a_server_that_lost_the_capability_is_believed(server: Scripted, still: StillClock) -> None:
    server.on("GET", ITEM, Reply(json=incident(), headers=CAPABLE), GOOD)
    server.on("POST", "/api/incidents", RESET)
    with Akmatori(server.url, token="t", clock=still.clock) as client:
        client.incidents.get(UUID)
        client.incidents.get(UUID)
        with pytest.raises(TransportError):
            client.incidents.create(task="x")
    assert len(server.calls("POST")) == 1


def test_each_write_has_its_own_key_unless_one_is_given(server: Scripted, flavour: str) -> None:
    server.on("POST", "/api/incidents", CREATED)
    for options in (None, None, CallOptions(idempotency_key="mine")):
        run(flavour, server.url, functools.partial(create, options=options))
    keys = [seen.headers["idempotency-key"] for seen in server.seen]
    assert len(set(keys)) == 3
    assert keys[2] == "mine"


def test_retry_after_is_obeyed(server: Scripted, flavour: str, still: StillClock) -> None:
    server.on("GET", ITEM, Reply(status=429, json={"error": "slow"}, headers={"Retry-After": "7"}), GOOD)
    run(flavour, server.url, get, clock=still.clock)
    assert still.sleeps == [7.0]


def test_retry_after_over_the_cap_ends_the_call(server: Scripted, flavour: str, still: StillClock) -> None:
    server.on("GET", ITEM, Reply(status=429, json={"error": "slow"}, headers={"Retry-After": "31"}))
    with pytest.raises(RateLimitedError) as caught:
        run(flavour, server.url, get, clock=still.clock)
    assert (caught.value.retry_after, caught.value.attempts, still.sleeps) == (31.0, 1, [])
    assert "asks for 31 s, over the limit" in str(caught.value)


def test_the_deadline_counts_the_waits(server: Scripted, flavour: str, still: StillClock) -> None:
    server.on("GET", ITEM, Reply(status=503, json={"error": "no"}, headers={"Retry-After": "25"}))
    with pytest.raises(UnavailableError) as caught:
        run(flavour, server.url, get, clock=still.clock, retry=RetryPolicy(max_retries=9))
    assert still.sleeps == [25.0, 25.0]
    assert caught.value.stop_reason == "the deadline of 60 s would pass"


def test_options_of_one_call(server: Scripted, flavour: str, still: StillClock) -> None:
    server.on("GET", ITEM, BUSY)
    options = CallOptions(max_retries=0, headers={"X-Team": "ops", "Accept": "text/x"}, request_id="mine-1")
    with pytest.raises(UnavailableError) as caught:
        run(flavour, server.url, lambda c: c.incidents.get(UUID, options=options), clock=still.clock)
    (seen,) = server.seen
    assert (seen.headers["x-team"], seen.headers["accept"]) == ("ops", "text/x")
    assert seen.headers["x-request-id"] == "mine-1"
    assert caught.value.request_id == "mine-1"


def test_the_budget_is_shared_by_all_calls(server: Scripted, still: StillClock) -> None:
    server.on("GET", ITEM, BUSY)
    policy = RetryPolicy(budget=3)
    with Akmatori(server.url, token="t", clock=still.clock, retry=policy) as client:
        for _ in range(3):
            with pytest.raises(UnavailableError) as caught:
                client.incidents.get(UUID)
    assert len(server.seen) == 3 + 3
    assert caught.value.stop_reason == "the client's retry budget is empty"


def test_a_silent_server_is_a_timeout(server: Scripted, flavour: str) -> None:
    server.on("GET", ITEM, Reply(json=incident(), delay=0.6))
    options = {"timeout": Timeout(read=0.05), "retry": RetryPolicy(max_retries=1, base=0)}
    with pytest.raises(RequestTimeoutError, match="has not answered the request in time") as caught:
        run(flavour, server.url, get, **options)
    assert caught.value.attempts == 2


def test_a_body_that_drips_ends_at_the_deadline(server: Scripted, flavour: str) -> None:
    server.on("GET", ITEM, Reply(json=incident(), fault="drip"))
    began = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        run(flavour, server.url, get, retry=RetryPolicy(deadline=0.3))
    assert time.monotonic() - began < 2


def test_the_deadline_shortens_the_timeout(server: Scripted, flavour: str) -> None:
    server.on("GET", ITEM, Reply(json=incident(), delay=1.5))
    began = time.monotonic()
    with pytest.raises(RequestTimeoutError):
        run(flavour, server.url, get, retry=RetryPolicy(deadline=0.2), timeout=Timeout.unlimited())
    assert time.monotonic() - began < 1.2


def test_no_limit_at_all_can_be_had(server: Scripted, flavour: str) -> None:
    server.on("GET", ITEM, Reply(json=incident(), delay=0.1))
    run(flavour, server.url, get, retry=RetryPolicy(deadline=math.inf), timeout=Timeout.unlimited())


@pytest.mark.parametrize(
    ("reply", "kind", "text"),
    [
        (Reply(status=404, json={"error": "incident not found"}), NotFoundError, "404: incident not found"),
        (Reply(status=409, json={"error": "busy", "code": "in_use"}), ConflictError, "409 in_use: busy"),
        (
            Reply(status=502, body=b"<title>502 Bad Gateway</title>"),
            ServerError,
            "502: 502 Bad Gateway (an HTML",
        ),
        (
            Reply(status=301, headers={"Location": "https://x/"}),
            StatusError,
            "301: the server redirects to https://x/",
        ),
        (Reply(status=418, body=b"teapot"), StatusError, "418: teapot"),
    ],
)
def test_statuses(
    server: Scripted, flavour: str, still: StillClock, reply: Reply, kind: type[StatusError], text: str
) -> None:
    server.on("GET", ITEM, reply)
    with pytest.raises(kind) as caught:
        run(flavour, server.url, get, clock=still.clock)
    assert type(caught.value) is kind
    assert str(caught.value).startswith(f"GET {ITEM} -> {text}")
    sent = server.seen[0].headers["x-request-id"]
    assert f"(request {sent}, " in str(caught.value)


def test_the_request_id_is_the_servers_if_it_names_another(server: Scripted, flavour: str) -> None:
    server.on("GET", ITEM, Reply(status=404, json={"error": "no"}, headers={"X-Request-ID": "theirs"}))
    with pytest.raises(NotFoundError) as caught:
        run(flavour, server.url, get)
    assert caught.value.request_id == "theirs"


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (Reply(body=b"{"), "a body that is not JSON (application/json)"),
        (Reply(body=b"<html>", headers={"Content-Type": "text/html"}), "does base_url point at the API?"),
        (Reply(body=b""), "an empty body where JSON was expected"),
        (Reply(json=None), "expected an object, got null"),
        (Reply(json=incident(title=None)), "$.title: expected a string, got null"),
    ],
)
def test_wrong_bodies(server: Scripted, flavour: str, reply: Reply, text: str) -> None:
    server.on("GET", ITEM, reply)
    with pytest.raises(DecodeError) as caught:
        run(flavour, server.url, get)
    assert text in str(caught.value)
    assert str(caught.value).startswith(f"GET {ITEM} -> ")
    assert caught.value.attempts == 1


def test_an_answer_with_broken_compression(server: Scripted, flavour: str, still: StillClock) -> None:
    server.on("GET", ITEM, Reply(body=b"no gzip", headers={"Content-Encoding": "gzip"}))
    with pytest.raises(TransportError, match="compression is broken"):
        run(flavour, server.url, get, clock=still.clock)


def test_something_that_does_not_speak_http(flavour: str, still: StillClock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(TransportError):
            run(flavour, url, get, clock=still.clock, retry=RetryPolicy.none())
        thread.join(5)


def test_logs_are_one_line_per_attempt_and_per_retry(
    server: Scripted, flavour: str, still: StillClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "akmatori_sdk")
    server.on("GET", ITEM, BUSY, GOOD)
    run(flavour, server.url, get, clock=still.clock)
    sent = server.seen[0].headers["x-request-id"]
    lines = [
        (record.levelname, record.getMessage())
        for record in caplog.records
        if record.name == "akmatori_sdk.http"
    ]
    assert lines == [
        ("DEBUG", f"GET {ITEM} -> 503 after 0.000 s (request {sent}, attempt 1)"),
        ("INFO", f"GET {ITEM} failed (503), next attempt in 0.50 s (request {sent}, attempt 1)"),
        ("DEBUG", f"GET {ITEM} -> 200 after 0.500 s (request {sent}, attempt 2)"),
    ]

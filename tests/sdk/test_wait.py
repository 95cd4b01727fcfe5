"""Waiting for an incident, over HTTP and in both flavours."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from akmatori_sdk import (
    AsyncAkmatori,
    CallOptions,
    NotFoundError,
    RequestTimeoutError,
    RetryPolicy,
    UnavailableError,
    WaitTimeoutError,
)
from akmatori_sdk.akmatori import Incident
from tests.sdk.server import CAPABLE, Reply, Scripted, Seen
from tests.sdk.support import UUID, StillClock, incident, run

ITEM = f"/api/incidents/{UUID}"
ONCE = RetryPolicy.none()


def state(status: str, log: str = "", **more: Any) -> Reply:
    return Reply(json=incident(status=status, full_log=log, **more))


@pytest.mark.parametrize("end", ["completed", "failed", "diagnosed"])
def test_it_returns_the_end(server: Scripted, flavour: str, still: StillClock, end: str) -> None:
    server.on("GET", ITEM, state("pending"), state("running"), state(end, response="Because."))
    found = run(flavour, server.url, lambda c: c.incidents.wait(UUID), clock=still.clock)
    assert (found.status, found.response) == (end, "Because.")
    assert len(server.seen) == 3


def test_an_unknown_status_is_not_the_end(server: Scripted, flavour: str, still: StillClock) -> None:
    server.on("GET", ITEM, state("triaging"), state("awaiting_approval"), state("completed"))
    assert run(flavour, server.url, lambda c: c.incidents.wait(UUID), clock=still.clock).status == "completed"


def test_the_interval_grows_to_its_bound_and_is_spread(
    server: Scripted, flavour: str, still: StillClock
) -> None:
    server.on("GET", ITEM, *[state("running")] * 12, state("completed"))
    still.chance = 0.5
    run(flavour, server.url, lambda c: c.incidents.wait(UUID), clock=still.clock)
    assert still.sleeps[:3] == [0.2, 0.3, 0.45]
    assert still.sleeps[-1] == 5.0
    assert still.sleeps == sorted(still.sleeps)
    still.sleeps.clear()
    still.chance = 0.0
    server.on("GET", ITEM, state("running"), state("completed"))
    run(flavour, server.url, lambda c: c.incidents.wait(UUID), clock=still.clock)
    assert still.sleeps == [pytest.approx(0.15)]


def test_on_log_gets_only_what_is_new(server: Scripted, flavour: str, still: StillClock) -> None:
    logs = ["", "one ", "one ", "one two ", "new run", "new run."]
    server.on("GET", ITEM, *[state("running", log) for log in logs], state("completed", "new run. end"))
    news: list[str] = []
    run(flavour, server.url, lambda c: c.incidents.wait(UUID, on_log=news.append), clock=still.clock)
    assert news == ["one ", "two ", "new run", ".", " end"]


def test_on_log_may_be_a_coroutine_function(server: Scripted) -> None:
    server.on("GET", ITEM, state("completed", "text"))
    news: list[str] = []

    async def note(text: str) -> None:
        await asyncio.sleep(0)
        news.append(text)

    async def main() -> None:
        async with AsyncAkmatori(server.url, token="t") as client:
            await client.incidents.wait(UUID, on_log=note)

    asyncio.run(main())
    assert news == ["text"]


def test_it_survives_what_passes(server: Scripted, flavour: str, still: StillClock) -> None:
    server.on(
        "GET",
        ITEM,
        Reply(fault="unread"),
        Reply(status=503, json={"error": "no"}),
        Reply(status=502, body=b"<html>"),
        state("running"),
        Reply(json=incident(), fault="half"),
        state("completed"),
    )
    assert (
        run(flavour, server.url, lambda c: c.incidents.wait(UUID), clock=still.clock, retry=ONCE).status
        == "completed"
    )
    assert len(server.seen) == 6


def test_it_waits_as_long_as_the_server_asks(server: Scripted, flavour: str, still: StillClock) -> None:
    server.on("GET", ITEM, Reply(status=429, headers={"Retry-After": "9"}), state("completed"))
    run(flavour, server.url, lambda c: c.incidents.wait(UUID), clock=still.clock, retry=ONCE)
    assert still.sleeps == [9.0]


def test_what_does_not_pass_is_raised_at_once(server: Scripted, flavour: str, still: StillClock) -> None:
    with pytest.raises(NotFoundError):
        run(flavour, server.url, lambda c: c.incidents.wait(UUID), clock=still.clock)
    assert len(server.seen) == 1


def test_the_time_is_kept_and_the_last_state_is_told(
    server: Scripted, flavour: str, still: StillClock
) -> None:
    server.on("GET", ITEM, state("running", "so far"))
    with pytest.raises(WaitTimeoutError) as caught:
        run(flavour, server.url, lambda c: c.incidents.wait(UUID, timeout=10), clock=still.clock)
    assert sum(still.sleeps) == pytest.approx(10)
    assert isinstance(caught.value.last, Incident)
    assert caught.value.last.full_log == "so far"
    assert str(caught.value) == f"incident {UUID} has not ended within 10 s, its status is running"


def test_a_wait_that_never_saw_anything_says_why(server: Scripted, flavour: str, still: StillClock) -> None:
    server.on("GET", ITEM, Reply(status=503, json={"error": "starting"}))
    with pytest.raises(WaitTimeoutError, match="it was never read; the last poll failed: GET") as caught:
        run(flavour, server.url, lambda c: c.incidents.wait(UUID, timeout=3), clock=still.clock)
    assert caught.value.last is None
    assert isinstance(caught.value.last_error, UnavailableError)


def test_one_slow_poll_does_not_outlast_the_wait(server: Scripted, flavour: str) -> None:
    server.on("GET", ITEM, Reply(json=incident(), delay=1.5))
    with pytest.raises(WaitTimeoutError) as caught:
        run(flavour, server.url, lambda c: c.incidents.wait(UUID, timeout=0.2))
    assert isinstance(caught.value.last_error, RequestTimeoutError)


def test_create_and_wait(server: Scripted, flavour: str, still: StillClock) -> None:
    created = {"uuid": UUID, "status": "pending", "working_dir": "/w", "message": "m"}
    server.on("POST", "/api/incidents", Reply(status=201, json=created, headers=CAPABLE))
    server.on("GET", ITEM, state("running", "a"), state("completed", "ab"))
    news: list[str] = []
    options = CallOptions(idempotency_key="mine", request_id="one", headers={"X-Team": "ops"})
    found = run(
        flavour,
        server.url,
        lambda c: c.incidents.create_and_wait(
            task="Why?", context={"cluster": "prod", "n": 1}, on_log=news.append, options=options
        ),
        clock=still.clock,
    )
    post, *gets = server.seen
    assert found.status == "completed"
    assert news == ["a", "b"]
    assert post.json() == {"task": "Why?", "context": {"cluster": "prod", "n": 1}}
    assert (post.headers["idempotency-key"], post.headers["x-request-id"]) == ("mine", "one")
    assert all(seen.headers["x-team"] == "ops" for seen in server.seen)
    assert all("idempotency-key" not in seen.headers for seen in gets)
    assert len({seen.headers["x-request-id"] for seen in server.seen}) == 3


@pytest.mark.parametrize(("given", "sent"), [({}, {}), ({"context": None}, {"context": None})])
def test_context_may_be_left_out(
    server: Scripted, flavour: str, given: dict[str, Any], sent: dict[str, Any]
) -> None:
    def check(seen: Seen) -> Reply:
        assert seen.json() == {"task": "x", **sent}
        return Reply(status=201, json={"uuid": UUID, "status": "pending", "working_dir": "", "message": ""})

    server.on("POST", "/api/incidents", check)
    server.on("GET", ITEM, state("failed"))
    run(flavour, server.url, lambda c: c.incidents.create_and_wait(task="x", **given))

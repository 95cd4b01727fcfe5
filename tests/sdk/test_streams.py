"""Streams of events: connecting, connecting again where it was, ending, and servers that have none."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from akmatori_sdk import (
    AsyncAkmatori,
    CallOptions,
    DecodeError,
    NotFoundError,
    RetryPolicy,
    Timeout,
    TransportError,
    UnauthorizedError,
    UnavailableError,
)
from tests.sdk.server import CAPABLE, Reply, Scripted, Seen
from tests.sdk.support import UUID, StillClock, incident, page, run

PATH = "/api/events"
LIST = "/api/incidents"
EVENT_STREAM = {**CAPABLE, "Content-Type": "text/event-stream; charset=utf-8"}
BEGIN = b"retry: 100\nid: 0\n\n"


def told(number: int, **changes: Any) -> bytes:
    """Return one event as it goes over the wire."""
    data: dict[str, Any] = {
        "id": str(number),
        "kind": "incident.updated",
        "incident_uuid": UUID,
        "alert_uuid": None,
        "data": {"status": "running", "news": 1},
        "at": "2026-05-15T10:00:00Z",
        **changes,
    }
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (number, data["kind"].encode(), orjson.dumps(data))


def stream(*events: bytes, **more: Any) -> Reply:
    """Answer with a stream that ends after these events."""
    return Reply(body=BEGIN + b"".join(events), headers=EVENT_STREAM, **more)


def ids(flavour: str, server: Scripted, count: int, clock: StillClock, **asked: Any) -> list[str]:
    """Return the ids of the first events."""
    retry = asked.pop("retry", RetryPolicy())
    found: list[str] = []

    def sync(client: Any) -> None:
        with client.events.stream(**asked) as events:
            found.extend(event.id for _, event in zip(range(count), events, strict=False))

    async def aio(client: Any) -> None:
        async with client.events.stream(**asked) as events:
            async for event in events:
                found.append(event.id)
                if len(found) == count:
                    break

    run(flavour, server.url, sync if flavour == "sync" else aio, clock=clock.clock, retry=retry)
    return found


def read_on(flavour: str, server: Scripted, clock: StillClock, **asked: Any) -> list[str]:
    """Return the ids of the events up to the error, which is raised."""
    return ids(flavour, server, 1000, clock, **asked)


def test_events_are_models(server: Scripted, flavour: str, still: StillClock) -> None:
    server.on("GET", PATH, stream(told(1, kind="incident.frozen")))
    found: list[Any] = []

    def sync(client: Any) -> None:
        with client.events.stream(incident=UUID, kind="incident.frozen") as events:
            found.extend([next(events), events.last_event_id])

    async def aio(client: Any) -> None:
        async with client.events.stream(incident=UUID, kind="incident.frozen") as events:
            found.extend([await anext(events), events.last_event_id])

    run(flavour, server.url, sync if flavour == "sync" else aio, clock=still.clock)
    event, place = found
    assert (event.id, event.incident_uuid, event.alert_uuid, event.kind.is_known) == ("1", UUID, None, False)
    assert (event.data.status, event.data.extra, event.at.year) == ("running", {"news": 1}, 2026)
    assert place == "1"
    (seen,) = server.seen
    assert seen.query == {"incident": [UUID], "kind": ["incident.frozen"]}
    assert seen.headers["accept"] == "text/event-stream"
    assert "last-event-id" not in seen.headers


def test_it_connects_again_where_it_was(server: Scripted, flavour: str, still: StillClock) -> None:
    faults: list[str | None] = [None, "unread", "half", "502", "half", None, "half", "unread"]

    def answer(seen: Seen) -> Reply:
        fault = faults.pop(0) if faults else None
        if fault == "502":
            return Reply(status=502, body=b"<html>")
        # Two more events for each connection that is made, unless it breaks before they have arrived.
        place = int(seen.headers.get("last-event-id", "0"))
        body = b"id: %d\n\n" % place + told(place + 1) + told(place + 2)
        return Reply(body=body, headers=EVENT_STREAM, fault=fault)

    server.on("GET", PATH, answer)
    assert ids(flavour, server, 9, still) == [str(number) for number in range(1, 10)]
    assert faults == []
    assert "last-event-id" not in server.seen[0].headers


def test_where_to_begin_is_sent_as_the_header(server: Scripted, flavour: str, still: StillClock) -> None:
    server.on("GET", PATH, stream(told(8)))
    assert ids(flavour, server, 1, still, last_event_id="7") == ["8"]
    (seen,) = server.seen
    assert (seen.headers["last-event-id"], seen.query) == ("7", {})


def test_the_waits_grow_and_begin_anew_with_each_sign_of_life(
    server: Scripted, flavour: str, still: StillClock
) -> None:
    fault = Reply(fault="unread")
    server.on("GET", PATH, stream(told(1)), fault, fault, fault, stream(told(2)), stream(told(3)))
    assert ids(flavour, server, 3, still) == ["1", "2", "3"]
    assert still.sleeps == [0.5, 1.0, 2.0, 4.0, 0.5]


def test_the_server_says_how_long_to_wait(server: Scripted, flavour: str, still: StillClock) -> None:
    server.on(
        "GET",
        PATH,
        Reply(body=b"retry: 3000\nid: 1\n\n", headers=EVENT_STREAM),
        Reply(status=503, json={"error": "full"}, headers={"Retry-After": "9"}),
        stream(told(2)),
    )
    assert ids(flavour, server, 1, still) == ["2"]
    assert still.sleeps == [4.5, 9.0]


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(status=503, json={"error": "no"}), UnavailableError),
        (Reply(fault="unread"), TransportError),
        (Reply(status=503, headers={"Retry-After": "31"}), UnavailableError),
        (Reply(status=401, json={"error": "no"}), UnauthorizedError),
    ],
)
def test_what_does_not_pass_is_raised(
    server: Scripted, flavour: str, still: StillClock, reply: Reply, error: type[Exception]
) -> None:
    server.on("GET", PATH, reply)
    with pytest.raises(error):
        read_on(flavour, server, still)
    assert len(server.seen) <= 3


def test_a_server_that_is_gone_is_waited_for_as_long_as_the_policy_says(
    server: Scripted, flavour: str, still: StillClock
) -> None:
    server.on("GET", PATH, stream(told(1)), Reply(status=503, json={"error": "no"}))
    with pytest.raises(UnavailableError) as caught:
        read_on(flavour, server, still, retry=RetryPolicy(max_retries=1, deadline=30))
    assert caught.value.stop_reason == "the deadline of 30 s would pass"
    assert 22 <= sum(still.sleeps) <= 30


def test_a_404_after_a_stream_that_worked_is_an_error(
    server: Scripted, flavour: str, still: StillClock
) -> None:
    server.on("GET", PATH, stream(told(1)), Reply(status=404, json={"error": "no"}))
    with pytest.raises(NotFoundError):
        read_on(flavour, server, still)


@pytest.mark.parametrize("data", [b"data: {\n\n", b"data: {}\n\n", b"data: []\n\n"])
def test_what_is_no_event_is_an_error_and_is_not_met_twice(
    server: Scripted, flavour: str, still: StillClock, data: bytes
) -> None:
    server.on("GET", PATH, Reply(body=b"id: 6\n" + data, headers=EVENT_STREAM), stream(told(7)))
    found: list[str] = []

    def sync(client: Any) -> None:
        events = client.events.stream()
        with pytest.raises(DecodeError):
            next(events)
        found.append(next(events).id)

    async def aio(client: Any) -> None:
        events = client.events.stream()
        with pytest.raises(DecodeError):
            await anext(events)
        found.append((await anext(events)).id)

    run(flavour, server.url, sync if flavour == "sync" else aio, clock=still.clock)
    assert found == ["7"]
    assert server.seen[1].headers["last-event-id"] == "6"


def test_a_token_that_ended_is_renewed(server: Scripted, flavour: str, still: StillClock) -> None:
    tokens = iter(["one", "two"])
    server.on("POST", "/auth/login", lambda _: Reply(json={"token": next(tokens), "expires_in": 3600}))

    def answer(seen: Seen) -> Reply:
        if seen.headers["authorization"] == "Bearer one" and "last-event-id" in seen.headers:
            return Reply(status=401, json={"error": "no"})
        return stream(told(2 if "last-event-id" in seen.headers else 1))

    server.on("GET", PATH, answer)
    found: list[str] = []

    def sync(client: Any) -> None:
        events = client.events.stream()
        found.extend(next(events).id for _ in range(2))

    async def aio(client: Any) -> None:
        events = client.events.stream()
        found.extend([(await anext(events)).id for _ in range(2)])

    action: Callable[[Any], Any] = sync if flavour == "sync" else aio
    run(flavour, server.url, action, clock=still.clock, username="admin", password="password")
    assert found == ["1", "2"]
    assert server.seen[-1].headers["authorization"] == "Bearer two"


def test_silence_is_taken_for_a_dead_connection(server: Scripted, flavour: str) -> None:
    server.on("GET", PATH, Reply(delay=1.0, fault="unread"), stream(told(1)))
    options = CallOptions(timeout=Timeout(read=0.2))
    # On a busy machine the second connection may be silent for as long.
    patient = RetryPolicy(max_retries=50, deadline=10_000)
    assert ids(flavour, server, 1, StillClock(), options=options, retry=patient) == ["1"]


def test_closing_ends_the_iteration_at_once(server: Scripted, flavour: str) -> None:
    # A stream that says nothing more for a long time.
    server.on("GET", PATH, stream(b": x\n" * 2000, fault="drip"))
    took: list[float] = []

    def sync(client: Any) -> None:
        events = client.events.stream()
        events.connect()
        threading.Timer(0.1, events.close).start()
        begun = time.monotonic()
        assert list(events) == []
        took.append(time.monotonic() - begun)
        assert events.closed
        assert events.receive() == []

    async def aio(client: Any) -> None:
        events = client.events.stream()
        await events.connect()
        asyncio.get_running_loop().call_later(0.1, lambda: asyncio.ensure_future(events.close()))
        begun = time.monotonic()
        assert [event async for event in events] == []
        took.append(time.monotonic() - begun)
        assert events.closed
        assert await events.receive() == []

    run(flavour, server.url, sync if flavour == "sync" else aio)
    assert took[0] < 1


def test_a_piece_without_events_is_a_sign_of_life(server: Scripted, flavour: str, still: StillClock) -> None:
    server.on("GET", PATH, stream(told(1), told(2)))

    async def aio(client: AsyncAkmatori) -> list[list[Any]]:
        events = client.events.stream()
        return [await events.receive()]

    def sync(client: Any) -> list[list[Any]]:
        return [client.events.stream().receive()]

    (first,) = run(flavour, server.url, sync if flavour == "sync" else aio, clock=still.clock)
    assert [event.id for event in first] == ["1", "2"]


def envelope(status: int = 200) -> Reply:
    """Answer as a server does that has another operation there, or none."""
    return Reply(status=status, json={"data": [], "pagination": {}})


def looked(*incidents: dict[str, Any]) -> Reply:
    """Answer the list."""
    return Reply(json=page(list(incidents), page=1, per_page=100, total=len(incidents), total_pages=1))


def kinds_of(flavour: str, server: Scripted, still: StillClock, count: int, **asked: Any) -> list[Any]:
    """Return (kind, title, id) of the first events."""
    found: list[Any] = []

    def note(event: Any) -> None:
        found.append((event.kind.value, None if event.kind == "reset" else event.data.title, event.id))

    def sync(client: Any) -> None:
        with client.events.stream(**asked) as events:
            while len(found) < count:
                note(next(events))

    async def aio(client: Any) -> None:
        async with client.events.stream(**asked) as events:
            while len(found) < count:
                note(await anext(events))

    run(flavour, server.url, sync if flavour == "sync" else aio, clock=still.clock)
    return found


@pytest.mark.parametrize("answer", [envelope(200), envelope(404), envelope(405), envelope(501)])
def test_without_a_stream_the_incidents_are_looked_at(
    server: Scripted, flavour: str, still: StillClock, answer: Reply
) -> None:
    one, two = incident(title="one"), incident(title="two", uuid="2" + UUID[1:])
    server.on("GET", PATH, answer)
    server.on(
        "GET",
        LIST,
        looked(one),
        looked(two, one),
        looked(two, one),
        looked(two, {**one, "status": "completed"}),
        looked({**two, "updated_at": "2026-05-15T11:00:00Z"}, {**one, "status": "completed"}),
    )
    assert kinds_of(flavour, server, still, 3) == [
        ("incident.opened", "two", ""),
        ("incident.completed", "one", ""),
        ("incident.updated", "two", ""),
    ]
    assert len(server.calls("GET", PATH)) == 1
    assert still.sleeps == [2.0] * 4


def test_one_incident_is_looked_at_alone_and_only_for_what_is_wanted(
    server: Scripted, flavour: str, still: StillClock
) -> None:
    server.on("GET", PATH, envelope())
    item = f"{LIST}/{UUID}"
    server.on(
        "GET",
        item,
        Reply(json=incident(status="pending")),
        Reply(json=incident(status="running")),
        Reply(json=incident(status="completed")),
    )
    found = kinds_of(flavour, server, still, 1, incident=UUID, kind="incident.completed")
    assert found == [("incident.completed", "Checkout is slow", "")]
    assert server.calls("GET", LIST) == []


def test_who_wants_to_resume_without_a_stream_is_told_to_begin_anew(
    server: Scripted, flavour: str, still: StillClock
) -> None:
    server.on("GET", PATH, envelope())
    server.on("GET", LIST, looked())
    assert kinds_of(flavour, server, still, 1, last_event_id="3") == [("reset", None, "")]


def test_looks_that_fail_are_repeated(server: Scripted, flavour: str, still: StillClock) -> None:
    server.on("GET", PATH, envelope())
    broken = Reply(status=503, json={"error": "no"})
    server.on("GET", LIST, looked(), *[broken] * 5, looked(incident()))
    assert kinds_of(flavour, server, still, 1) == [("incident.opened", "Checkout is slow", "")]

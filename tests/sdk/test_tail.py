"""Following the log of an investigation, with a stream of events and without."""

from __future__ import annotations

from typing import Any

import pytest

from akmatori_sdk import NotFoundError, RetryPolicy, WaitTimeoutError
from tests.sdk.server import Reply, Scripted, Seen
from tests.sdk.support import UUID, StillClock, incident, run
from tests.sdk.test_streams import EVENT_STREAM, PATH, stream, told

ITEM = f"/api/incidents/{UUID}"
ONCE = RetryPolicy.none()


def state(status: str, log: str = "", **more: Any) -> Reply:
    return Reply(json=incident(status=status, full_log=log, **more))


def tail(flavour: str, server: Scripted, still: StillClock, **asked: Any) -> tuple[list[str], Any]:
    """Return the pieces and the incident at the end."""
    pieces: list[str] = []

    def sync(client: Any) -> Any:
        with client.incidents.tail(UUID, **asked) as log:
            pieces.extend(log)
            return log.incident

    async def aio(client: Any) -> Any:
        async with client.incidents.tail(UUID, **asked) as log:
            pieces.extend([piece async for piece in log])
            return log.incident

    end = run(flavour, server.url, sync if flavour == "sync" else aio, clock=still.clock, retry=ONCE)
    return pieces, end


def test_events_say_when_to_read(server: Scripted, flavour: str, still: StillClock) -> None:
    server.on("GET", PATH, stream(told(1)), stream(told(2)))
    server.on(
        "GET",
        ITEM,
        state("running", "one "),
        state("running", "one two "),
        state("completed", "one two three"),
    )
    pieces, end = tail(flavour, server, still)
    assert pieces == ["one ", "two ", "three"]
    assert (end.status, end.full_log) == ("completed", "one two three")
    assert server.seen[0].path == PATH
    assert server.seen[0].query == {"incident": [UUID]}
    # The only waits are those before the stream is connected again.
    assert len(still.sleeps) <= 1


def test_an_investigation_that_is_over_is_one_piece(
    server: Scripted, flavour: str, still: StillClock
) -> None:
    server.on("GET", PATH, stream())
    server.on("GET", ITEM, state("failed", "all"))
    pieces, end = tail(flavour, server, still)
    assert (pieces, end.status) == (["all"], "failed")
    assert len(server.calls("GET", ITEM)) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Reply(json={"data": []}),
        Reply(status=404, json={"error": "no"}),
        Reply(status=503, json={"error": "full"}, headers={"Retry-After": "60"}),
        Reply(fault="unread"),
        Reply(body=b"data: {\n\n", headers=EVENT_STREAM),
    ],
)
def test_without_a_stream_it_is_read_again_and_again(
    server: Scripted, flavour: str, still: StillClock, answer: Reply
) -> None:
    server.on("GET", PATH, answer)
    server.on("GET", ITEM, state("running", "one "), state("running", "one "), state("completed", "one two"))
    pieces, end = tail(flavour, server, still)
    assert pieces == ["one ", "two"]
    assert end.status == "completed"
    assert len(server.calls("GET", PATH)) <= 3


def test_a_stream_that_breaks_is_done_without(server: Scripted, flavour: str, still: StillClock) -> None:
    server.on("GET", PATH, stream(told(1)), Reply(status=404, json={"error": "no"}))
    server.on(
        "GET", ITEM, state("running", "one "), *[state("running", "one ")] * 3, state("completed", "one two")
    )
    assert tail(flavour, server, still)[0] == ["one ", "two"]
    assert len(server.calls("GET", PATH)) == 2


def test_what_passes_is_survived(server: Scripted, flavour: str, still: StillClock) -> None:
    server.on("GET", PATH, Reply(status=404, json={"error": "no"}))
    server.on(
        "GET", ITEM, Reply(fault="unread"), Reply(status=502, body=b"<html>"), state("diagnosed", "found")
    )
    assert tail(flavour, server, still)[0] == ["found"]


def test_an_unknown_incident_is_an_error(server: Scripted, flavour: str, still: StillClock) -> None:
    server.on("GET", PATH, stream())
    with pytest.raises(NotFoundError):
        tail(flavour, server, still)


def test_the_time_is_kept(server: Scripted, flavour: str, still: StillClock) -> None:
    def late(_seen: Seen) -> Reply:
        still.now += 15
        return stream(told(1))

    server.on("GET", PATH, late)
    server.on("GET", ITEM, state("running", "so far"))
    begun = still.now
    with pytest.raises(WaitTimeoutError) as caught:
        tail(flavour, server, still, timeout=60)
    assert still.now - begun <= 61
    last: Any = caught.value.last
    assert last.full_log == "so far"

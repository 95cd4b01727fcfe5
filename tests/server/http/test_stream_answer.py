"""Sending events: one by one, never to nobody, and the end is told to whoever made them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from starlette.types import Message

from akmatori_server.http.call import StreamAnswer, StreamMessage
from akmatori_server.http.responses import NonConformingAnswer, ResponseCheck
from akmatori_server.http.stream_answer import block, send_stream

GET = {"type": "http", "method": "GET"}


class Wire:
    """The other side: notes what is sent, and hangs up or stops reading when it is told to."""

    def __init__(self, *, reads: int = 1000) -> None:
        self.sent: list[Message] = []
        self.gone = asyncio.Event()
        self.closed = 0
        self._reads = reads

    async def receive(self) -> Message:
        """Say that it is gone, once it is."""
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a message, unless it does not read any more."""
        if len(self.sent) >= self._reads:
            await asyncio.Event().wait()
        self.sent.append(message)

    def close(self) -> None:
        """Count the ends."""
        self.closed += 1

    @property
    def body(self) -> bytes:
        """What was sent after the headers."""
        return b"".join(message["body"] for message in self.sent[1:])

    def answer(self, messages: AsyncIterator[StreamMessage[int]], patience: float = 5.0) -> StreamAnswer[int]:
        """Answer with these."""
        return StreamAnswer(messages=messages, close=self.close, patience=patience)


async def numbers(count: int, then: float = 0.0) -> AsyncIterator[StreamMessage[int]]:
    """Yield so many numbers, then wait."""
    for number in range(count):
        yield StreamMessage(data=number)
    await asyncio.sleep(then)


def send(wire: Wire, answer: StreamAnswer[int], encode: Any = orjson.dumps, method: str = "GET") -> Any:
    """Send the answer, not for ever."""
    scope = {**GET, "method": method}
    return asyncio.wait_for(send_stream(scope, wire.receive, wire.send, answer, encode), 5)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (StreamMessage(data=0), "data: 0\n\n"),
        (StreamMessage(id="7", event="a.b", data="ä\n"), 'id: 7\nevent: a.b\ndata: "ä\\n"\n\n'),
        (StreamMessage[Any](comment="", retry=5, id="1"), ": \nretry: 5\nid: 1\n\n"),
    ],
)
def test_how_a_message_is_written(message: StreamMessage[Any], text: str) -> None:
    """Each member on a line of its own."""
    assert block(message, orjson.dumps) == text.encode()


def test_events_are_sent_one_by_one_up_to_the_end() -> None:
    """Each in a piece of its own, never kept back."""

    async def main() -> None:
        wire = Wire()
        await send(wire, wire.answer(numbers(2)))
        assert [message.get("body") for message in wire.sent[1:]] == [b"data: 0\n\n", b"data: 1\n\n", b""]
        assert [message.get("more_body", False) for message in wire.sent[1:]] == [True, True, False]
        assert wire.closed == 1

    asyncio.run(main())


def test_who_hangs_up_is_sent_nothing_more() -> None:
    """At once, though there is nothing to send."""

    async def main() -> None:
        wire = Wire()
        asyncio.get_running_loop().call_later(0.05, wire.gone.set)
        await send(wire, wire.answer(numbers(1, then=60)))
        assert (wire.body, wire.closed) == (b"data: 0\n\n", 1)

    asyncio.run(main())


def test_who_does_not_read_is_cut_off() -> None:
    """After some patience; the answer is left incomplete."""

    async def main() -> None:
        wire = Wire(reads=3)
        await send(wire, wire.answer(numbers(10), patience=0.05))
        assert (wire.body, wire.closed) == (b"data: 0\n\ndata: 1\n\n", 1)
        assert wire.sent[-1]["more_body"] is True

    asyncio.run(main())


def test_a_head_is_answered_without_events() -> None:
    """And the place is given up."""

    async def main() -> None:
        wire = Wire()
        await send(wire, wire.answer(numbers(3)), method="HEAD")
        assert (wire.body, wire.closed) == (b"", 1)

    asyncio.run(main())


def test_a_failure_breaks_the_stream_and_is_told() -> None:
    """To the log of the server, by the layers around it."""

    async def fail() -> AsyncIterator[StreamMessage[int]]:
        yield StreamMessage(data=1)
        raise RuntimeError("the database is gone")

    async def main() -> None:
        wire = Wire()
        with pytest.raises(RuntimeError, match="gone"):
            await send(wire, wire.answer(fail()))
        assert (wire.body, wire.closed) == (b"data: 1\n\n", 1)

    asyncio.run(main())


def test_an_event_the_specification_does_not_know_is_not_sent() -> None:
    """Where answers are checked."""
    content = {"text/event-stream": {"schema": {"type": "integer", "maximum": 1}}}
    check = ResponseCheck("streamThings", {"200": {"content": content}})

    def encode(number: int) -> bytes:
        data = orjson.dumps(number)
        check.check_event(data)
        return data

    async def main() -> None:
        wire = Wire()
        with pytest.raises(NonConformingAnswer, match="streamThings sent an event"):
            await send(wire, wire.answer(numbers(5)), encode)
        assert (wire.body, wire.closed) == (b"data: 0\n\ndata: 1\n\n", 1)

    asyncio.run(main())
    with pytest.raises(NonConformingAnswer, match="no stream is documented"):
        ResponseCheck("listThings", {"200": {}}).check_event(b"1")

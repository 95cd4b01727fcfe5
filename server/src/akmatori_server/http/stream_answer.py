"""Sending server-sent events: each at once, until there are no more or the caller is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from starlette.types import Receive, Scope, Send

from akmatori_server.http.call import StreamAnswer, StreamMessage

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # What proxies of the nginx family take as: pass each piece on, keep nothing back.
    (b"x-accel-buffering", b"no"),
]
_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


async def send_stream(
    scope: Scope,
    receive: Receive,
    send: Send,
    answer: StreamAnswer[Any],
    encode: Callable[[Any], bytes],
) -> None:
    """Answer a GET with events, or a HEAD with nothing; `encode` writes one event's data as one line of JSON."""
    try:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        sending = asyncio.ensure_future(_send_all(send, answer, encode))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.wait({sending, leaving})
        if not sending.cancelled():
            sending.result()
    finally:
        answer.close()


def block(message: StreamMessage[Any], encode: Callable[[Any], bytes]) -> bytes:
    """Return a message as it goes over the wire."""
    lines: list[bytes] = []
    if message.comment is not None:
        lines.append(b": " + message.comment.encode())
    if message.retry is not None:
        lines.append(b"retry: %d" % message.retry)
    if message.id is not None:
        lines.append(b"id: " + message.id.encode())
    if message.event is not None:
        lines.append(b"event: " + message.event.encode())
    if message.data is not None:
        # JSON holds no line break, so that one line is all of it.
        lines.append(b"data: " + encode(message.data))
    return b"\n".join(lines) + b"\n\n"


async def _send_all(send: Send, answer: StreamAnswer[Any], encode: Callable[[Any], bytes]) -> None:
    try:
        async for message in answer.messages:
            piece = block(message, encode)
            async with asyncio.timeout(answer.patience):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        async with asyncio.timeout(answer.patience):
            await send({"type": "http.response.body", "body": b""})
    except TimeoutError:
        # The answer stays incomplete, by which the caller knows that there was more.
        _log.info("stream_cut", reason="the caller does not read")


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

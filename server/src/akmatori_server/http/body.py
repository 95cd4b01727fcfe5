"""Reading a request body within its limit, and reading JSON from it strictly."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.types import Receive

from akmatori_server.errors import ApiError, BadRequest, TooLarge

JSON_LIMIT = 1024 * 1024
RAW_LIMIT = 10 * 1024 * 1024

# orjson reads 1024 levels but writes only 254; what cannot be written again must not be taken in.
DEEPEST = 100
SMALLEST_INTEGER = -(2**63)
LARGEST_INTEGER = 2**64 - 1

# Only a body that holds this many digits in a row can hold an integer beyond 64 bits, which orjson silently
# reads as a float; only such a body is read a second time.
_LONG_NUMBER = re.compile(rb"[0-9]{19}")


async def read_body(headers: Mapping[str, str], receive: Receive, limit: int) -> bytes:
    """Read the whole body.

    Raises:
        TooLarge: it has, or announces, more than `limit` bytes.
        BadRequest: the client went away before its end.
    """
    announced = headers.get("content-length", "")
    if announced.isdigit() and (len(announced) > 18 or int(announced) > limit):
        raise _too_large(limit)
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The connection closed before the end of the body.")
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def parse_json(raw: bytes) -> Any:
    """Read JSON, refusing what cannot be stored and answered again unchanged.

    Raises:
        BadRequest: malformed JSON or UTF-8, NUL characters, unpaired surrogates, integers beyond 64 bits,
            NaN, or more than 100 levels.
    """
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"The body is not valid JSON: {error}.") from None
    # Counting is cheap and an upper bound of the depth; most bodies never reach the exact look.
    if raw.count(b"[") + raw.count(b"{") > DEEPEST:
        _refuse_deep(value)
    if b"\\u0000" in raw:
        _refuse_nul(value)
    if _LONG_NUMBER.search(raw):
        _refuse_long_integers(raw)
    return value


def _too_large(limit: int) -> ApiError:
    return TooLarge(f"The body may hold {limit} bytes at most.")


def _refuse_deep(value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(DEEPEST + 1):
        level = [child for item in level for child in _children(item)]
        if not level:
            return
    raise BadRequest(f"The body is nested deeper than {DEEPEST} levels.")


def _children(item: Any) -> list[Any]:
    if isinstance(item, dict):
        return list(item.values())  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # JSON
    if isinstance(item, list):
        return item  # pyright: ignore[reportUnknownVariableType]  # JSON
    return []


def _refuse_nul(value: Any) -> None:
    rest: list[Any] = [value]
    while rest:
        item = rest.pop()
        texts = list(item) if isinstance(item, dict) else [item]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # JSON
        if any(isinstance(text, str) and "\x00" in text for text in texts):  # pyright: ignore[reportUnknownVariableType]  # JSON
            raise BadRequest("The body holds a NUL character, which cannot be stored.")
        rest.extend(_children(item))


def _refuse_long_integers(raw: bytes) -> None:
    def check(digits: str) -> int:
        if len(digits) > 20 or not SMALLEST_INTEGER <= int(digits) <= LARGEST_INTEGER:
            raise BadRequest("The body holds an integer of more than 64 bits.")
        return 0

    json.loads(raw, parse_int=check)

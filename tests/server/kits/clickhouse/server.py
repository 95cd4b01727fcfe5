"""A server that answers as ClickHouse's HTTP interface does, with what a real ClickHouse 26.9 answered."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

import attrs
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tests.support.running import serve

NUMBERS: dict[str, Any] = {
    "meta": [
        {"name": "n", "type": "UInt64"},
        {"name": "big", "type": "Nullable(Int64)"},
        {"name": "f", "type": "Float64"},
        {"name": "s", "type": "String"},
        {"name": "a", "type": "Array(UInt8)"},
        {"name": "x", "type": "UInt256"},
    ],
    "data": [["18446744073709551615", None, "nan", "hello", [1, 2], "12345678901234567890123"]],
    "rows": 1,
}
PARTS: dict[str, Any] = {
    "meta": [{"name": "partition", "type": "String"}, {"name": "rows", "type": "UInt64"}],
    "data": [["tuple()", "1"]],
    "rows": 1,
}
READONLY = (
    "Code: 164. DB::Exception: default: Cannot execute query in readonly mode. (READONLY) (version 26.9.2.1)"
)
LOCKED = (
    "Code: 164. DB::Exception: Cannot modify '%s' setting in readonly mode. (READONLY) (version 26.9.2.1)"
)
UNKNOWN = (
    "Code: 60. DB::Exception: Unknown table expression identifier 'nothing'. In scope SELECT * FROM nothing."
    " (UNKNOWN_TABLE) (version 26.9.2.1 (official build))\n"
)
TIMEOUT = "Code: 159. DB::Exception: Timeout exceeded: elapsed 5.1 seconds, maximum: 5. (TIMEOUT_EXCEEDED)"
AUTHENTICATION = (
    "Code: 516. DB::Exception: default: Authentication failed: password is incorrect, or there is no user with such"
    " name. (AUTHENTICATION_FAILED) (version 26.9.2.1)"
)
ANSWERS = {
    "nothing": (404, UNKNOWN),
    "url(": (500, READONLY),
    "slowly": (500, TIMEOUT),
    "nonsense": (200, "<html>"),
}


@attrs.define
class Fake:
    """What it was asked, and what it answers."""

    url: str = ""
    asked: list[tuple[str, dict[str, str], dict[str, str]]] = attrs.field(factory=list)
    # Settings that the user's profile does not let be changed.
    locked: set[str] = attrs.field(factory=set[str])

    def answer(self, text: str, query: dict[str, str], headers: dict[str, str]) -> tuple[int, str]:
        """Answer as the server would."""
        self.asked.append((text, query, headers))
        if headers.get("x-clickhouse-key") != "pass-word":
            return 403, f"{AUTHENTICATION} {headers.get('x-clickhouse-key')}"
        for name in sorted(self.locked & set(query)):
            return 500, LOCKED % name
        for word, answer in ANSWERS.items():
            if word in text:
                return answer
        if "many" in text:
            rows = [[1]] * (int(query["max_result_rows"]) + 20)
            return 200, json.dumps({"meta": [{"name": "n", "type": "UInt8"}], "data": rows})
        parts = {**PARTS, "data": []} if query.get("param_table") == "missing" else PARTS
        return 200, json.dumps(parts if "system." in text else NUMBERS)


@contextmanager
def clickhouse() -> Generator[Fake]:
    """Yield a running server."""
    fake = Fake()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        request = Request(scope, receive)
        text = (await request.body()).decode()
        status, body = fake.answer(text, dict(parse_qsl(str(request.url.query))), dict(request.headers))
        await Response(body, status_code=status)(scope, receive, send)

    with serve(app) as base:
        fake.url = base
        yield fake

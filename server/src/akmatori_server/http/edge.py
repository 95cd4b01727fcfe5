"""The outermost layer: request ids, the headers of every answer, the shape of every error, the access log."""

from __future__ import annotations

import random
import re
import secrets
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from akmatori_server.http.exchange import KEY, Exchange
from akmatori_server.http.failures import Renderer, encode_failure, failure_from

CAPABILITIES = b"idempotency-key, cursor"
_SANE_ID = re.compile(rb"[!-~]{1,128}")
_log = structlog.stdlib.get_logger("akmatori_server.http")
# Request ids must differ, not be secret: asking the system for each would give up the interpreter's lock.
_ids = random.Random(secrets.randbits(256))  # noqa: S311


def _new_id() -> str:
    return str(uuid.UUID(int=_ids.getrandbits(128), version=4))


class Observer(Protocol):
    """Told about every answered request."""

    def __call__(self, *, operation: str, method: str, status: int, seconds: float) -> None:
        """Count one request."""
        ...


class Edge:
    """Wraps the whole application; nothing it lets out has another shape than the contract's."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        renderers: Sequence[tuple[str, Renderer]],
        observe: Observer,
        new_id: Callable[[], str] = _new_id,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Take renderers as (path prefix, renderer); the longest prefix wins, so "/" catches the rest."""
        self._app = app
        self._renderers = sorted(renderers, key=lambda pair: len(pair[0]), reverse=True)
        self._observe = observe
        self._new_id = new_id
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(request_id=self._request_id(scope))
        scope[KEY] = exchange
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=exchange.request_id)
        begun = self._clock()
        marking = _Marking(send, exchange)
        try:
            await self._app(scope, receive, marking)
        except Exception as error:  # noqa: BLE001  the process edge: logged with its trace, answered with its number
            await self._fail(error, scope, marking, exchange)
        finally:
            self._report(scope, exchange, self._clock() - begun)

    def _request_id(self, scope: Scope) -> str:
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _SANE_ID.fullmatch(value):
                text: str = value.decode("ascii")
                return text
        return self._new_id()

    async def _fail(self, error: Exception, scope: Scope, send: _Marking, exchange: Exchange) -> None:
        failure = failure_from(error, exchange.request_id)
        if failure.unexpected:
            _log.error("request_failed", operation=exchange.operation, status=failure.status, exc_info=error)
        if send.begun:
            # The status is out already; cutting the connection is the only way left to tell.
            raise error
        path: str = scope["path"]
        render = next(render for prefix, render in self._renderers if path.startswith(prefix))
        body, headers = encode_failure(failure, render)
        await send({"type": "http.response.start", "status": failure.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _report(self, scope: Scope, exchange: Exchange, seconds: float) -> None:
        self._observe(
            operation=exchange.operation, method=scope["method"], status=exchange.status, seconds=seconds
        )
        _log.info(
            "request",
            method=scope["method"],
            path=scope["path"][:200],
            operation=exchange.operation,
            status=exchange.status,
            caller=exchange.caller,
            milliseconds=round(seconds * 1000, 1),
        )


class _Marking:
    """A `send` that adds the headers every answer carries, and notes the status."""

    def __init__(self, send: Send, exchange: Exchange) -> None:
        self._send = send
        self._exchange = exchange
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            self._exchange.status = message["status"]
            headers: list[tuple[bytes, bytes]] = list(message.get("headers", ()))
            headers += [
                (b"x-request-id", self._exchange.request_id.encode("ascii")),
                (b"akmatori-capabilities", CAPABILITIES),
                (b"x-content-type-options", b"nosniff"),
                (b"x-frame-options", b"DENY"),
                (b"referrer-policy", b"no-referrer"),
            ]
            message = {**message, "headers": headers}
        await self._send(message)

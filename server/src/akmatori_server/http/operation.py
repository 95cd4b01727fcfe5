"""One operation, compiled: scope check, body, parameters, the handler's call, the answer's bytes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, TypeGuard, cast

import attrs
import orjson
import structlog
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from akmatori_sdk._core.errors import DecodeError
from akmatori_sdk._core.model import UNSET
from akmatori_server.errors import (
    ApiError,
    BadRequest,
    Forbidden,
    NotInThisVersion,
    TooLarge,
    Unauthorized,
    UnsupportedMediaType,
)
from akmatori_server.http import call as calls
from akmatori_server.http.binding import Binding
from akmatori_server.http.body import JSON_LIMIT, RAW_LIMIT, parse_json, read_body
from akmatori_server.http.exchange import exchange_of, lower_headers
from akmatori_server.http.file_answer import send_file
from akmatori_server.http.form_reader import FormReader
from akmatori_server.http.parameters import ParameterReader
from akmatori_server.http.responses import ResponseCheck
from akmatori_server.http.schema import Validator
from akmatori_server.http.stream_answer import send_stream

_log = structlog.stdlib.get_logger("akmatori_server.http")

JSON = "application/json"
# Statuses whose answers have no body.
EMPTY = frozenset({204, 304})
DUMP_OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z
# Digits of an announced length that are believed: more is no length of anything.
LONGEST_NUMBER = 18
_RANK = {calls.Scope.READ: 1, calls.Scope.WRITE: 2, calls.Scope.ADMIN: 3}


@attrs.frozen
class Reply:
    """An answer, ready to send."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


_Result: TypeAlias = "Reply | calls.FileAnswer | calls.StreamAnswer[Any]"


class Operation:
    """An ASGI application that answers one operation of the specification."""

    def __init__(
        self,
        binding: Binding,
        handler: Callable[..., Any] | None,
        specified: Mapping[str, Any],
        parameters: list[Mapping[str, Any]],
        *,
        check_responses: bool,
        spool_directory: Path | None = None,
        on_too_large: Callable[..., None] | None = None,
    ) -> None:
        self._binding = binding
        self._handler = handler
        # Hears of the bodies the handler never sees; see `resolve_listeners`.
        self._on_too_large = on_too_large
        self._is_async = inspect.iscoroutinefunction(handler)
        schemas = {(str(p["in"]), str(p["name"])): p.get("schema", {}) for p in parameters}
        self._parameters = ParameterReader(binding.params, schemas)
        content: Mapping[str, Any] = specified.get("requestBody", {}).get("content", {})
        self._body = Validator(content.get(JSON, {}).get("schema", {})) if binding.body == "json" else None
        self._form = _form_reader(binding, specified, spool_directory)
        usual = RAW_LIMIT if binding.body == "raw" else JSON_LIMIT
        self._limit: int = specified.get("x-max-bytes", usual)
        self._check = ResponseCheck(binding.id, specified.get("responses", {})) if check_responses else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        exchange = exchange_of(scope)
        caller = _caller(scope)
        exchange.caller = f"{caller.kind}:{caller.name}" if caller.name else caller.kind
        self._authorise(caller)
        if self._handler is None:
            raise NotInThisVersion(self._binding.id)
        headers = lower_headers(scope)
        call = calls.Call(
            caller=caller,
            request_id=exchange.request_id,
            headers=headers,
            remote=scope["client"][0] if scope.get("client") else "",
            base_url=_base_url(scope, headers),
        )
        if self._form is not None:
            async with self._form.read(headers, receive) as form:
                result = await self._run(call, scope, lambda: form)
        else:
            raw: bytes | None = None
            if self._binding.body is not None:
                self._refuse_media_type(headers)
                raw = await self._read_raw(call, scope, receive)
            result = await self._run(call, scope, None if raw is None else partial(self._read, raw))
        if isinstance(result, calls.FileAnswer):
            await send_file(scope, send, headers, result)
            return
        if isinstance(result, calls.StreamAnswer):
            await send_stream(scope, receive, send, result, self._event)
            return
        await send({"type": "http.response.start", "status": result.status, "headers": result.headers})
        body = b"" if scope["method"] == "HEAD" else result.body
        await send({"type": "http.response.body", "body": body})

    async def _read_raw(self, call: calls.Call, scope: Scope, receive: Receive) -> bytes:
        try:
            return await read_body(call.headers, receive, self._limit)
        except TooLarge as error:
            if self._on_too_large is not None:
                # It may write to the database, which the event loop must not wait for.
                await run_in_threadpool(self._tell, call, scope, error)
            raise

    def _tell(self, call: calls.Call, scope: Scope, error: TooLarge) -> None:
        listener = cast("Callable[..., None]", self._on_too_large)
        announced = call.headers.get("content-length", "")
        size = int(announced) if announced.isdecimal() and len(announced) <= LONGEST_NUMBER else 0
        try:
            listener(
                call, error, size=max(size, self._limit + 1), **self._arguments(scope, call.headers, None)
            )
        except ApiError as refusal:
            # Nothing has this path, or the parameters are wrong: there is nobody to tell.
            _log.debug("too_large_not_told", operation=self._binding.id, reason=refusal.code)
        except Exception:  # noqa: BLE001  whatever the listener raises, the answer is 413
            # Telling is a side of the answer, never the answer.
            _log.exception("too_large_not_told", operation=self._binding.id)

    async def _run(self, call: calls.Call, scope: Scope, body: Callable[[], Any] | None) -> _Result:
        handler = cast("Callable[..., Any]", self._handler)
        if self._is_async:
            return self._reply(await handler(call, **self._arguments(scope, call.headers, body)))
        # Parsing and encoding happen beside the handler, off the event loop: a big body blocks nobody.
        return await run_in_threadpool(
            lambda: self._reply(handler(call, **self._arguments(scope, call.headers, body)))
        )

    def _authorise(self, caller: calls.Caller) -> None:
        needed = self._binding.scope
        if needed is None:
            return
        if caller.scope is None:
            # The specification's security has let an anonymous call through: refuse it all the same.
            raise Unauthorized
        if _RANK[caller.scope] < _RANK[needed]:
            raise Forbidden(f"This credential has the scope {caller.scope}; the operation needs {needed}.")

    def _refuse_media_type(self, headers: Mapping[str, str]) -> None:
        if self._binding.body != "json":
            return
        media_type = headers.get("content-type", JSON).partition(";")[0].strip().lower()
        if media_type in {JSON, ""} or (
            media_type.startswith("application/") and media_type.endswith("+json")
        ):
            return
        raise UnsupportedMediaType("Send application/json.")

    def _arguments(
        self, scope: Scope, headers: Mapping[str, str], body: Callable[[], Any] | None
    ) -> dict[str, Any]:
        arguments = self._parameters.read(scope["path_params"], scope["query_string"], headers)
        if body is not None:
            arguments["body"] = body()
        return arguments

    def _read(self, raw: bytes) -> Any:
        return raw if self._binding.body == "raw" else self._json_body(raw)

    def _json_body(self, raw: bytes) -> Any:
        if not raw.strip():
            if self._binding.body_required:
                raise BadRequest("This operation needs a JSON body.")
            return UNSET
        value = parse_json(raw)
        if value is None:
            # The product reads a top-level null as an object without members.
            value = cast("Any", {})
        if self._body is not None:
            self._body.check(value)
        decode = self._binding.decode_body
        try:
            return value if decode is None else decode(value)
        except DecodeError as error:
            # The schema allows what Python's types cannot hold, such as a leap second.
            raise BadRequest(f"The body cannot be read: {error}") from None

    def _event(self, event: Any) -> bytes:
        data = self._encoded(event)
        if self._check is not None:
            self._check.check_event(data)
        return data

    def _reply(self, result: Any) -> _Result:
        if isinstance(result, calls.FileAnswer):
            return result
        if _is_stream(result):
            return result
        answer: calls.Answer[Any] = result if _is_answer(result) else calls.Answer(result)
        status = answer.status or self._binding.success
        given = {name.lower(): text for name, text in answer.headers.items()}
        body = b"" if status in EMPTY else self._encoded(answer.body)
        if status not in EMPTY:
            given.setdefault("content-type", self._binding.media_type or JSON)
            given["content-length"] = str(len(body))
        if self._check is not None:
            self._check.check(status, body)
        headers = [(name.encode("latin-1"), text.encode("latin-1")) for name, text in given.items()]
        return Reply(status, headers, body)

    def _encoded(self, body: Any) -> bytes:
        encode = self._binding.encode
        if encode is not None:
            return orjson.dumps(encode(body), option=DUMP_OPTIONS)
        if body is None:
            return b""
        return body.encode() if isinstance(body, str) else bytes(body)


def _is_stream(result: Any) -> TypeGuard[calls.StreamAnswer[Any]]:
    return isinstance(result, calls.StreamAnswer)


def _is_answer(result: Any) -> bool:
    return isinstance(result, calls.Answer)


def _form_reader(binding: Binding, specified: Mapping[str, Any], directory: Path | None) -> FormReader | None:
    if binding.body != "multipart" or binding.decode_body is None:
        return None
    return FormReader(specified, binding.decode_body, directory=directory)


def _caller(scope: Scope) -> calls.Caller:
    """Who connexion's security let in; public operations are called anonymously."""
    context: dict[str, Any] = scope.get("extensions", {}).get("connexion_context", {})
    caller: calls.Caller = context.get("token_info", {}).get("caller", calls.ANONYMOUS)
    return caller


def _base_url(scope: Scope, headers: Mapping[str, str]) -> str:
    host = headers.get("host", "")
    if not host or not all(letter.isalnum() or letter in ".-:[]_" for letter in host):
        server = scope.get("server") or ("localhost", None)
        host = f"{server[0]}:{server[1]}" if server[1] else str(server[0])
    return f"{scope['scheme']}://{host}"

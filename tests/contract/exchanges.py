"""Every HTTP exchange of the suite, held against the specification by a second, independent implementation.

The server checks its own answers with jsonschema-rs; this module looks at what really crossed the wire, with
openapi-core: each answer in any case, and each request that the server accepted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import attrs
import httpx
import orjson
import pytest
from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.exceptions import OpenAPIError
from openapi_core.templating.paths.exceptions import PathNotFound
from openapi_schema_validator import OAS30Validator, oas30_format_checker
from werkzeug.datastructures import MultiDict

from akmatori_sdk._core.sse import EventDecoder

GENERATED = Path(__file__).parents[2] / "server/src/akmatori_server/_generated"
# The last one answers YAML, which openapi-core would read as JSON; tests of the docs compare its bytes.
BEYOND_ANY_SPECIFICATION = ("/metrics", "/api/docs/", "/api/openapi.yaml")
# Garbage in these falls back to the default (`x-lenient`): the one promise a schema cannot express.
LENIENT = ("page", "per_page")


@attrs.define
class Exchanges:
    """The servers that are watched, and what was found wrong since the last look."""

    base_urls: set[str] = attrs.field(factory=set)
    wrong: list[str] = attrs.field(factory=list)

    def watch(self, base_url: str) -> None:
        """Check every exchange with the server at `base_url` from now on."""
        self.base_urls.add(base_url.rstrip("/"))

    def leave(self, base_url: str) -> None:
        """Look away: whoever gets this port next may be something else."""
        self.base_urls.discard(base_url.rstrip("/"))

    def is_watched(self, url: httpx.URL) -> bool:
        """Whether this exchange is to be checked: ours, and an operation of a specification."""
        # The root leads to the documentation.
        is_beyond = url.path == "/" or url.path.startswith(BEYOND_ANY_SPECIFICATION)
        return f"{url.scheme}://{url.netloc.decode()}" in self.base_urls and not is_beyond

    def check(self, request: httpx.Request, response: httpx.Response) -> None:
        """Note what is wrong with one finished exchange."""
        problem = violation(request, response)
        if problem:
            self.wrong.append(f"{request.method} {request.url.path} -> {response.status_code}: {problem}")


EXCHANGES = Exchanges()
"""What the whole suite shares: `watch()` a server as soon as its address is known."""


class _Request:
    """A request as openapi-core wants to see it."""

    def __init__(self, request: httpx.Request) -> None:
        self.host_url = f"{request.url.scheme}://{request.url.netloc.decode()}"
        self.path = request.url.path
        if "/webhook/" in self.path:
            # Webhooks are served below /api too, with or without a closing slash, and whatever the sender calls
            # their content; the specification says so in words.
            self.path = self.path.removeprefix("/api").rstrip("/")
        self.method = request.method.lower()
        self.content_type = request.headers.get("content-type", "application/json").lower()
        if self.path.startswith("/webhook/"):
            self.content_type = "application/json"
        self.body = request.read() or None
        headers = httpx.Headers(request.headers)
        scheme, _, key = headers.get("authorization", "").partition(" ")
        if scheme == "ApiKey":
            # OpenAPI 3.0 has no word for this spelling of the API key; the scheme's description names it.
            headers["x-api-key"] = key
        # Of a name that is there several times an array has all values, and anything else the first.
        query: MultiDict[str, str] = MultiDict(
            (name, value)
            for name, value in parse_qsl(request.url.query.decode(), keep_blank_values=True)
            if name not in LENIENT or self.path.startswith("/api/v1/")
        )
        self.parameters = RequestParameters(query=query, header=headers, cookie={}, path={})


class _Response:
    """A response as openapi-core wants to see it."""

    def __init__(self, response: httpx.Response) -> None:
        self.status_code = response.status_code
        self.content_type = response.headers.get("content-type", "").split(";")[0].lower()
        self.headers = response.headers
        self.data = response.content or None


@cache
def specification(name: str) -> OpenAPI:
    """Return one system's description, as the server loads it."""
    return OpenAPI.from_dict(orjson.loads((GENERATED / name / "openapi.json").read_bytes()))


def violation(request: httpx.Request, response: httpx.Response) -> str | None:
    """Say what in this exchange breaks the specification, or None."""
    openapi = specification("aotanami" if request.url.path.startswith("/api/v1/") else "akmatori")
    asked, answered = _Request(request), _Response(response)
    if request.method == "HEAD" or response.status_code == 304:
        return None
    try:
        openapi.validate_response(asked, answered)
        if response.status_code < 400:
            openapi.validate_request(asked)
    except PathNotFound:
        return _unknown_path(response)
    except OpenAPIError as error:
        if response.status_code == 405 and "OperationNotFound" in type(error).__name__:
            return _unknown_path(response)
        if response.status_code == 501 and response.json().get("code") == "not_implemented":
            # What stands on the server's pending list is refused in one place, before its contract begins.
            return None
        return f"{error}: {error.__cause__}"[:500]
    return None


def _unknown_path(response: httpx.Response) -> str | None:
    """An address in no specification must say so in the error shape, and as nothing but an error."""
    if response.status_code < 400:
        return "answered an address that is in no specification"
    body = orjson.loads(response.content)
    error = body.get("error")
    return None if isinstance(error, str | dict) else "an error without the error shape"


@contextmanager
def checked(exchanges: Exchanges) -> Generator[None]:
    """Look at everything httpx sends and receives, below any client."""
    sync_send, async_send = httpx.HTTPTransport.handle_request, httpx.AsyncHTTPTransport.handle_async_request

    def send(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        response = sync_send(self, request)
        if exchanges.is_watched(request.url):
            if _is_stream(response):
                return _looked_at(exchanges, request, response)
            response.read()
            exchanges.check(request, response)
        return response

    async def send_async(self: httpx.AsyncHTTPTransport, request: httpx.Request) -> httpx.Response:
        response = await async_send(self, request)
        if exchanges.is_watched(request.url):
            if _is_stream(response):
                return _looked_at(exchanges, request, response)
            await response.aread()
            exchanges.check(request, response)
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(httpx.HTTPTransport, "handle_request", send)
        patch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", send_async)
        yield


def _is_stream(response: httpx.Response) -> bool:
    return str(response.headers.get("content-type", "")).startswith("text/event-stream")


def _looked_at(exchanges: Exchanges, request: httpx.Request, response: httpx.Response) -> httpx.Response:
    """Return an answer without an end, each event of which is looked at as it passes."""
    response.stream = _Passing(exchanges, request, response.stream)
    return response


class _Passing(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of a stream of events, seen but not kept."""

    def __init__(self, exchanges: Exchanges, request: httpx.Request, stream: Any) -> None:
        self._exchanges = exchanges
        self._request = request
        self._stream = stream
        self._decoder = EventDecoder()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._stream:
            self._look(chunk)
            yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._look(chunk)
            yield chunk

    def close(self) -> None:
        self._stream.close()

    async def aclose(self) -> None:
        await self._stream.aclose()

    def _look(self, chunk: bytes) -> None:
        for event in self._decoder.feed(chunk):
            for error in event_validator().iter_errors(orjson.loads(event.data)):
                self._exchanges.wrong.append(
                    f"{self._request.method} {self._request.url.path}, event {event.id}: {error.message}"
                )


@cache
def event_validator() -> OAS30Validator:
    """Return what an event of Akmatori's stream must satisfy."""
    document = orjson.loads((GENERATED / "akmatori" / "openapi.json").read_bytes())
    # The references inside the schema are resolved against the document, which holds it.
    schema = {**document["components"]["schemas"]["Event"], "components": document["components"]}
    return OAS30Validator(schema, format_checker=oas30_format_checker)

"""A small made-up system, to test the HTTP layer without any domain."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import attrs
import sqlalchemy.exc

from akmatori_server.errors import ApiError, Conflict
from akmatori_server.http.binding import Binding, Parameter
from akmatori_server.http.call import Answer, Call, Caller, Pending, Scope
from akmatori_server.http.failures import Renderer, render_akmatori
from akmatori_server.http.security import Requested
from akmatori_server.http.system import System

ID = {"type": "integer", "minimum": 1, "maximum": 9007199254740991}
THING = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 20},
        "size": {"type": "integer", "nullable": True, "minimum": 0, "maximum": 100},
        "kind": {"type": "string", "enum": ["a", "b"]},
        "context": {"type": "object", "additionalProperties": True, "nullable": True},
    },
}


def operation(name: str, **more: Any) -> dict[str, Any]:
    """Return an operation object that documents 200 only."""
    return {"operationId": name, "tags": ["things"], "responses": {"200": {"description": "Done."}}, **more}


def json_body(schema: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    """Return a request body object."""
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def parameter(name: str, where: str, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a parameter object."""
    return {"name": name, "in": where, "schema": schema, "required": where == "path", **more}


DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Toy", "version": "1"},
    "servers": [{"url": "/"}],
    "security": [{"bearerAuth": []}, {"apiKeyAuth": []}],
    "components": {
        "schemas": {"Thing": THING},
        "securitySchemes": {
            "bearerAuth": {"type": "http", "scheme": "bearer"},
            "apiKeyAuth": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        },
    },
    "paths": {
        "/api/things": {
            "get": operation(
                "listThings",
                parameters=[
                    parameter("page", "query", {"type": "integer", "minimum": 1, "maximum": 1000000}),
                    parameter("per_page", "query", {"type": "integer", "minimum": 1, "maximum": 200}),
                    parameter("since", "query", {"type": "integer", "minimum": 0, "maximum": 4102444800}),
                    parameter("at", "query", {"type": "string", "format": "date-time"}),
                    parameter("q", "query", {"type": "string", "maxLength": 50}),
                    parameter("tag", "query", {"type": "array", "maxItems": 3, "items": {"type": "string"}}),
                    parameter("X-Label", "header", {"type": "string", "maxLength": 10}),
                ],
            ),
            "post": operation("createThing", requestBody=json_body({"$ref": "#/components/schemas/Thing"})),
        },
        "/api/things/{id}": {
            "get": operation("getThing", parameters=[parameter("id", "path", ID)]),
            "delete": {
                **operation("deleteThing", parameters=[parameter("id", "path", ID)]),
                "responses": {"204": {"description": "Gone."}},
            },
        },
        "/api/named/{uuid}": {
            "get": operation(
                "getNamed",
                parameters=[parameter("uuid", "path", {"type": "string", "format": "uuid", "maxLength": 36})],
            )
        },
        "/api/later": {"get": operation("later")},
        "/api/fail/{how}": {
            "get": operation(
                "fail", parameters=[parameter("how", "path", {"type": "string", "maxLength": 20})]
            )
        },
        "/api/thread": {"get": operation("thread")},
        "/api/loop": {"get": operation("loop")},
        "/webhook/alert/{uuid}": {
            "post": {
                **operation(
                    "hook", parameters=[parameter("uuid", "path", {"type": "string", "maxLength": 36})]
                ),
                "security": [],
            }
        },
        "/open": {"get": {**operation("open"), "security": []}},
    },
}


def binding(name: str, handler: str, method: str, path: str, scope: Scope | None, **more: Any) -> Binding:
    """Return a binding that answers plain JSON."""
    settings: dict[str, Any] = {"tag": "things", "success": 200, "encode": lambda value: value, **more}
    return Binding(id=name, handler=handler, method=method, path=path, scope=scope, **settings)


def query(name: str, kind: Any, **more: Any) -> Parameter:
    """Return a query parameter."""
    return Parameter(wire=name, name=name, where="query", kind=kind, **more)


IN_PATH = Parameter(wire="id", name="id", where="path", kind="integer", required=True)
UUID_IN_PATH = Parameter(wire="uuid", name="uuid", where="path", kind="string", required=True)
BINDINGS = (
    binding(
        "listThings",
        "list_things",
        "GET",
        "/api/things",
        Scope.READ,
        params=(
            query("page", "integer", lenient=True, default=1, minimum=1, maximum=1000000),
            query("per_page", "integer", lenient=True, default=50, minimum=1, maximum=200),
            query("since", "integer"),
            query("at", "datetime"),
            query("q", "string"),
            query("tag", "array"),
            Parameter(wire="X-Label", name="label", where="header", kind="string"),
        ),
    ),
    binding(
        "createThing",
        "create_thing",
        "POST",
        "/api/things",
        Scope.WRITE,
        body="json",
        body_required=True,
        decode_body=lambda value: value,
    ),
    binding("getThing", "get_thing", "GET", "/api/things/{id}", Scope.READ, params=(IN_PATH,)),
    binding(
        "deleteThing",
        "delete_thing",
        "DELETE",
        "/api/things/{id}",
        Scope.ADMIN,
        params=(IN_PATH,),
        encode=None,
        media_type=None,
        success=204,
    ),
    binding("getNamed", "get_named", "GET", "/api/named/{uuid}", Scope.READ, params=(UUID_IN_PATH,)),
    binding("later", "later", "GET", "/api/later", Scope.READ),
    binding(
        "fail",
        "fail",
        "GET",
        "/api/fail/{how}",
        Scope.READ,
        params=(Parameter(wire="how", name="how", where="path", kind="string", required=True),),
    ),
    binding("thread", "thread", "GET", "/api/thread", Scope.READ),
    binding("loop", "loop", "GET", "/api/loop", Scope.READ, is_async=True),
    binding(
        "hook",
        "hook",
        "POST",
        "/webhook/alert/{uuid}",
        None,
        params=(UUID_IN_PATH,),
        body="raw",
        encode=None,
        media_type="text/plain",
    ),
    binding("open", "open", "GET", "/open", None),
)


class Things:
    """Handlers that tell what reached them."""

    def __init__(self) -> None:
        self.stored: list[Any] = []

    def list_things(self, call: Call, /, **arguments: Any) -> dict[str, str]:
        """Echo the arguments."""
        return {"caller": call.caller.name, **{name: repr(value) for name, value in arguments.items()}}

    def create_thing(self, _call: Call, /, *, body: Any) -> Any:
        """Store what came."""
        self.stored.append(body)
        return body

    def get_thing(self, _call: Call, /, *, id: int) -> dict[str, int]:  # noqa: A002  the contract's name
        """Echo the id."""
        return {"id": id}

    def delete_thing(self, _call: Call, /, *, id: int) -> None:  # noqa: A002  the contract's name
        """Note the deletion."""
        self.stored.append(("deleted", id))

    def get_named(self, _call: Call, /, *, uuid: str) -> dict[str, str]:
        """Echo the uuid."""
        return {"uuid": uuid}

    def fail(self, _call: Call, /, *, how: str) -> Answer[dict[str, str]]:
        """Fail as asked."""
        if how == "conflict":
            raise Conflict("It is there already.", details={"name": "x" * 900})
        if how == "database":
            raise sqlalchemy.exc.OperationalError("SELECT secret", {}, RuntimeError("host db-1 is down"))
        if how == "teapot":
            return Answer({"a": "b"}, headers={"ETag": '"1"'}, status=200)
        if how == "undocumented":
            return Answer({"a": "b"}, status=203)
        raise RuntimeError("postgres://user:hunter2@db/")

    def thread(self, call: Call, /) -> dict[str, str]:
        """Tell the thread's name."""
        return {"thread": threading.current_thread().name, "base_url": call.base_url, "remote": call.remote}

    async def loop(self, _call: Call, /) -> dict[str, str]:
        """Tell the thread's name."""
        return {"thread": threading.current_thread().name}

    def hook(self, _call: Call, /, *, uuid: str, body: bytes) -> str:
        """Tell what came."""
        return f"{uuid} {len(body)}"

    def hook_too_large(self, call: Call, error: ApiError, /, *, size: int, uuid: str) -> None:
        """Note what was too large to be read, or break over it."""
        self.stored.append((uuid, size, error.status, call.headers.get("content-length", "")))
        if uuid == "broken":
            raise RuntimeError("A listener broke.")

    def open(self, call: Call, /) -> dict[str, str]:
        """Tell who called."""
        return {"caller": call.caller.kind}


@attrs.frozen(kw_only=True)
class ToyHandlers:
    """As the generated record of handlers."""

    things: Things | Pending


def toy_system(
    things: Things | Pending,
    *,
    pending: frozenset[str] = frozenset({"later"}),
    base_path: str = "/",
    name: str = "toy",
    render_error: Renderer = render_akmatori,
) -> System:
    """Return the toy, ready to serve."""
    return System(
        name=name,
        document={**DOCUMENT, "servers": [{"url": base_path}]},
        bindings=BINDINGS,
        handlers=ToyHandlers(things=things),
        pending=pending,
        render_error=render_error,
    )


class Keys:
    """An authenticator with a fixed list."""

    def __init__(self, known: dict[str, Scope]) -> None:
        self.known = known
        self.failure: Callable[[], Exception] | None = None

    async def authenticate(self, credential: str, _requested: Requested, /) -> Caller | None:
        """Look the credential up."""
        if self.failure is not None:
            raise self.failure()
        scope = self.known.get(credential)
        return None if scope is None else Caller(kind="api_key", name=credential, scope=scope)

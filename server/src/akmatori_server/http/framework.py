"""Our classes in connexion's places: compiled routing, and operations that are bound to typed handlers.

Connexion loads and checks the specifications, builds the stack and enforces their security; routing,
validation and binding are compiled at start, which costs a tenth of its stock classes per request. The
classes extended here are importable but not a promised interface, hence the exact pin of connexion.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import jsonschema_rs
from starlette.types import ASGIApp, Receive, Scope, Send

from akmatori_server.http.connexion_names import (
    API,
    ROUTING_CONTEXT,
    ConnexionMiddleware,
    InvalidSpecification,
    LifespanMiddleware,
    OpenAPISpecification,
    Resolver,
    RoutedAPI,
    RoutedMiddleware,
    SecurityMiddleware,
    SpecMiddleware,
)
from akmatori_server.http.exchange import exchange_of
from akmatori_server.http.operation import Operation
from akmatori_server.http.routing import Router, Target
from akmatori_server.http.security import Authenticator, security_map
from akmatori_server.http.system import System, resolve_handlers, resolve_listeners

_METHODS = frozenset({"get", "put", "post", "delete", "patch", "head"})

Lifespan = Callable[[Any], AbstractAsyncContextManager[None]]


class CheckedSpecification(OpenAPISpecification):  # type: ignore[misc]  # connexion has no types
    """A specification, checked by a compiled validator: connexion's own takes a second, twice at each start."""

    @classmethod
    def _validate_spec(cls, spec: Any) -> None:
        fault = next(_validator().iter_errors(spec), None)
        if fault is not None:
            place = "/".join(str(step) for step in fault.instance_path)
            raise InvalidSpecification(f"{place}: {fault.message}")


@lru_cache(maxsize=1)
def _validator() -> Any:
    return jsonschema_rs.Draft4Validator(OpenAPISpecification.openapi_schema)


class CompiledRouting(SpecMiddleware):  # type: ignore[misc]  # connexion has no types
    """Finds the operation of a request; answers OPTIONS itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._router = Router()

    def add_api(self, specification: Any, **options: Any) -> None:
        """Register the paths of one specification."""
        base_path: str = options.get("base_path") or specification.base_path
        for path, item in specification["paths"].items():
            for method in item.keys() & _METHODS:
                target = Target(base_path, item[method]["operationId"])
                self._router.add(method, base_path + path, target)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = canonical_path(scope["path"])
        if scope["method"] == "OPTIONS":
            allow = self._router.allow(path).encode()
            headers = [(b"allow", allow), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        match = self._router.find(scope["method"], path)
        exchange_of(scope).operation = match.target.label
        routed = dict(scope)
        routed["path_params"] = match.params
        routed["extensions"] = {
            **(scope.get("extensions") or {}),
            ROUTING_CONTEXT: {
                "api_base_path": match.target.base_path,
                "operation_id": match.target.operation_id,
            },
        }
        await self._app(routed, receive, send)


class BoundAPI(RoutedAPI):  # type: ignore[misc]  # connexion has no types
    """The operations of one specification, each bound to its handler."""

    def __init__(
        self,
        specification: Any,
        *args: Any,
        operations: Callable[[str, Any], Operation],
        **options: Any,
    ) -> None:
        cast("Any", super()).__init__(specification, *args, **options)
        self._operations = operations
        self.add_paths()

    def make_operation(self, operation: Any) -> Operation:
        """Compile one operation."""
        return self._operations(operation.operation_id, operation)


class BoundApp(RoutedMiddleware):  # type: ignore[misc]  # connexion has no types
    """The innermost application: every routed request ends in one of its operations."""

    api_cls = BoundAPI

    def __init__(self) -> None:
        super().__init__(_nowhere)


def build_api(
    systems: list[System],
    *,
    authenticator: Authenticator,
    lifespan: Lifespan | None,
    check_responses: bool,
    spool_directory: Path | None = None,
) -> ASGIApp:
    """Build the whole stack at once, so that a fault in a specification or a missing handler stops the start.

    Raises:
        IncompleteSystem: operations and handlers do not fit.
    """
    app: Any = ConnexionMiddleware(
        BoundApp(),
        import_name="akmatori_server",
        lifespan=lifespan or _nothing,
        middlewares=cast("Any", [CompiledRouting, SecurityMiddleware, LifespanMiddleware]),
        security_map=security_map(authenticator),
    )
    for system in systems:
        handlers = resolve_handlers(system)
        compiler = _compiler(
            system, handlers, check_responses=check_responses, spool_directory=spool_directory
        )
        # What `add_api` does, which would read the specification with its own class.
        options = app.options.replace(resolver=Resolver(_resolve))
        specification = CheckedSpecification(_copied(system.document))
        app.apis.append(
            API(specification, base_path=system.base_path, **options.__dict__, operations=compiler)
        )
    # Connexion would build its stack at the first request, and fail there; it has no public way to do it now.
    app.app, app.middleware_stack = app._build_middleware_stack()
    return cast("ASGIApp", app)


def canonical_path(path: str) -> str:
    """Map the spellings the contract tolerates: webhooks below /api too, and with one closing slash."""
    if path.startswith("/api/webhook/"):
        path = path[len("/api") :]
    if path.startswith("/webhook/") and path.endswith("/"):
        path = path[:-1]
    return path


def _compiler(
    system: System,
    handlers: Mapping[str, Callable[..., Any] | None],
    *,
    check_responses: bool,
    spool_directory: Path | None,
) -> Callable[[str, Any], Operation]:
    bindings = {binding.id: binding for binding in system.bindings}
    listeners = resolve_listeners(system)

    def compile_operation(operation_id: str, operation: Any) -> Operation:
        return Operation(
            bindings[operation_id],
            handlers[operation_id],
            # The operation's object with every reference resolved; connexion has no public name for it.
            operation._operation,
            list(operation.parameters),
            check_responses=check_responses,
            spool_directory=spool_directory,
            on_too_large=listeners.get(operation_id),
        )

    return compile_operation


def _copied(document: Mapping[str, Any]) -> dict[str, Any]:
    """Connexion completes and resolves the document in place; ours is also what is served."""
    return {key: _copy(value) for key, value in document.items()}


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list):
        return [_copy(item) for item in cast("list[object]", value)]
    return value


@asynccontextmanager
async def _nothing(_app: object) -> AsyncGenerator[None]:
    """The lifespan of an application that starts nothing."""
    yield


def _resolve(_operation_id: str) -> ASGIApp:
    """Connexion wants a function per operation; ours are found by operationId when they are compiled."""
    return _nowhere


async def _nowhere(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Never reached: routing has refused what belongs to no operation."""
    raise LookupError("A request left the routing without an operation.")

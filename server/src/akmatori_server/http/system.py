"""One system: a specification, the generated table of its operations, and the handlers that answer them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from akmatori_server.http.binding import Binding
from akmatori_server.http.call import Pending
from akmatori_server.http.failures import Renderer


class IncompleteSystem(Exception):  # noqa: N818  it names the state it reports, not an error of the caller
    """Specification, operation table, handlers and pending list do not fit; the server must not start."""


@attrs.frozen(kw_only=True)
class System:
    """What the HTTP layer needs to serve one specification."""

    name: str
    # The bundled OpenAPI document.
    document: Mapping[str, Any]
    bindings: tuple[Binding, ...]
    # The generated Handlers record: one field per tag, a handler object or Pending.
    handlers: object
    pending: frozenset[str]
    render_error: Renderer

    @property
    def base_path(self) -> str:
        """Where its paths begin: the path of the first server, without a closing slash."""
        servers: list[Mapping[str, str]] = self.document.get("servers") or [{"url": "/"}]
        return servers[0]["url"].rstrip("/")


def resolve_handlers(system: System) -> dict[str, Callable[..., Any] | None]:
    """Map every operationId to its handler's method, or to None where the operation is pending.

    Raises:
        IncompleteSystem: an operation has no handler and is not pending, or both, or tables disagree.
    """
    problems: list[str] = []
    found: dict[str, Callable[..., Any] | None] = {}
    for binding in system.bindings:
        method = _method(system.handlers, binding)
        if (method is None) == (binding.id not in system.pending):
            problems.append(
                f"{binding.id} has no handler"
                if method is None
                else f"{binding.id} has a handler but is pending"
            )
        if binding.id in found:
            problems.append(f"{binding.id} is bound twice")
        found[binding.id] = method
    specified = _operation_ids(system.document)
    problems += [f"{name} is pending but no operation" for name in sorted(system.pending - found.keys())]
    problems += [f"{name} is specified but not bound" for name in sorted(specified - found.keys())]
    problems += [f"{name} is bound but not specified" for name in sorted(found.keys() - specified)]
    if problems:
        raise IncompleteSystem(f"{system.name}: {'; '.join(problems)}.")
    return found


def resolve_listeners(system: System) -> dict[str, Callable[..., None]]:
    """Map the operationIds of raw operations to the method that hears of a body too large to be read.

    A handler is not called with such a body. Its object may have a method of the operation's name and
    `_too_large`, which is told about it: `receive_alert_too_large(call, error, /, *, size, uuid)`. It gets the
    call, the error that is answered, the bytes that were announced, and the operation's parameters. It runs in a
    thread and must be cheap, since nobody has looked at who sends; what it raises changes nothing.
    """
    found: dict[str, Callable[..., None]] = {}
    for binding in system.bindings:
        owner = getattr(system.handlers, _field(binding.tag), None)
        listener = getattr(owner, f"{binding.handler}_too_large", None)
        if binding.body == "raw" and listener is not None:
            found[binding.id] = listener
    return found


def _method(handlers: object, binding: Binding) -> Callable[..., Any] | None:
    owner = getattr(handlers, _field(binding.tag), None)
    if owner is None:
        raise IncompleteSystem(f"The handlers have no field for the tag {binding.tag}.")
    if isinstance(owner, Pending):
        return None
    method: Callable[..., Any] | None = getattr(owner, binding.handler, None)
    return method


def _field(tag: str) -> str:
    """The generated field of a tag: `apiKeys` is `api_keys`."""
    return (
        "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in tag)
        .replace("-", "_")
        .lstrip("_")
    )


def _operation_ids(document: Mapping[str, Any]) -> set[str]:
    paths: Mapping[str, Mapping[str, Any]] = document.get("paths", {})
    methods = {"get", "put", "post", "delete", "patch", "head"}
    return {
        str(operation["operationId"])
        for item in paths.values()
        for method, operation in item.items()
        if method in methods
    }

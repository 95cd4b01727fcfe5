"""Operations the runtime itself needs, and the one made of a path the specification does not know."""

from __future__ import annotations

from typing import Any

from akmatori_sdk._core.auth import LOGIN_PATH
from akmatori_sdk._core.errors import ConfigError
from akmatori_sdk._core.operation import Body, Operation, Reply

IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})


def raw_operation(method: str, path: str) -> Operation[Any]:
    """Return an operation for a path the specification does not know.

    Raises:
        ConfigError: the path is not from the host's root: a full address could take the credential elsewhere.
    """
    if not path.startswith("/") or path.startswith("//"):
        raise ConfigError("the path must begin with one slash: it is taken from the root of base_url")
    if "?" in path or "#" in path:
        raise ConfigError("the path must not hold a query: pass it as query=")
    method = method.upper()
    return Operation(
        id=f"{method} {path}",
        method=method,
        path=path,
        reply=Reply.JSON,
        decode=_same,
        idempotent=method in IDEMPOTENT_METHODS,
    )


def _same(value: Any) -> Any:
    return value


# A login that is repeated makes another token and changes nothing else, so it may go again like a GET.
LOGIN = Operation[Any](
    id="login",
    method="POST",
    path=LOGIN_PATH,
    reply=Reply.JSON,
    decode=_same,
    body=Body.JSON,
    idempotent=True,
    authenticated=False,
)


def health_operation(path: str) -> Operation[Any]:
    """Return the operation that asks a server for its health, to see what it says it can do."""
    return Operation[Any](
        id="health",
        method="GET",
        path=path,
        reply=Reply.BYTES,
        decode=_same,
        idempotent=True,
        authenticated=False,
    )

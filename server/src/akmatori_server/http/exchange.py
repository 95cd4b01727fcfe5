"""What the layers of one request tell each other: the outermost makes it, the inner ones fill it in."""

from __future__ import annotations

from typing import Any, cast

import attrs
from starlette.types import Scope

KEY = "akmatori.exchange"


@attrs.define(kw_only=True)
class Exchange:
    """One request and its answer, as the access log and the metrics see them."""

    request_id: str
    # The operationId once routing knows it; "" for paths that belong to none.
    operation: str = ""
    # Who called, for the log: kind and name, never a credential.
    caller: str = ""
    status: int = 0


def exchange_of(scope: Scope) -> Exchange:
    """Return the request's record."""
    return cast("Exchange", cast("dict[str, Any]", scope)[KEY])


def lower_headers(scope: Scope) -> dict[str, str]:
    """Return the request's headers with lower-case names; of a repeated one, the values joined by commas."""
    headers: dict[str, str] = {}
    raw: list[tuple[bytes, bytes]] = scope["headers"]
    for key, value in raw:
        name, text = key.decode("latin-1"), value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers

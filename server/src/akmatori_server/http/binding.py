"""The generated table's record: how one operation of the specification becomes a typed call of a handler."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import attrs

from akmatori_server.http.call import Scope


@attrs.frozen(kw_only=True)
class Parameter:
    """One path, query or header parameter. `name` is the handler's keyword, `wire` the name on the wire."""

    wire: str
    name: str
    where: Literal["path", "query", "header"]
    kind: Literal["integer", "number", "boolean", "string", "datetime", "array"]
    required: bool = False
    # Out of range or unreadable means the default (or the maximum), never an error.
    lenient: bool = False
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    # The enumeration's class, where the value is one of a named set.
    decode: Callable[[Any], Any] | None = None


@attrs.frozen(kw_only=True)
class Binding:
    """One operation: where it is, who may call it, how its body is read and its result written."""

    id: str
    tag: str
    handler: str
    method: str
    path: str
    scope: Scope | None
    success: int
    params: tuple[Parameter, ...] = ()
    body: Literal["json", "raw", "multipart"] | None = None
    body_required: bool = False
    decode_body: Callable[[Any], Any] | None = None
    # None where the operation answers nothing (204) or not JSON.
    encode: Callable[[Any], Any] | None = None
    media_type: str | None = "application/json"
    accepts_key: bool = False
    is_async: bool = False
    # The list answers a bare array when neither page nor per_page is given.
    bare_list: bool = False

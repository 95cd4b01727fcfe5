"""One record per operation of a specification: all that the two sending loops need to know about it."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import attrs

T = TypeVar("T")


class Body(enum.Enum):
    """How an operation carries its request body."""

    NONE = "none"
    JSON = "application/json"
    MULTIPART = "multipart/form-data"
    RAW = "application/octet-stream"


class Reply(enum.Enum):
    """What an operation answers with on success."""

    JSON = "json"
    EMPTY = "empty"
    TEXT = "text"
    BYTES = "bytes"
    EVENTS = "events"


@attrs.frozen(kw_only=True)
class Operation(Generic[T]):
    """One operation: the facts of the specification and the function that decodes its success body.

    `path` is the template from the host's root (`/api/incidents/{uuid}`); `decode` gets the parsed JSON, the
    text or the bytes, as `reply` says.
    """

    id: str
    method: str
    path: str
    reply: Reply
    decode: Callable[[Any], T]
    body: Body = Body.NONE
    success: frozenset[int] = frozenset({200})
    # Whether sending it twice does no more than sending it once (GET, HEAD, PUT, DELETE).
    idempotent: bool = False
    # Whether the specification lets the operation carry an `Idempotency-Key`.
    accepts_key: bool = False
    # Whether it needs a credential at all (login, health and the docs do not).
    authenticated: bool = True


@attrs.frozen(kw_only=True)
class PagedOperation(Operation[list[T]], Generic[T]):
    """An operation that answers one page of a list; `decode_item` decodes a single element.

    `decode` decodes a bare array, which some servers send in place of the envelope. `items` names the
    envelope's array. `page_info` names the envelope's paging object (`pagination` in Akmatori, `metadata` in
    Aotanami), and `cursor` the query parameter for keyset reading, or None where the operation has none.
    """

    decode_item: Callable[[Any], T]
    items: str
    page_info: str
    page_param: str
    size_param: str
    total_field: str
    cursor: str | None = None
    next_cursor: str | None = None
    identity: str | None = None


@attrs.frozen(kw_only=True)
class StreamOperation(Operation[T], Generic[T]):
    """An operation that answers server-sent events; `decode` gets the parsed JSON of one event's data.

    `resume` names the query parameter that says after which event to begin.
    """

    resume: str

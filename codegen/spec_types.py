"""A bundled specification as typed records: what the emitters need to know, checked once at the edge."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Literal

import attrs

Schema = Mapping[str, Any]


class Media(enum.Enum):
    """How a body travels; the names are those of `akmatori_sdk._core.operation`."""

    NONE = "NONE"
    JSON = "JSON"
    MULTIPART = "MULTIPART"
    RAW = "RAW"


class Answer(enum.Enum):
    """What an operation answers with; the names are those of `akmatori_sdk._core.operation.Reply`."""

    JSON = "JSON"
    EMPTY = "EMPTY"
    TEXT = "TEXT"
    BYTES = "BYTES"
    EVENTS = "EVENTS"


@attrs.frozen(kw_only=True)
class Param:
    """One parameter. `enum` names the schema of its (or its elements') enumeration."""

    wire: str
    # The keyword of the server's handler.
    name: str
    where: Literal["path", "query", "header"]
    kind: Literal["integer", "number", "boolean", "string", "datetime", "array"]
    item_kind: str | None
    enum: str | None
    enum_is_integer: bool
    required: bool
    lenient: bool
    default: Any
    minimum: float | None
    maximum: float | None
    description: str


@attrs.frozen(kw_only=True)
class FormField:
    """One part of a multipart body."""

    wire: str
    kind: Literal["file", "string", "integer", "boolean"]
    required: bool
    description: str


@attrs.frozen(kw_only=True)
class Body:
    """A request body: the schema's name for JSON, the parts of a form, or bytes as they are."""

    media: Media
    media_type: str
    required: bool
    schema: str | None = None
    form: tuple[FormField, ...] = ()
    description: str = ""


@attrs.frozen(kw_only=True)
class Paging:
    """The members of `x-paging`."""

    items: str
    info: str
    page: str
    size: str
    total: str
    cursor: str | None
    next: str | None
    id: str | None
    bare: bool
    default_size: int
    # The name of the schema of one element.
    item: str = ""


@attrs.frozen(kw_only=True)
class Stream:
    """The members of `x-stream`."""

    # The name of the schema of one event.
    event: str
    # The query parameter that says after which event to go on.
    resume: str


@attrs.frozen(kw_only=True)
class Operation:
    """One operation."""

    id: str
    tag: str
    resource: tuple[str, ...]
    verb: str
    method: str
    path: str
    summary: str
    description: str
    params: tuple[Param, ...]
    body: Body | None
    answer: Answer
    schema: str | None
    # The envelope's member that the SDK's method returns in place of the whole.
    unwrap: str | None
    media_type: str | None
    success: int
    statuses: tuple[int, ...]
    failures: tuple[tuple[int, str], ...]
    paging: Paging | None
    stream: Stream | None
    scope: str | None
    public: bool
    accepts_key: bool
    is_async: bool
    deprecated: bool


@attrs.frozen(kw_only=True)
class Tag:
    """One tag: a protocol on the server, most often one resource in the SDK."""

    name: str
    description: str


@attrs.frozen(kw_only=True)
class Api:
    """One specification. `schemas` are those that become models, `document` is all of it."""

    name: str
    title: str
    tags: tuple[Tag, ...]
    operations: tuple[Operation, ...]
    schemas: Mapping[str, Schema]
    document: Mapping[str, Any]

    def schema(self, name: str) -> Schema:
        """The schema of a name."""
        found: Schema = self.document["components"]["schemas"][name]
        return found

    def of_tag(self, tag: str) -> tuple[Operation, ...]:
        """The operations of one tag, in the specification's order."""
        return tuple(op for op in self.operations if op.tag == tag)

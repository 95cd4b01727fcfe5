"""What a handler gets beside its arguments, and what it may answer beside a plain body."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import BinaryIO, Generic, TypeVar

import attrs

T_co = TypeVar("T_co", covariant=True)

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Scope(enum.StrEnum):
    """What a credential may do; each includes the ones before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


@attrs.frozen(kw_only=True)
class Caller:
    """Who is calling. `kind` is user, api_key or anonymous; `name` is for the audit, never a secret."""

    kind: str
    name: str
    scope: Scope | None


ANONYMOUS = Caller(kind="anonymous", name="", scope=None)


@attrs.frozen(kw_only=True)
class Call:
    """One request, as a handler may see it. Header names are lower-case."""

    caller: Caller
    request_id: str
    headers: Mapping[str, str]
    remote: str
    base_url: str


@attrs.frozen
class Answer(Generic[T_co]):
    """A body with headers, or with another status than the operation's usual one."""

    body: T_co
    headers: Mapping[str, str] = NO_HEADERS
    status: int | None = None


@attrs.frozen(kw_only=True)
class FileAnswer(Answer[bytes]):
    """An open file as the answer: sent in pieces, or the part the caller asks for, and closed at the end.

    `Range`, `If-Range`, `If-None-Match` and `If-Modified-Since` are honoured, HEAD too. `etag` must change with
    every byte of the content.
    """

    body: bytes = b""
    content: BinaryIO = attrs.field(repr=False)
    size: int
    media_type: str
    # What a browser saves it as; ASCII without quotes.
    filename: str
    etag: str
    modified_at: datetime


class Pending:
    """Stands where the handlers of a tag will be; every operation of the tag answers 501 until then."""

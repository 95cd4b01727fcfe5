"""What a handler gets beside its arguments, and what it may answer beside a plain body."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator, Callable, Mapping
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


@attrs.frozen(kw_only=True)
class StreamMessage(Generic[T_co]):
    """One block of a stream of server-sent events: an event, or without data only what stands around events."""

    # The place a reader resumes from when this is the last it got.
    id: str | None = None
    event: str | None = None
    data: T_co | None = None
    # Milliseconds to wait before connecting again.
    retry: int | None = None
    comment: str | None = None


@attrs.frozen(kw_only=True)
class StreamAnswer(Generic[T_co]):
    """Server-sent events as the answer: sent one by one until there are no more, or the caller is gone.

    `close` is called once at the end, however it comes, even if `messages` was never asked for one.
    """

    messages: AsyncIterator[StreamMessage[T_co]]
    close: Callable[[], None]
    # Seconds that one message may wait for the caller to read; then the connection is cut.
    patience: float = 20.0


class Pending:
    """Stands where the handlers of a tag will be; every operation of the tag answers 501 until then."""

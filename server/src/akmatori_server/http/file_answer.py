"""Sending a file: whole, a part of it, or only that it has not changed (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

import attrs
from starlette.concurrency import run_in_threadpool
from starlette.types import Scope, Send

from akmatori_server.errors import ApiError
from akmatori_server.http.call import FileAnswer

CHUNK = 256 * 1024
# A position of more digits is beyond the end of any file.
_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))")


class RangeNotSatisfiable(ApiError):  # noqa: N818  named after the answer it becomes
    """The file has none of the bytes asked for."""

    status = 416
    default_code = "range_not_satisfiable"

    def __init__(self, size: int) -> None:
        super().__init__(f"The file has {size} bytes.", headers={"Content-Range": f"bytes */{size}"})


@attrs.frozen
class Part:
    """The bytes to send: where they begin, and how many."""

    start: int
    length: int


def is_unchanged(headers: Mapping[str, str], *, etag: str, modified_at: datetime) -> bool:
    """Whether the caller has the file already."""
    tags = headers.get("if-none-match")
    if tags is not None:
        # It alone decides when both are sent; a weak tag names the same bytes here.
        return tags.strip() == "*" or etag in {tag.strip().removeprefix("W/") for tag in tags.split(",")}
    since = _moment(headers.get("if-modified-since"))
    return since is not None and _seconds(modified_at) <= since


def requested_part(headers: Mapping[str, str], *, size: int, etag: str, modified_at: datetime) -> Part | None:
    """Return the part the caller asks for, None when the whole file is to be sent.

    Several parts at once, other units and malformed headers are answered with the whole file, as HTTP allows.

    Raises:
        RangeNotSatisfiable: the file ends before the part begins.
    """
    match = _RANGE.fullmatch(headers.get("range", "").replace(" ", "").lower())
    if match is None or not _is_current(headers.get("if-range"), etag, modified_at):
        return None
    first, last, suffix = match.groups()
    if suffix is not None:
        length = min(int(suffix), size)
        if length == 0:
            raise RangeNotSatisfiable(size)
        return Part(size - length, length)
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        return None
    if start >= size:
        raise RangeNotSatisfiable(size)
    return Part(start, end - start + 1)


async def send_file(scope: Scope, send: Send, headers: Mapping[str, str], answer: FileAnswer) -> None:
    """Answer a GET or HEAD with a file, and close it.

    Raises:
        RangeNotSatisfiable: the file ends before the part asked for begins.
    """
    with answer.content:
        shown = {
            "etag": answer.etag,
            "last-modified": format_datetime(answer.modified_at.astimezone(UTC), usegmt=True),
            "accept-ranges": "bytes",
            # Kept, but asked about each time: it may be gone, or the caller's credential may be.
            "cache-control": "private, no-cache",
            **{name.lower(): text for name, text in answer.headers.items()},
        }
        if is_unchanged(headers, etag=answer.etag, modified_at=answer.modified_at):
            await _start(send, 304, shown)
            await send({"type": "http.response.body", "body": b""})
            return
        part = requested_part(headers, size=answer.size, etag=answer.etag, modified_at=answer.modified_at)
        whole = Part(0, answer.size)
        shown["content-type"] = answer.media_type
        shown["content-disposition"] = f'attachment; filename="{answer.filename}"'
        shown["content-length"] = str((part or whole).length)
        if part is not None:
            shown["content-range"] = f"bytes {part.start}-{part.start + part.length - 1}/{answer.size}"
        await _start(send, 200 if part is None else 206, shown)
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        await _send_part(send, answer, part or whole)


async def _send_part(send: Send, answer: FileAnswer, part: Part) -> None:
    await run_in_threadpool(answer.content.seek, part.start)
    left = part.length
    while left:
        chunk = await run_in_threadpool(answer.content.read, min(CHUNK, left))
        if not chunk:
            # It was cut off while it was sent; the length is announced, so the connection must break.
            raise OSError("A file became shorter while it was sent.")
        left -= len(chunk)
        await send({"type": "http.response.body", "body": chunk, "more_body": left > 0})
    if part.length == 0:
        await send({"type": "http.response.body", "body": b""})


async def _start(send: Send, status: int, headers: Mapping[str, str]) -> None:
    raw = [(name.encode("latin-1"), text.encode("latin-1")) for name, text in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})


def _is_current(if_range: str | None, etag: str, modified_at: datetime) -> bool:
    if if_range is None:
        return True
    since = _moment(if_range)
    return if_range.strip() == etag if since is None else since == _seconds(modified_at)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _seconds(moment: datetime) -> datetime:
    """HTTP's dates have no fractions."""
    return moment - timedelta(microseconds=moment.microsecond)

"""Reading a multipart form while it arrives: files go to the disk piece by piece, nothing is held as a whole."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import attrs
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive

from akmatori_server.errors import BadRequest, TooLarge, UnsupportedMediaType
from akmatori_server.http.form import Part

if TYPE_CHECKING:
    # The library defines it for type checkers only.
    from python_multipart.multipart import MultipartCallbacks

MEDIA_TYPE = "multipart/form-data"
DEFAULT_CONTENT_TYPE = "text/plain"
# RFC 2046, 5.1.1.
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")


@attrs.frozen(kw_only=True)
class FormLimits:
    """How much of a form is read."""

    file_bytes: int = 10 * 1024 * 1024
    text_bytes: int = 64 * 1024
    parts: int = 20
    header_bytes: int = 8 * 1024
    # Beside the contents of files: texts, headers and boundaries.
    rest_bytes: int = 256 * 1024

    @property
    def whole(self) -> int:
        """The bytes of the largest body with one file."""
        return self.file_bytes + self.rest_bytes


@attrs.define
class _Open:
    """The part that is being read."""

    headers: dict[str, str] = attrs.field(factory=dict[str, str])
    name: str = ""
    filename: str | None = None
    size: int = 0
    text: bytearray = attrs.field(factory=bytearray)
    file: BinaryIO | None = None


class Form:
    """The parts of a form by name. Closing it throws its files away."""

    def __init__(self, limits: FormLimits, directory: Path | None) -> None:
        self.parts: dict[str, Part | str] = {}
        self._limits = limits
        self._directory = directory
        self._files = ExitStack()
        self._open = _Open()
        self._number = 0
        self._field, self._value = bytearray(), bytearray()
        self._is_over = False

    def close(self) -> None:
        """Throw the files away."""
        self._files.close()

    def parser(self, boundary: str) -> MultipartParser:
        """Return a parser that fills the form."""
        callbacks: MultipartCallbacks = {
            "on_part_begin": self._part_begin,
            "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }
        return MultipartParser(boundary, callbacks, max_header_size=self._limits.header_bytes)

    def finish(self) -> None:
        """Refuse a form that ended before its last boundary.

        Raises:
            BadRequest: it did.
        """
        if not self._is_over:
            raise BadRequest("The form ends before its last boundary.")

    def _part_begin(self) -> None:
        self._number += 1
        if self._number > self._limits.parts:
            raise BadRequest(f"The form may have {self._limits.parts} parts at most.")
        self._open = _Open()

    def _header_end(self) -> None:
        name = self._field.decode("latin-1").strip().lower()
        self._open.headers[name] = _decoded(bytes(self._value), f"The header {name[:64]} of a part").strip()
        self._field.clear()
        self._value.clear()

    def _headers_finished(self) -> None:
        part = self._open
        kind, options = _options(part.headers.get("content-disposition", ""))
        if kind != "form-data" or "name" not in options:
            raise BadRequest("Every part of a form needs a Content-Disposition of form-data with a name.")
        part.name, part.filename = options["name"], options.get("filename")
        if part.name in self.parts:
            raise BadRequest(f"{part.name[:64]}: is sent twice.")
        if part.headers.get("content-transfer-encoding", "binary").lower() not in {"binary", "8bit", "7bit"}:
            raise BadRequest(f"{part.name[:64]}: must be sent without a transfer encoding.")
        if part.filename is not None:
            # Without a name on disk, so that nothing is left behind however the process ends.
            file = tempfile.TemporaryFile(dir=self._directory)  # noqa: SIM115  closed with the form
            part.file = cast("BinaryIO", self._files.enter_context(file))

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        part = self._open
        part.size += end - start
        if part.file is None:
            if part.size > self._limits.text_bytes:
                raise TooLarge(f"{part.name[:64]}: may have {self._limits.text_bytes} bytes at most.")
            part.text += data[start:end]
            return
        if part.size > self._limits.file_bytes:
            raise TooLarge(f"{part.name[:64]}: may have {self._limits.file_bytes} bytes at most.")
        part.file.write(data[start:end])

    def _part_end(self) -> None:
        part = self._open
        if part.file is None:
            text = _decoded(bytes(part.text), part.name[:64])
            if "\x00" in text:
                raise BadRequest(f"{part.name[:64]}: holds a NUL character.")
            self.parts[part.name] = text
            return
        part.file.seek(0)
        self.parts[part.name] = Part(
            filename=part.filename or "",
            content_type=part.headers.get("content-type", DEFAULT_CONTENT_TYPE),
            size=part.size,
            content=part.file,
        )

    def _end(self) -> None:
        self._is_over = True


async def read_form(
    form: Form, headers: Mapping[str, str], receive: Receive, *, limit: int
) -> Mapping[str, Part | str]:
    """Read a request's body into a form; return the parts by name.

    Raises:
        UnsupportedMediaType: it is no form.
        TooLarge: the body, a file or a text is larger than allowed.
        BadRequest: it is malformed, ends too early, or the client went away.
    """
    parser = form.parser(boundary_of(headers.get("content-type", "")))
    announced = headers.get("content-length", "")
    if announced.isdigit() and (len(announced) > 18 or int(announced) > limit):
        raise TooLarge(f"The body may hold {limit} bytes at most.")
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BadRequest("The connection closed before the end of the body.")
        chunk: bytes = message.get("body", b"")
        more = message.get("more_body", False)
        size += len(chunk)
        if size > limit:
            raise TooLarge(f"The body may hold {limit} bytes at most.")
        if chunk:
            # Parsing takes time and writing may wait for the disk; neither must hold up the event loop.
            await run_in_threadpool(_feed, parser, chunk)
    form.finish()
    return form.parts


def boundary_of(content_type: str) -> str:
    """Return the boundary of a form.

    Raises:
        UnsupportedMediaType: the body is no form.
        BadRequest: it has no boundary, or one that is not allowed.
    """
    kind, options = _options(content_type)
    if kind != MEDIA_TYPE:
        raise UnsupportedMediaType(f"Send {MEDIA_TYPE}.")
    boundary = options.get("boundary", "")
    if _BOUNDARY.fullmatch(boundary) is None:
        raise BadRequest("The Content-Type of a form needs a boundary of 1 to 70 characters.")
    return boundary


def _feed(parser: MultipartParser, chunk: bytes) -> None:
    try:
        parser.write(chunk)
    except FormParserError as error:
        raise BadRequest(f"The form is malformed: {str(error)[:200]}") from None


def _options(header: str) -> tuple[str, dict[str, str]]:
    """Return a header's value in small letters, and its parameters."""
    try:
        # The parser works on Latin-1; the bytes are UTF-8.
        kind, options = parse_options_header(header.encode().decode("latin-1"))
    except (ValueError, AssertionError):
        return "", {}
    decoded = {
        name.decode("latin-1").lower(): _decoded(value, "A header of a part")
        for name, value in options.items()
    }
    return kind.decode("latin-1").strip(), decoded


def _decoded(raw: bytes, what: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BadRequest(f"{what} is not UTF-8.") from None

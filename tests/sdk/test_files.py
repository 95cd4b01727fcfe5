"""Uploads: the bytes on the wire, streaming, and what can be sent twice."""

from __future__ import annotations

import io
import os
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from akmatori_sdk import UNSET, ConfigError, TransportError, Upload
from akmatori_sdk._core.files import CHUNK, MultipartBody
from tests.sdk.server import Reply, Scripted, Seen
from tests.sdk.support import StillClock, run

FILE = {
    "id": 1,
    "filename": "a.txt",
    "original_name": "a.txt",
    "mime_type": "text/plain",
    "size": 5,
    "description": "",
    "created_at": "2026-05-15T10:00:00Z",
    "updated_at": "2026-05-15T10:00:00Z",
}


def parts(content_type: str, body: bytes) -> dict[str, tuple[str | None, str, bytes]]:
    """Parse a multipart body with the standard library: name -> (filename, type, content)."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = message_from_bytes(head + body, policy=policy.HTTP)
    found: dict[str, tuple[str | None, str, bytes]] = {}
    for part in message.iter_parts():
        name = str(part.get_param("name", header="content-disposition"))
        content = cast("bytes", part.get_payload(decode=True))
        found[name] = (part.get_filename(), part.get_content_type(), content)
    return found


def parsed(form: dict[str, object]) -> dict[str, tuple[str | None, str, bytes]]:
    body = MultipartBody(form)
    content = b"".join(body.chunks())
    assert body.size == len(content)
    assert b"".join(body.chunks()) == content, "it can be read twice"
    return parts(body.content_type, content)


@given(
    st.binary(max_size=300), st.text(st.characters(codec="ascii", exclude_characters="\r\n\0"), max_size=30)
)
def test_fields_and_files_arrive_as_they_were(content: bytes, text: str) -> None:
    found = parsed({"file": Upload(content, filename="a.bin"), "note": text, "left_out": UNSET, "none": None})
    assert found["file"] == ("a.bin", "application/octet-stream", content)
    assert found["note"][2] == text.encode()
    assert set(found) == {"file", "note"}


def test_names_and_types(tmp_path: Path) -> None:
    path = tmp_path / "notes.md"
    path.write_bytes(b"# x")
    with path.open("rb") as file:
        assert (Upload(file).name, Upload(path).name, Upload(b"x").name) == ("notes.md", "notes.md", "upload")
    assert Upload(path, filename="b.json").media_type == "application/json"
    assert Upload(path, content_type="text/x").media_type == "text/x"
    assert Upload(b"").media_type == "application/octet-stream"


def test_a_name_cannot_end_its_quotes() -> None:
    body = MultipartBody({"f": Upload(b"", filename='a"; x="\r\nb')})
    head = b"".join(body.chunks()).split(b"\r\n\r\n")[0]
    assert b'filename="a%22; x=%22%0D%0Ab"' in head


def test_a_file_object_is_sent_from_where_it_stands() -> None:
    file = io.BytesIO(b"skipped, sent")
    file.seek(9)
    assert parsed({"f": Upload(file)})["f"][2] == b"sent"


class Pipe(io.RawIOBase):
    """A readable that cannot be rewound."""

    def __init__(self, content: bytes) -> None:
        self._source = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._source.readinto(buffer)


def test_what_cannot_be_rewound_is_sent_once(server: Scripted, flavour: str, still: StillClock) -> None:
    body = MultipartBody({"f": Upload(cast("BinaryIO", Pipe(b"x" * 100)), filename="p")})
    assert (body.size, body.replayable) == (None, False)
    server.on("POST", "/api/context", Reply(fault="unread"))
    with pytest.raises(TransportError):
        run(
            flavour,
            server.url,
            lambda c: c.context.upload(file=Upload(cast("BinaryIO", Pipe(b"x" * 100))), filename="p"),
            clock=still.clock,
        )
    assert len(server.seen) == 1
    assert server.seen[0].headers["transfer-encoding"] == "chunked"
    assert b"x" * 100 in server.seen[0].body


def test_a_large_file_is_never_held_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.log"
    with path.open("wb") as file:
        file.truncate(20 * CHUNK)
    sizes = [len(chunk) for chunk in MultipartBody({"f": Upload(path)}).chunks()]
    assert max(sizes) == CHUNK
    assert sum(sizes) > 20 * CHUNK


@pytest.mark.parametrize("kind", ["bytes", "path", "file"])
def test_uploads_over_http(server: Scripted, flavour: str, tmp_path: Path, kind: str) -> None:
    content = os.urandom(3 * CHUNK + 7)
    path = tmp_path / "a.txt"
    path.write_bytes(content)

    def accept(seen: Seen) -> Reply:
        return Reply(status=201, json=FILE)

    server.on("POST", "/api/context", accept)
    with path.open("rb") as file:
        source = {"bytes": content, "path": path, "file": file}[kind]
        upload = Upload(cast("Any", source), filename="a.txt")
        run(flavour, server.url, lambda c: c.context.upload(file=upload, filename="a.txt", description="d"))
    (seen,) = server.seen
    found = parts(seen.headers["content-type"], seen.body)
    assert found["file"] == ("a.txt", "text/plain", content)
    assert (found["filename"][2], found["description"][2]) == (b"a.txt", b"d")
    assert int(seen.headers["content-length"]) == len(seen.body)


def test_a_file_that_is_not_there_is_the_callers_error(flavour: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        run(
            flavour,
            "http://127.0.0.1:1",
            lambda c: c.context.upload(file=Upload(tmp_path / "no"), filename="no"),
        )


class Shrunk(io.BytesIO):
    """A file that says it has a hundred bytes and has one by the time it is read."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(size)[:1] if self.tell() == 0 else b""


def test_a_file_that_shrinks_while_it_is_sent(server: Scripted, flavour: str) -> None:
    file = Upload(Shrunk(b"x" * 100), filename="a")
    with pytest.raises(ConfigError, match="the file became shorter while it was read"):
        run(flavour, server.url, lambda c: c.context.upload(file=file, filename="a"))


class Growing(io.BytesIO):
    """A file that is written to while it is read."""

    def read(self, size: int | None = -1, /) -> bytes:
        end = self.seek(0, io.SEEK_CUR)
        self.seek(0, io.SEEK_END)
        self.write(b"more")
        self.seek(end)
        return super().read(size)


def test_a_file_that_grows_is_sent_as_long_as_it_was() -> None:
    assert parsed({"f": Upload(io.BytesIO(b"12345"))})["f"][2] == b"12345"
    body = MultipartBody({"f": Upload(Growing(b"12345"), filename="a")})
    content = b"".join(body.chunks())
    assert len(content) == body.size
    assert parts(body.content_type, content)["f"][2] == b"12345"

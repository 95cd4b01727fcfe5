"""The verbs for files: uploads from anything, progress, downloads to a path, scripts from files; both clients."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from akmatori_sdk import StatusError, Upload
from tests.sdk.server import Reply, Scripted
from tests.sdk.support import StillClock, run
from tests.sdk.test_files import FILE, parts

UPLOAD = ("POST", "/api/context")
DOWNLOAD = ("GET", "/api/context/1/download")
SCRIPT = ("PUT", "/api/skills/s/scripts/a.sh")


@pytest.mark.parametrize("kind", ["text", "path", "file", "bytes", "upload"])
@pytest.mark.parametrize("watched", [False, True])
def test_an_upload_takes_anything(
    server: Scripted, flavour: str, tmp_path: Path, kind: str, *, watched: bool
) -> None:
    """A path as a text too; the part has a name and a type in each case."""
    server.on(*UPLOAD, Reply(status=201, json=FILE))
    path = tmp_path / "notes.md"
    path.write_bytes(b"# notes")
    calls: list[tuple[int, int | None]] = []
    options: dict[str, Any] = {"on_progress": lambda *call: calls.append(call)} if watched else {}
    if kind == "bytes":
        options["filename"] = "notes.md"
    with path.open("rb") as file:
        sources = {"text": str(path), "path": path, "file": file, "bytes": b"# notes", "upload": Upload(path)}
        created: Any = run(flavour, server.url, lambda c: c.context.upload(sources[kind], **options))
    found = parts(server.seen[0].headers["content-type"], server.seen[0].body)

    assert created.filename == "a.txt"
    assert found["file"] == ("notes.md", "text/markdown", b"# notes")
    assert calls == ([(7, 7)] if watched else [])


def test_progress_goes_on_to_the_end(server: Scripted, flavour: str, still: StillClock) -> None:
    """In the pieces that are sent, with the whole known from the beginning."""
    server.on(*UPLOAD, Reply(status=201, json=FILE))
    content, calls = b"x" * 200_000, list[tuple[int, int | None]]()

    def twice(client: Any) -> Any:
        return client.context.upload(content, filename="a.log", on_progress=lambda *call: calls.append(call))

    for _ in range(2):
        run(flavour, server.url, twice, clock=still.clock)

    assert calls == [(65536, 200_000), (131072, 200_000), (196608, 200_000), (200_000, 200_000)] * 2


def test_a_content_without_a_name_needs_one(flavour: str) -> None:
    """Before anything is sent."""
    nameless: tuple[Any, ...] = (b"x", io.BytesIO(b"x"), Upload(b"x"))
    for source in nameless:
        with pytest.raises(ValueError, match="filename is needed"):
            run(flavour, "http://127.0.0.1:1", partial(_upload, source))


def test_what_was_opened_is_closed(server: Scripted, flavour: str, tmp_path: Path) -> None:
    """A file that was handed in stays open: it belongs to whoever opened it."""
    server.on(*UPLOAD, Reply(status=201, json=FILE))
    path = tmp_path / "a.md"
    path.write_bytes(b"x")
    with path.open("rb") as file:
        run(flavour, server.url, lambda c: c.context.upload(file, on_progress=lambda *_: None))
        assert not file.closed
    # A path's own file would be a ResourceWarning, which fails the test.
    run(flavour, server.url, lambda c: c.context.upload(path, on_progress=lambda *_: None))


def test_a_download_to_a_path(server: Scripted, flavour: str, tmp_path: Path) -> None:
    """The file is replaced as a whole; without a path the bytes are returned."""
    server.on(*DOWNLOAD, Reply(body=b"\x00new\r\n"))
    target = tmp_path / "a.md"
    target.write_bytes(b"old")

    assert run(flavour, server.url, lambda c: c.context.download(1, to=target)) == target
    assert run(flavour, server.url, lambda c: c.context.download(1, to=str(target))) == target
    assert run(flavour, server.url, lambda c: c.context.download(1)) == b"\x00new\r\n"
    assert target.read_bytes() == b"\x00new\r\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.md"]


def test_a_download_that_fails_changes_no_file(server: Scripted, flavour: str, tmp_path: Path) -> None:
    """Neither when the server refuses nor when the file cannot be written."""
    server.on(*DOWNLOAD, Reply(status=404, json={"error": "No context file has this id."}), Reply(body=b"x"))
    target = tmp_path / "a.md"
    target.write_bytes(b"old")
    with pytest.raises(StatusError):
        run(flavour, server.url, lambda c: c.context.download(1, to=target))
    (tmp_path / "directory").mkdir()
    with pytest.raises(OSError, match="directory"):
        run(flavour, server.url, lambda c: c.context.download(1, to=tmp_path / "directory"))

    assert target.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.md", "directory"]


def test_a_script_from_a_file(server: Scripted, flavour: str, tmp_path: Path) -> None:
    """With its line endings as they are; as a text as before."""
    server.on(*SCRIPT, Reply(json={"success": True, "filename": "a.sh"}))
    path = tmp_path / "b.sh"
    path.write_bytes("#!/bin/sh\r\necho ü\n".encode())
    run(flavour, server.url, lambda c: c.skills.scripts.put("s", "a.sh", path=path))
    run(flavour, server.url, lambda c: c.skills.scripts.put("s", "a.sh", content="x"))
    run(flavour, server.url, lambda c: c.skills.scripts.put("s", "a.sh"))

    assert [seen.json() for seen in server.seen] == [
        {"content": "#!/bin/sh\r\necho ü\n"},
        {"content": "x"},
        {},
    ]


def test_a_script_is_text_from_one_source(flavour: str, tmp_path: Path) -> None:
    """Refused before anything is sent."""
    path = tmp_path / "b.bin"
    path.write_bytes(b"\xff")
    sources: list[dict[str, Any]] = [{}, {"content": "x"}, {"content": None}]
    for more in sources:
        with pytest.raises(ValueError, match=r"UTF-8|not both"):
            run(flavour, "http://127.0.0.1:1", partial(_put, path=path, **more))


def _upload(source: Any, client: Any) -> Any:
    return client.context.upload(source)


def _put(client: Any, **source: Any) -> Any:
    return client.skills.scripts.put("s", "a.sh", **source)

"""Context files over HTTP, on both databases: uploads, downloads, references, quota."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import attrs
import httpx

from akmatori_server._generated.akmatori import stubs
from akmatori_server.context_files.handlers import ContextHandlers
from akmatori_server.database import Database
from akmatori_server.pagination import PageRequest
from tests.support.configured import TOKEN, Configured, configured, running

LIMIT = 10 * 1024 * 1024
TEXT = b"# Escalation\r\n\xff\x00end"


def upload(
    client: httpx.Client,
    content: bytes = TEXT,
    name: str = "escalation.md",
    kind: str = "text/markdown",
    **fields: str,
) -> httpx.Response:
    """Upload a file."""
    return client.post("/api/context", files={"file": (name, content, kind)}, data=fields)


@attrs.frozen
class Pieces:
    """A body that is sent in these pieces, its length not announced."""

    pieces: list[bytes]

    def __iter__(self) -> Iterator[bytes]:
        """Begin anew each time."""
        return iter(self.pieces)


def test_the_handlers_conform(services: Configured) -> None:
    """Mypy and pyright hold the class against the generated protocol here."""
    handlers: stubs.Context = ContextHandlers(services.files)

    assert handlers


def test_an_upload_comes_back_byte_for_byte(client: httpx.Client, services: Configured) -> None:
    """With its name, type and times; on disk for the owner only."""
    created = upload(client, filename="Rules-1.MD", description="Whom to call")
    body = created.json()
    got = client.get(f"/api/context/{body['id']}/download")
    on_disk = services.context_dir / "Rules-1.MD"

    assert created.status_code == 201, created.text
    assert (body["filename"], body["original_name"], body["mime_type"]) == (
        "Rules-1.MD",
        "escalation.md",
        "text/markdown",
    )
    assert (body["size"], body["description"]) == (len(TEXT), "Whom to call")
    assert got.content == TEXT == on_disk.read_bytes()
    assert got.headers["Content-Type"] == "text/markdown"
    assert got.headers["Content-Disposition"] == 'attachment; filename="Rules-1.MD"'
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Accept-Ranges"] == "bytes"
    assert got.headers["Content-Length"] == str(len(TEXT))
    assert stat.S_IMODE(on_disk.stat().st_mode) == 0o600
    assert [e.action for e in services.audit.page(PageRequest()).items] == ["context_file:uploaded"]
    assert client.get(f"/api/context/{body['id']}").json() == {**body, "referenced_by": []}


def test_without_a_filename_the_parts_name_is_taken(client: httpx.Client) -> None:
    """As the Terraform provider sends it; a default type when the part has none."""
    raw = PART % (b"file", b'; filename="C:\\\\dir\\\\notes.txt"', b"hi") + b"--x--\r\n"
    sent = client.post(
        "/api/context", content=raw, headers={"Content-Type": 'multipart/form-data; boundary="x"'}
    )

    assert sent.status_code == 201, sent.text
    assert (sent.json()["filename"], sent.json()["mime_type"], sent.json()["size"]) == (
        "notes.txt",
        "text/plain",
        2,
    )


def test_a_name_used_twice_is_a_conflict(client: httpx.Client) -> None:
    """In other letters too: some file systems take them for one; the first file stays."""
    first = upload(client, b"one").json()

    assert upload(client, b"two").status_code == 409
    assert upload(client, b"two", name="ESCALATION.md").status_code == 409
    assert client.get(f"/api/context/{first['id']}/download").content == b"one"
    assert len(client.get("/api/context").json()) == 1


def test_names_and_types_that_are_not_allowed(client: httpx.Client, services: Configured) -> None:
    """400, and nothing is stored anywhere."""
    names = ["a.exe", "a.b.md", "../a.md", ".md", "a b.md", "é.md", "a.md ", "a\u2024md", "x" * 253 + ".md"]
    answers = [upload(client, filename=name) for name in names]
    answers += [upload(client, kind=kind) for kind in ("text", "text/" + "x" * 100, "text/\u00e4")]

    assert [answer.status_code for answer in answers] == [400] * len(answers)
    assert client.get("/api/context").json() == []
    assert not [path for path in services.data.rglob("*") if path.is_file() and path.name != ".~lock"]


def test_the_limit_is_exact(client: httpx.Client) -> None:
    """10485760 bytes are taken, one more is 413."""
    assert upload(client, b"x" * LIMIT, name="full.log").json()["size"] == LIMIT
    assert upload(client, b"x" * (LIMIT + 1), name="more.log").status_code == 413
    assert [file["filename"] for file in client.get("/api/context").json()] == ["full.log"]


def test_a_stream_without_end_is_cut_off(client: httpx.Client, services: Configured) -> None:
    """Also without a length announced; nothing of it stays on disk."""
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.log"\r\n\r\n'
    endless = Pieces([head, *[b"x" * 65536] * 400])
    answer = client.post("/api/context", content=endless, headers={"Content-Type": FORM})

    assert answer.status_code == 413
    assert not [path for path in services.data.rglob("*") if path.is_file() and path.name != ".~lock"]


PART = b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
FILE = PART % (b"file", b'; filename="a.md"', b"content")
FORM = "multipart/form-data; boundary=x"
BROKEN: dict[str, tuple[str, bytes, int]] = {
    "no form": ("application/json", b"{}", 415),
    "no boundary": ("multipart/form-data", FILE + b"--x--\r\n", 400),
    "empty boundary": ('multipart/form-data; boundary=""', FILE + b"--x--\r\n", 400),
    "long boundary": ("multipart/form-data; boundary=" + "x" * 71, FILE + b"--x--\r\n", 400),
    "empty": (FORM, b"", 400),
    "other boundary": ("multipart/form-data; boundary=y", FILE + b"--x--\r\n", 400),
    "cut in the content": (FORM, FILE[:-5], 400),
    "cut before the end": (FORM, FILE, 400),
    "cut in a header": (FORM, FILE[:20], 400),
    "garbage": (FORM, b"\x00" * 100, 400),
    "no disposition": (FORM, b"--x\r\n\r\ncontent\r\n--x--\r\n", 400),
    "no name": (FORM, b"--x\r\nContent-Disposition: form-data\r\n\r\nc\r\n--x--\r\n", 400),
    "attachment": (FORM, b'--x\r\nContent-Disposition: attachment; name="file"\r\n\r\nc\r\n--x--\r\n', 400),
    "no file": (FORM, PART % (b"filename", b"", b"a.md") + b"--x--\r\n", 400),
    "file as text": (FORM, PART % (b"file", b"", b"content") + b"--x--\r\n", 400),
    "text as file": (FORM, FILE + PART % (b"description", b'; filename="d"', b"x") + b"--x--\r\n", 400),
    "twice": (FORM, FILE + FILE + b"--x--\r\n", 400),
    "unknown": (FORM, FILE + PART % (b"other", b"", b"x") + b"--x--\r\n", 400),
    "many parts": (
        FORM,
        FILE + b"".join(PART % (b"p%d" % n, b"", b"x") for n in range(30)) + b"--x--\r\n",
        400,
    ),
    "not utf-8": (FORM, FILE + PART % (b"description", b"", b"\xff") + b"--x--\r\n", 400),
    "name not utf-8": (FORM, PART % (b"file", b'; filename="\xff.md"', b"x") + b"--x--\r\n", 400),
    "nul": (FORM, FILE + PART % (b"description", b"", b"a\x00") + b"--x--\r\n", 400),
    "long text": (FORM, FILE + PART % (b"description", b"", b"x" * 1025) + b"--x--\r\n", 400),
    "endless text": (FORM, FILE + PART % (b"description", b"", b"x" * 70_000) + b"--x--\r\n", 413),
    "large header": (FORM, b"--x\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 400),
    "encoded": (
        FORM,
        FILE.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n") + b"--x--\r\n",
        400,
    ),
}


def test_broken_forms_are_refused(client: httpx.Client, services: Configured) -> None:
    """With the one error shape, never with a 500; nothing is left behind."""
    found = {
        case: client.post("/api/context", content=body, headers={"Content-Type": kind})
        for case, (kind, body, _) in BROKEN.items()
    }

    assert {case: answer.status_code for case, answer in found.items()} == {
        case: status for case, (_, _, status) in BROKEN.items()
    }
    assert all(isinstance(answer.json()["error"], str) for answer in found.values())
    assert not [path for path in services.data.rglob("*") if path.is_file() and path.name != ".~lock"]


def test_a_form_may_come_byte_by_byte(client: httpx.Client) -> None:
    """Wherever the network cuts it."""
    body = (
        FILE.replace(b"content", b"-- \r\n--y\r\n--")
        + PART % (b"description", b"", "ä".encode())
        + b"--x--\r\n"
    )
    answer = client.post(
        "/api/context", content=Pieces([bytes([b]) for b in body]), headers={"Content-Type": FORM}
    )

    assert answer.status_code == 201, answer.text
    assert answer.json()["description"] == "ä"
    assert client.get(f"/api/context/{answer.json()['id']}/download").content == b"-- \r\n--y\r\n--"


RANGES: list[tuple[str, int, bytes, str | None]] = [
    ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
    ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
    ("bytes=-3", 206, b"789", "bytes 7-9/10"),
    ("bytes=-30", 206, b"0123456789", "bytes 0-9/10"),
    ("bytes=8-100", 206, b"89", "bytes 8-9/10"),
    ("Bytes= 9-9", 206, b"9", "bytes 9-9/10"),
    ("bytes=3-1", 200, b"0123456789", None),
    ("bytes=a-b", 200, b"0123456789", None),
    ("lines=0-1", 200, b"0123456789", None),
    ("bytes=0-1,3-4", 200, b"0123456789", None),
]


def test_parts_of_a_file(client: httpx.Client) -> None:
    """As HTTP has it; what cannot be read as a range means the whole file."""
    number = upload(client, b"0123456789").json()["id"]
    path = f"/api/context/{number}/download"

    for asked, status, content, shown in RANGES:
        answer = client.get(path, headers={"Range": asked})
        assert (answer.status_code, answer.content, answer.headers.get("Content-Range")) == (
            status,
            content,
            shown,
        ), asked
    for asked in ("bytes=10-", "bytes=99-100", "bytes=-0"):
        answer = client.get(path, headers={"Range": asked})
        assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable"), asked
        assert answer.headers["Content-Range"] == "bytes */10"


def test_a_file_that_has_not_changed_is_not_sent(client: httpx.Client) -> None:
    """By its tag, which alone decides, or by its date; a range counts only for the file it was asked of."""
    path = f"/api/context/{upload(client, b'0123456789').json()['id']}/download"
    first = client.get(path)
    etag, date = first.headers["ETag"], first.headers["Last-Modified"]
    asked: list[tuple[dict[str, str], int]] = [
        ({"If-None-Match": etag}, 304),
        ({"If-None-Match": f'"x", W/{etag}'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"x"'}, 200),
        ({"If-None-Match": '"x"', "If-Modified-Since": date}, 200),
        ({"If-Modified-Since": date}, 304),
        ({"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 200),
        ({"If-Modified-Since": "yesterday"}, 200),
        ({"Range": "bytes=0-1", "If-Range": etag}, 206),
        ({"Range": "bytes=0-1", "If-Range": date}, 206),
        ({"Range": "bytes=0-1", "If-Range": '"x"'}, 200),
    ]

    assert [client.get(path, headers=headers).status_code for headers, _ in asked] == [
        status for _, status in asked
    ]
    assert client.get(path, headers={"If-None-Match": etag}).content == b""
    assert first.headers["Last-Modified"] == "Fri, 15 May 2026 10:00:02 GMT" or re.search("GMT$", date)


def test_head_tells_all_but_the_bytes(client: httpx.Client) -> None:
    """The same headers as GET."""
    path = f"/api/context/{upload(client, b'0123456789').json()['id']}/download"
    head, got = client.head(path), client.get(path)
    names = (
        "Content-Length",
        "Content-Type",
        "ETag",
        "Last-Modified",
        "Content-Disposition",
        "Accept-Ranges",
    )

    assert (head.status_code, head.content) == (200, b"")
    assert [head.headers[name] for name in names] == [got.headers[name] for name in names]


def test_an_empty_file(client: httpx.Client) -> None:
    """It can be stored and read; no part of it can."""
    path = f"/api/context/{upload(client, b'').json()['id']}/download"

    # The checker of exchanges takes an empty body for none, and does not look at answers of HEAD.
    assert (client.head(path).status_code, client.head(path).headers["Content-Length"]) == (200, "0")
    assert client.get(path, headers={"Range": "bytes=0-"}).status_code == 416


def test_a_deleted_file_is_gone_and_its_references_are_named(
    client: httpx.Client, services: Configured
) -> None:
    """The answer names the skills whose prompts still refer to it."""
    number = upload(client).json()["id"]
    for name, prompt in (
        ("a", "See [[ escalation.md ]]"),
        ("b", "[x](assets/escalation.md)"),
        ("c", "escalation.md"),
    ):
        client.post("/api/skills", json={"name": name, "prompt": prompt})

    assert client.get(f"/api/context/{number}").json()["referenced_by"] == ["a", "b"]
    deleted = client.delete(f"/api/context/{number}")
    assert (deleted.status_code, deleted.headers["Akmatori-Referenced-By"]) == (204, "a, b")
    assert [client.get(f"/api/context/{number}{end}").status_code for end in ("", "/download")] == [404, 404]
    assert client.delete(f"/api/context/{number}").status_code == 404
    assert [path.name for path in services.context_dir.iterdir()] == [".~lock"]
    second = upload(client)
    assert second.status_code == 201
    client.delete("/api/skills/a")
    client.delete("/api/skills/b")
    assert "Akmatori-Referenced-By" not in client.delete(f"/api/context/{second.json()['id']}").headers


def test_references_are_validated(client: httpx.Client) -> None:
    """What exists and what does not, each once."""
    upload(client)
    text = "[[escalation.md]] [[on-call.md]] [[escalation.md]] [[\U0001f692]]"
    text += " [x](assets/escalation.md) [y](assets/z.md)"

    assert client.post("/api/context/validate", json={"text": text}).json() == {
        "valid": False,
        "references": ["escalation.md", "on-call.md", "\U0001f692", "z.md"],
        "found": ["escalation.md"],
        "missing": ["on-call.md", "\U0001f692", "z.md"],
    }
    for body in ({}, {"text": None}, {"text": ""}):
        nothing = {"valid": True, "references": [], "found": [], "missing": []}
        assert client.post("/api/context/validate", json=body).json() == nothing
    many = " ".join(f"[[{n}.md]]" for n in range(3000))
    assert len(client.post("/api/context/validate", json={"text": many}).json()["missing"]) == 3000


def test_lists_are_by_name(client: httpx.Client) -> None:
    """Bare or in pages."""
    for name in ("b.md", "a.md", "c.md"):
        upload(client, name=name)
    page = client.get("/api/context", params={"page": 2, "per_page": 2}).json()

    assert [file["filename"] for file in client.get("/api/context").json()] == ["a.md", "b.md", "c.md"]
    assert [file["filename"] for file in page["data"]] == ["c.md"]
    assert page["pagination"]["total"] == 3


def test_ids_that_no_file_has(client: httpx.Client) -> None:
    """Unknown ones are 404, others 400."""
    for number, status in (("1", 404), (str(2**53 - 1), 404), ("0", 400), ("x", 400), ("-1", 400)):
        path = f"/api/context/{number}"
        answers = [client.get(path), client.get(f"{path}/download"), client.delete(path)]
        assert [answer.status_code for answer in answers] == [status] * 3, number


def test_a_link_in_place_of_a_file_is_not_served(
    client: httpx.Client, services: Configured, tmp_path: Path
) -> None:
    """Nor a file that is gone."""
    number = upload(client).json()["id"]
    (tmp_path / "secret").write_text("secret")
    (services.context_dir / "escalation.md").unlink()
    (services.context_dir / "escalation.md").symlink_to(tmp_path / "secret")
    linked = client.get(f"/api/context/{number}/download")
    (services.context_dir / "escalation.md").unlink()
    gone = client.get(f"/api/context/{number}/download")

    assert (linked.status_code, gone.status_code) == (404, 404)
    assert services.files.recover() == ["escalation.md"]
    assert client.delete(f"/api/context/{number}").status_code == 204


def test_a_file_edited_on_disk(client: httpx.Client, services: Configured) -> None:
    """It is served as it is under another tag, and noted at the next start."""
    created = upload(client).json()
    path = f"/api/context/{created['id']}/download"
    etag = client.get(path).headers["ETag"]
    file = services.context_dir / "escalation.md"
    assert services.files.recover() == []
    assert client.get("/api/context").json() == [created]
    file.write_bytes(b"edited")
    os.utime(file, (1_800_000_000, 1_800_000_000))
    edited = client.get(path, headers={"If-None-Match": etag})

    assert (edited.status_code, edited.content) == (200, b"edited")
    services.files.recover()
    assert client.get(f"/api/context/{created['id']}").json()["size"] == 6


def test_there_is_no_room_without_end(database: Database, tmp_path: Path) -> None:
    """All files together have a quota; what a deleted one had is free again."""
    small = configured(database, tmp_path / "data", quota_bytes=10)
    with (
        running(small) as url,
        httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}) as client,
    ):
        first = upload(client, b"x" * 7, name="a.md").json()
        refused = upload(client, b"x" * 4, name="b.md")
        assert (refused.status_code, refused.json()["code"]) == (413, "quota_exceeded")
        assert upload(client, b"x" * 3, name="b.md").status_code == 201
        client.delete(f"/api/context/{first['id']}")
        assert upload(client, b"x" * 7, name="c.md").status_code == 201

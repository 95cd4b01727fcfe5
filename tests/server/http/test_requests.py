"""What of a request reaches a handler, and what is refused before it does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib.resources import files

import httpx
import orjson
import pytest

from akmatori_server.http.pattern_words import has_words
from akmatori_server.http.schema import Validator
from tests.server.http.conftest import Toy

LIMIT = 1024 * 1024


def is_error(answer: httpx.Response, status: int) -> str:
    """Check the error's shape and return its sentence."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) <= {"error", "code", "details"}
    assert 0 < len(body["error"]) <= 500
    return str(body["error"])


@pytest.mark.parametrize(
    ("query", "reached"),
    [
        ("", {"page": "UNSET", "per_page": "UNSET", "since": "UNSET", "q": "UNSET", "tag": "UNSET"}),
        ("page=3&per_page=7", {"page": "3", "per_page": "7"}),
        ("page=0&per_page=-4", {"page": "1", "per_page": "50"}),
        ("page=x&per_page=", {"page": "1", "per_page": "50"}),
        ("page=99999999999999999999999&per_page=999", {"page": "1000000", "per_page": "200"}),
        ("page=1.5", {"page": "1"}),
        ("q=a%20b+c", {"q": "'a b c'"}),
        ("q=", {"q": "''"}),
        ("q=first&q=second", {"q": "'first'"}),
        ("tag=a&tag=b", {"tag": "['a', 'b']"}),
        ("tag=a,b", {"tag": "['a', 'b']"}),
        ("since=5", {"since": "5"}),
        (
            "at=2026-01-01T00:00:00Z",
            {"at": "datetime.datetime(2026, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)"},
        ),
    ],
)
def test_query_parameters_arrive_typed(toy: Toy, query: str, reached: dict[str, str]) -> None:
    """Texts become values; lenient ones never fail; what is absent is UNSET."""
    answer = toy.client.get(f"/api/things?{query}")

    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in reached} == reached


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("pgae=1", "Unknown query parameter pgae."),
        ("since=x", "since is not right"),
        ("since=-1", "must be at least 0"),
        ("since=99999999999999999999", "since is not right"),
        ("since=" + "9" * 5000, "since is not right"),
        ("q=" + "x" * 51, "50 characters at most"),
        ("q=%00", "NUL"),
        ("q=%ff", "not valid UTF-8"),
        ("q=%ed%a0%80", "not valid UTF-8"),
        ("at=yesterday", "date-time"),
        ("at=2026-01-01", "date-time"),
        ("tag=a&tag=b&tag=c&tag=d", "3 items at most"),
        ("&".join(f"q{number}=1" for number in range(300)), "too many parameters"),
        ("token=a", "Unknown query parameter token."),
    ],
)
def test_wrong_query_parameters_are_refused(toy: Toy, query: str, sentence: str) -> None:
    """The sentence names the parameter and the rule."""
    assert sentence.lower() in is_error(toy.client.get(f"/api/things?{query}"), 400).lower()


def test_header_parameters(toy: Toy) -> None:
    """A declared header arrives, and its rule counts."""
    assert toy.client.get("/api/things", headers={"X-Label": "blue"}).json()["label"] == "'blue'"
    is_error(toy.client.get("/api/things", headers={"X-Label": "x" * 11}), 400)


@pytest.mark.parametrize("path", ["abc", "1.5", "0", "-1", "9007199254740992", "9" * 5000, "%00", "1e3"])
def test_wrong_numbers_in_paths(toy: Toy, path: str) -> None:
    """An id that cannot be one is 400, whatever its length."""
    is_error(toy.client.get(f"/api/things/{path}"), 400)


@pytest.mark.parametrize("path", ["nope", "0b1f6c1e6a0f4a539f0c0f6f3c1b2a77", "%20", "x" * 1000])
def test_what_is_no_uuid_names_nothing(toy: Toy, path: str) -> None:
    """A uuid that is none is unknown, as every other unknown one."""
    is_error(toy.client.get(f"/api/named/{path}"), 404)


BAD_BODIES = [
    (b"", "needs a JSON body"),
    (b"   ", "needs a JSON body"),
    (b"{", "not valid JSON"),
    (b'{"name": "a"} {}', "not valid JSON"),
    (b"null", "name is required"),
    (b"[]", "must be an object"),
    (b'"a"', "must be an object"),
    (b"{}", "name is required"),
    (b'{"name": null}', "name: must be a text"),
    (b'{"name": 1}', "name: must be a text"),
    (b'{"name": ""}', "name: must not be empty"),
    (b'{"name": "' + b"x" * 21 + b'"}', "20 characters at most"),
    (b'{"name": "a", "nmae": 1}', "unknown member nmae"),
    (b'{"name": "a", "kind": "c"}', "kind: must be a or b"),
    (b'{"name": "a", "size": 101}', "size: must be at most 100"),
    (b'{"name": "a", "size": 1.5}', "size: must be a whole number."),
    (b'{"name": "a", "size": NaN}', "not valid JSON"),
    (b'{"name": "a", "size": 1e999}', "not valid JSON"),
    (b'{"name": "\xff"}', "not valid JSON"),
    (b'{"name": "\\ud800"}', "not valid JSON"),
    (b'{"name": "a\\u0000"}', "NUL"),
    (b'{"name": "a", "context": {"\\u0000": 1}}', "NUL"),
    (b'{"name": "a", "context": {"n": 123456789012345678901234567890}}', "64 bits"),
    (b'{"name": "a", "context": {"n": -9223372036854775809}}', "64 bits"),
    (b"[" * 100_000 + b"]" * 100_000, "not valid JSON"),
    (b'{"name": "a", "context": ' + b'{"a":' * 120 + b"1" + b"}" * 121, "deeper than 100"),
    ('{"name": "a"}'.encode("utf-16"), "not valid JSON"),
]


@pytest.mark.parametrize(("body", "sentence"), BAD_BODIES)
def test_bad_bodies_are_refused_and_nothing_is_stored(toy: Toy, body: bytes, sentence: str) -> None:
    """Each is 400 with the reason, in bounded time, before the handler."""
    begun = time.monotonic()

    answer = toy.client.post("/api/things", content=body, headers={"Content-Type": "application/json"})

    assert sentence.lower() in is_error(answer, 400).lower()
    assert time.monotonic() - begun < 5
    assert toy.things.stored == []


def test_a_refusal_does_not_repeat_the_value(toy: Toy) -> None:
    """It may be a password."""
    answer = toy.client.post("/api/things", json={"name": "hunter2-hunter2-hunter2"})

    assert "hunter2" not in is_error(answer, 400)


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": "a"}',
        b'{"name": "a", "size": null, "context": null}',
        b'{"name": "a", "size": 100, "kind": "b"}',
        b'{"name": "a", "context": {"n": 18446744073709551615, "m": -9223372036854775808}}',
        b'{"name": "a", "context": {"text": "12345678901234567890123"}}',
        b'{"name": "\\\\u0000"}',
        b'{"name": "a", "context": ' + b'{"a":' * 90 + b"1" + b"}" * 91,
        '{"name": "ü 漢 😀"}'.encode(),
    ],
)
def test_good_bodies_arrive_unchanged(toy: Toy, body: bytes) -> None:
    """What looks like a trap but is not one passes."""
    answer = toy.client.post("/api/things", content=body)

    assert answer.status_code == 200, answer.text
    assert toy.things.stored == [httpx.Response(200, content=body).json()]


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (None, 200),
        ("application/json", 200),
        ("Application/JSON; charset=utf-8", 200),
        ("application/merge-patch+json", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("json", 415),
    ],
)
def test_content_types(toy: Toy, content_type: str | None, status: int) -> None:
    """A missing one is taken for JSON; a wrong one is 415."""
    headers = {} if content_type is None else {"Content-Type": content_type}
    answer = toy.client.post("/api/things", content=b'{"name": "a"}', headers=headers)

    assert answer.status_code == status
    assert len(toy.things.stored) == (1 if status == 200 else 0)


def in_chunks(*chunks: bytes) -> Iterator[bytes]:
    """Send a body without telling its length."""
    yield from chunks


def test_a_chunked_body_is_read(toy: Toy) -> None:
    """No Content-Length is no error."""
    answer = toy.client.post("/api/things", content=in_chunks(b'{"na', b'me": "a"', b"}"))

    assert answer.status_code == 200
    assert toy.things.stored == [{"name": "a"}]


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_above_the_limit_is_413(toy: Toy, announced: bool) -> None:
    """Whether its length was announced or has to be counted."""
    body = b'{"name": "' + b"x" * LIMIT + b'"}'
    content = body if announced else in_chunks(body[:600_000], body[600_000:])

    assert str(LIMIT) in is_error(toy.client.post("/api/things", content=content), 413)
    assert toy.things.stored == []


def test_a_raw_body_may_be_larger(toy: Toy) -> None:
    """A webhook takes 10 MiB, as bytes, whatever they are."""
    assert toy.client.post("/webhook/alert/u", content=b"\xff" * 3_000_000).text == "u 3000000"
    is_error(toy.client.post("/webhook/alert/u", content=in_chunks(*[b"x" * 1_000_000] * 11)), 413)


@pytest.mark.parametrize("uuid", ["u", "broken"])
def test_a_raw_body_that_is_too_large_is_told_to_its_listener(toy: Toy, uuid: str) -> None:
    """Since the handler is not called; what the listener does changes no answer."""
    size = 11 * 1024 * 1024
    is_error(toy.client.post(f"/webhook/alert/{uuid}", content=b"x" * size), 413)

    assert toy.things.stored == [(uuid, size, 413, str(size))]


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/api/things", "GET, HEAD, OPTIONS, POST"),
        ("POST", "/api/things/1", "DELETE, GET, HEAD, OPTIONS"),
        ("PATCH", "/api/things/1", "DELETE, GET, HEAD, OPTIONS"),
        ("GET", "/webhook/alert/u", "OPTIONS, POST"),
        ("HEAD", "/webhook/alert/u", "OPTIONS, POST"),
        ("TRACE", "/api/things", "GET, HEAD, OPTIONS, POST"),
    ],
)
def test_a_wrong_method_is_405_with_the_right_ones(toy: Toy, method: str, path: str, allow: str) -> None:
    """Allow lists every method of the path."""
    answer = toy.client.request(method, path)

    assert (answer.status_code, answer.headers["allow"]) == (405, allow)


@pytest.mark.parametrize(
    "path", ["/", "/nope", "/api", "/api/things/", "/api/things/1/2", "/api//things", "/open/"]
)
def test_unknown_paths_are_404(toy: Toy, path: str) -> None:
    """A closing slash makes another path."""
    is_error(toy.client.get(path), 404)


@pytest.mark.parametrize(
    "path", ["/webhook/alert/u", "/webhook/alert/u/", "/api/webhook/alert/u", "/api/webhook/alert/u/"]
)
def test_every_spelling_of_the_webhook(toy: Toy, path: str) -> None:
    """Below /api too, and with one closing slash."""
    assert toy.client.post(path, content=b"abc").text == "u 3"


def test_head_is_get_without_its_body(toy: Toy) -> None:
    """The headers are those of GET."""
    got, head = toy.client.get("/api/things/1"), toy.client.head("/api/things/1")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"] == str(len(got.content))


def test_options_needs_no_credential(toy: Toy) -> None:
    """It tells the methods of a path."""
    answer = httpx.options(str(toy.client.base_url.join("/api/things/1")))

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS"


def test_handlers_do_not_run_on_the_event_loop(toy: Toy) -> None:
    """A plain function may wait; an async one is awaited where the server runs."""
    assert toy.client.get("/api/thread").json()["thread"] == "AnyIO worker thread"
    assert toy.client.get("/api/loop").json()["thread"] != "AnyIO worker thread"


def test_the_base_url_is_that_of_the_request(toy: Toy) -> None:
    """A host that is no host is not repeated."""
    assert toy.client.get("/api/thread").json()["base_url"] == str(toy.client.base_url).rstrip("/")
    forged = toy.client.get("/api/thread", headers={"Host": "evil.example/<x>"})
    assert "evil" not in forged.json()["base_url"]


def test_no_pattern_is_shown() -> None:
    """Whoever breaks a pattern of the specifications reads what it asks for, in words."""
    patterns: set[str] = set()

    def collect(node: object) -> None:
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            if key == "pattern" and isinstance(value, str):
                patterns.add(value)
            elif isinstance(value, (dict, list)):
                collect(value)

    for system in ("akmatori", "aotanami"):
        text = (files("akmatori_server") / "_generated" / system / "openapi.json").read_bytes()
        collect(orjson.loads(text))

    assert len(patterns) >= 8
    assert [pattern for pattern in patterns if not has_words(pattern)] == []
    for pattern in [*patterns, "^unheard[ -]of$"]:
        complaint = Validator(
            {"type": "object", "properties": {"a": {"type": "string", "pattern": pattern}}}
        ).complaint({"a": "\x01"})
        assert complaint is None or (complaint.startswith("a: ") and pattern not in complaint)
    blank = Validator({"type": "string", "pattern": "\\S"}).complaint(" ")
    assert blank == "Must not be blank."

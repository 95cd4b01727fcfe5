"""The generated stubs and bindings: signatures of handlers, and the table the server works by."""

from __future__ import annotations

import inspect
import io
from typing import TYPE_CHECKING, Any, get_type_hints

import attrs
import orjson
import pytest
import yaml

from akmatori_sdk._core.model import UNSET
from akmatori_server.errors import BadRequest
from akmatori_server.http.call import Pending, Scope
from akmatori_server.http.form import Part

if TYPE_CHECKING:
    from tests.codegen.conftest import Generated


def binding(nasty: Generated, name: str) -> Any:
    return next(row for row in nasty.bindings.OPERATIONS if row.id == name)


def test_every_binding_has_a_handler_that_takes_its_arguments(nasty: Generated) -> None:
    fields = {field.name: field for field in attrs.fields(nasty.stubs.Handlers)}
    for row in nasty.bindings.OPERATIONS:
        protocol = nasty.stubs.Things if row.tag == "things" else nasty.stubs.ClassFiles
        assert row.tag in fields
        handler = getattr(protocol, row.handler)
        keywords = {
            p.name for p in inspect.signature(handler).parameters.values() if p.kind is p.KEYWORD_ONLY
        }
        assert keywords == {p.name for p in row.params} | ({"body"} if row.body else set[str]())
        assert inspect.iscoroutinefunction(handler) == row.is_async


def test_handlers_may_be_pending(nasty: Generated) -> None:
    hints = get_type_hints(nasty.stubs.Handlers)
    assert set(hints) == {"things", "class_files"}
    assert isinstance(nasty.stubs.Handlers(things=Pending(), class_files=Pending()).things, Pending)


def test_the_binding_of_a_list(nasty: Generated) -> None:
    row = binding(nasty, "listThings")
    assert (row.method, row.path, row.scope, row.success, row.bare_list) == (
        "GET",
        "/base/things",
        Scope.READ,
        200,
        True,
    )
    page, _, start, kinds = row.params
    assert (page.wire, page.kind, page.lenient, page.default, page.minimum, page.maximum) == (
        "page",
        "integer",
        True,
        1,
        1,
        1000,
    )
    assert (start.wire, start.name, start.kind) == ("from", "from_", "datetime")
    assert (kinds.name, kinds.kind, kinds.decode) == ("class_", "array", nasty.models.Kind)


def test_a_stream_and_its_two_ways_to_resume(nasty: Generated) -> None:
    """The parameter and the header have the same name, but for what tells them apart."""
    row = binding(nasty, "followThing")
    assert [(p.wire, p.name, p.where) for p in row.params][2:] == [
        ("last_event_id", "last_event_id", "query"),
        ("Last-Event-ID", "last_event_id_header", "header"),
    ]
    assert (row.media_type, row.is_async) == ("text/event-stream", True)
    assert row.encode is nasty.codec.encode_thing
    result = inspect.signature(nasty.stubs.Things.follow_thing).return_annotation
    assert result == "StreamAnswer[models.Thing]"


def test_bindings_of_bodies(nasty: Generated) -> None:
    create, hook, act = (binding(nasty, name) for name in ("createThing", "hook", "act"))
    assert create.decode_body({"name": "n", "kind": "plain"}).name == "n"
    assert (create.body, create.body_required, create.accepts_key, create.success) == (
        "json",
        True,
        True,
        201,
    )
    assert (hook.body, hook.decode_body, hook.scope, hook.media_type) == ("raw", None, None, "text/plain")
    assert not act.body_required
    delete = binding(nasty, "deleteThing")
    assert (delete.scope, delete.success, delete.encode, delete.media_type) == (Scope.ADMIN, 204, None, None)


def test_a_form_is_read_from_its_parts(nasty: Generated) -> None:
    read = binding(nasty, "uploadFile").decode_body
    part = Part(filename="f", content_type="text/plain", size=1, content=io.BytesIO(b"x"))
    form = read({"file": part, "size": "12", "public": "true"})
    assert (form.file, form.size, form.public, form.class_) == (part, 12, True, UNSET)


@pytest.mark.parametrize(
    "parts",
    [{}, {"file": "text"}, {"file": None, "size": "1x"}, {"file": None, "public": "maybe"}],
)
def test_a_form_with_a_wrong_part_is_refused(nasty: Generated, parts: dict[str, Any]) -> None:
    part = Part(filename="f", content_type="text/plain", size=1, content=io.BytesIO(b"x"))
    given = {name: part if value is None else value for name, value in parts.items()}
    with pytest.raises(BadRequest, match="must be"):
        binding(nasty, "uploadFile").decode_body(given)


def test_the_bundled_documents_are_the_same(nasty: Generated) -> None:
    folder = nasty.folder / "nasty_server"
    document = orjson.loads((folder / "openapi.json").read_bytes())
    assert document == nasty.document
    text = (folder / "openapi.yaml").read_text()
    assert yaml.safe_load(text) == document
    assert "&id0" not in text

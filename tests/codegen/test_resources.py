"""The generated resources: what they send, how they are called, and that both kinds are the same."""

from __future__ import annotations

import asyncio
import inspect
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import attrs
import pytest

from akmatori_sdk._core.files import Upload
from akmatori_sdk._core.model import UNSET
from akmatori_sdk._core.operation import Body, PagedOperation, Reply, StreamOperation

if TYPE_CHECKING:
    from tests.codegen.conftest import Generated


@attrs.define
class Recorder:
    """Stands for `_call`, `_pager` and `_stream`: keeps what it is given."""

    calls: list[tuple[Any, dict[str, Any]]] = attrs.field(factory=list[tuple[Any, dict[str, Any]]])

    def __call__(self, op: Any, **given: Any) -> Any:
        self.calls.append((op, {name: value for name, value in given.items() if name != "options"}))
        return self

    def __await__(self) -> Any:
        yield from ()
        return self


CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any], str, dict[str, Any]]] = [
    ("get", ("n",), {}, "GET_THING", {"path": {"name": "n"}, "headers": {"X-Trace-Id": UNSET}}),
    (
        "list",
        (),
        {"from_": datetime(2026, 1, 2, tzinfo=UTC), "class_": ["plain"], "max_items": 3},
        "LIST_THINGS",
        {
            "query": {"from": datetime(2026, 1, 2, tzinfo=UTC), "class": ["plain"]},
            "page_size": 25,
            "max_items": 3,
        },
    ),
    (
        "create",
        (),
        {"name": "n", "kind": "2fa", "options_": "o"},
        "CREATE_THING",
        {
            "json": {
                "name": "n",
                "kind": "2fa",
                "options": "o",
                "level": 1,
                "limit": 0.5,
                "strict": False,
                "tags": [],
            }
        },
    ),
    (
        "update",
        ("n",),
        {"new_name": None, "if_match": "v1"},
        "UPDATE_THING",
        {"path": {"name": "n"}, "headers": {"If-Match": "v1"}, "json": {"name": None}},
    ),
    ("delete", ("n",), {}, "DELETE_THING", {"path": {"name": "n"}}),
    (
        "follow",
        ("n",),
        {"class_": "plain", "last_event_id": "7"},
        "FOLLOW_THING",
        {"path": {"name": "n"}, "query": {"class": "plain", "last_event_id": "7"}},
    ),
    (
        "hook",
        (),
        {"body": b"{}"},
        "HOOK",
        {"headers": {"Content-Type": "application/json"}, "content": b"{}"},
    ),
]


@pytest.mark.parametrize(("method", "positional", "named", "operation", "sent"), CALLS)
@pytest.mark.parametrize("kind", ["sync", "aio"])
def test_a_method_sends_what_the_specification_says(
    nasty: Generated,
    kind: str,
    method: str,
    positional: tuple[Any, ...],
    named: dict[str, Any],
    operation: str,
    sent: dict[str, Any],
) -> None:
    prefix, module = ("Async", nasty.aio) if kind == "aio" else ("", nasty.sync)
    things = getattr(module, f"{prefix}Things")(Mock())
    recorder = Recorder()
    things._call = things._pager = things._stream = recorder
    result = getattr(things, method)(*positional, **named)
    if inspect.iscoroutine(result):
        asyncio.run(_finish(result))
    assert recorder.calls == [(getattr(nasty.operations, operation), sent)]


async def _finish(coroutine: Any) -> None:
    await coroutine


def test_parts_of_a_form(nasty: Generated) -> None:
    files = nasty.sync.ClassFiles(Mock())
    files._call = recorder = Recorder()
    upload = Upload(filename="f", content=b"x")
    files.upload(file=upload, public=True)
    form = {"file": upload, "class": UNSET, "size": UNSET, "public": True}
    assert recorder.calls == [(nasty.operations.UPLOAD_FILE, {"form": form})]


def test_a_body_that_is_a_union_is_one_argument(nasty: Generated) -> None:
    actions = nasty.sync.Things(Mock()).actions
    actions._call = recorder = Recorder()
    actions.run("n", body=nasty.models.Shell(command="ls"))
    actions.run("n")
    assert [given["json"] for _, given in recorder.calls] == [{"kind": "shell", "command": "ls"}, UNSET]


def test_both_kinds_have_the_same_signatures(nasty: Generated) -> None:
    compared = 0
    for name, cls in vars(nasty.sync).items():
        if not inspect.isclass(cls) or cls.__module__ != nasty.sync.__name__ or name == "SyncResources":
            continue
        twin = getattr(nasty.aio, f"Async{name}")
        assert cls.__doc__ == twin.__doc__
        for method, function in vars(cls).items():
            if inspect.isfunction(function):
                other = getattr(twin, method)
                assert inspect.signature(function).parameters == inspect.signature(other).parameters
                assert function.__doc__ == other.__doc__
                compared += 1
    assert compared == len(nasty.operations.ALL)


def test_docstrings_survive_quotes_and_backslashes(nasty: Generated) -> None:
    document = inspect.getdoc(nasty.sync.Things.list)
    assert document is not None
    assert 'List things "by name".' in document
    assert 'from_: Lower bound, with a """ and a \\n in the text' in document
    assert "BadRequestError: 400. It went wrong" in document
    assert nasty.sync.Things.__doc__ == 'Things, "quoted" and with a \\ backslash; ends in "quotes"'
    assert "Ends in a" in (nasty.models.Kind.__doc__ or "")


def test_records_of_operations(nasty: Generated) -> None:
    ops = nasty.operations
    assert isinstance(ops.LIST_THINGS, PagedOperation)
    assert (ops.LIST_THINGS.path, ops.LIST_THINGS.items, ops.LIST_THINGS.size_param) == (
        "/base/things",
        "data",
        "per_page",
    )
    assert (ops.CREATE_THING.accepts_key, ops.CREATE_THING.idempotent) == (True, False)
    assert ops.CREATE_THING.success == {201}
    assert ops.UPDATE_THING.success == {200, 202}
    assert (ops.HOOK.authenticated, ops.HOOK.body, ops.HOOK.reply) == (False, Body.RAW, Reply.TEXT)
    assert (ops.DELETE_THING.reply, ops.DELETE_THING.decode(None)) == (Reply.EMPTY, None)
    assert ops.DOWNLOAD_FILE.decode(b"x") == b"x"
    assert ops.UPLOAD_FILE.body is Body.MULTIPART
    assert isinstance(ops.FOLLOW_THING, StreamOperation)
    assert (ops.FOLLOW_THING.resume, ops.FOLLOW_THING.reply) == ("last_event_id", Reply.EVENTS)
    assert ops.FOLLOW_THING.decode(nasty.example("Thing")) == nasty.codec.decode_thing(nasty.example("Thing"))


def test_a_stream_is_made_without_waiting(nasty: Generated) -> None:
    for module, name in ((nasty.sync, "EventStream"), (nasty.aio, "AsyncEventStream")):
        cls = getattr(module, "AsyncThings" if module is nasty.aio else "Things")
        assert not inspect.iscoroutinefunction(cls.follow)
        assert inspect.signature(cls.follow).return_annotation == f"{name}[models.Thing]"


def test_an_envelope_around_one_object_is_taken_off(nasty: Generated) -> None:
    answer = nasty.operations.GET_THING.decode(nasty.example("ThingEnvelope"))
    assert answer == nasty.codec.decode_thing(nasty.example("Thing"))

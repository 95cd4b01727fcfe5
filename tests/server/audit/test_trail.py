"""Recording writes and reading them back, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.akmatori import models
from akmatori_server._generated.akmatori import stubs
from akmatori_server.audit import Action, AuditTrail
from akmatori_server.audit.cursor import decode_cursor, encode_cursor
from akmatori_server.audit.handlers import AuditHandlers
from akmatori_server.database import Database
from akmatori_server.errors import BadRequest
from akmatori_server.http.call import Call
from tests.server.incidents.domain import Clock, call

Record = Callable[..., None]


@pytest.fixture
def clock() -> Clock:
    """A clock that the test moves."""
    return Clock()


@pytest.fixture
def trail(database: Database, clock: Clock) -> AuditTrail:
    """An empty trail."""
    return AuditTrail(database, now=clock)


@pytest.fixture
def record(database: Database, trail: AuditTrail) -> Record:
    """Record one write."""

    def do(
        action: Action,
        target: str,
        *,
        by: Call | None = None,
        before: dict[str, object] | None = None,
        after: dict[str, object] | None = None,
    ) -> None:
        with database.write() as connection:
            trail.record(connection, by, action, target, before, after)

    return do


def listed(trail: AuditTrail, **parameters: str | int | Unset) -> models.AuditEntryPage:
    """Read the list as the HTTP layer does."""
    handlers: stubs.Audit = AuditHandlers(trail)
    names = ("page", "per_page", "cursor", "actor", "action", "target", "since", "until")
    every: dict[str, str | int | Unset] = {**dict.fromkeys(names, UNSET), **parameters}
    answer = handlers.list_audit_entries(call(), **every)  # type: ignore[arg-type]  # a mixed bag
    assert isinstance(answer, models.AuditEntryPage)
    return answer


def targets(page: models.AuditEntryPage) -> list[str]:
    """What the entries of a page are about."""
    return [entry.target for entry in page.data]


def test_an_entry_tells_who_did_what_from_where(trail: AuditTrail, record: Record, clock: Clock) -> None:
    """With the thing before and after, as it was shown."""
    moment = datetime(2026, 5, 1, tzinfo=UTC)
    record(
        Action.RUNBOOK_UPDATED,
        "runbook:7",
        by=call(name="terraform"),
        before={"title": "old", "updated_at": moment},
        after={"title": "new", "steps": [1, {"a": None}]},
    )
    (entry,) = listed(trail).data

    assert (entry.actor_kind, entry.actor) == (models.AuditActorKind.USER, "terraform")
    assert (entry.action, entry.target) == ("runbook:updated", "runbook:7")
    assert (entry.remote, entry.request_id) == ("127.0.0.1", "req-1")
    assert entry.created_at == clock.now
    assert entry.before == {"title": "old", "updated_at": "2026-05-01T00:00:00Z"}
    assert entry.after == {"title": "new", "steps": [1, {"a": None}]}


def test_the_server_itself_is_an_actor_too(trail: AuditTrail, record: Record) -> None:
    """Without an address or a request."""
    record(Action.RETENTION_RAN, "retention")
    (entry,) = listed(trail, actor="system").data

    assert (entry.actor_kind, entry.actor) == (models.AuditActorKind.SYSTEM, "system")
    assert (entry.remote, entry.request_id, entry.before, entry.after) == ("", "", None, None)


def test_an_entry_is_rolled_back_with_its_write(database: Database, trail: AuditTrail) -> None:
    """What did not happen is not in the trail."""

    def fail() -> None:
        with database.write() as connection:
            trail.record(connection, call(), Action.RUNBOOK_DELETED, "runbook:7", None, None)
            raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        fail()

    assert listed(trail).data == []


def test_long_texts_are_cut_off(trail: AuditTrail, record: Record) -> None:
    """A page of 200 megabytes is of use to nobody; their length is told."""
    record(Action.RUNBOOK_CREATED, "runbook:7", after={"content": "x" * 5000, "list": ["y" * 4096]})
    (entry,) = listed(trail).data

    assert entry.after == {"content": "x" * 4096 + "… (5000 characters)", "list": ["y" * 4096]}


def test_names_longer_than_their_column_are_cut_off(trail: AuditTrail, record: Record) -> None:
    """They never make the write fail."""
    record(Action.TOOL_CREATED, "tool:" + "x" * 400, by=call(name="n" * 400))
    (entry,) = listed(trail).data

    assert (len(entry.target), len(entry.actor)) == (255, 255)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, ["retention", "settings:proxy", "settings:llm:3", "runbook:1"]),
        ({"actor": "ann"}, ["settings:llm:3", "runbook:1"]),
        ({"action": "settings:llm:updated"}, ["settings:llm:3"]),
        ({"action": "settings"}, ["settings:proxy", "settings:llm:3"]),
        ({"action": "settings:llm"}, ["settings:llm:3"]),
        ({"action": "setting"}, []),
        ({"action": "%"}, []),
        ({"target": "runbook:1"}, ["runbook:1"]),
        ({"target": "runbook"}, []),
        ({"since": 1778839201}, ["retention", "settings:proxy", "settings:llm:3"]),
        ({"until": 1778839201}, ["settings:llm:3", "runbook:1"]),
        ({"since": 1778839201, "until": 1778839202, "actor": "bob"}, ["settings:proxy"]),
        ({"until": 253402300799}, ["retention", "settings:proxy", "settings:llm:3", "runbook:1"]),
    ],
)
def test_filters(
    trail: AuditTrail,
    record: Record,
    clock: Clock,
    parameters: dict[str, str | int],
    expected: list[str],
) -> None:
    """By actor, action or its beginning, target and time; both bounds count, whole seconds. Newest first."""
    record(Action.RUNBOOK_CREATED, "runbook:1", by=call(name="ann"))
    clock.tick(1.25)
    record(Action.LLM_UPDATED, "settings:llm:3", by=call(name="ann"))
    clock.tick(1)
    record(Action.PROXY_UPDATED, "settings:proxy", by=call(name="bob"))
    clock.tick(1)
    record(Action.RETENTION_RAN, "retention")
    page = listed(trail, **parameters)

    assert targets(page) == expected
    assert page.pagination.total == len(expected)


def test_pages_by_number_and_by_cursor_agree(trail: AuditTrail, record: Record) -> None:
    """And what is recorded meanwhile does not shift what a cursor reads."""
    for number in range(5):
        record(Action.RUNBOOK_CREATED, f"runbook:{number}", by=call(name="ann"))
        record(Action.RUNBOOK_CREATED, f"other:{number}", by=call(name="bob"))
    first = listed(trail, per_page=2, actor="ann")
    cursor = first.pagination.next_cursor
    assert isinstance(cursor, str)
    second = listed(trail, per_page=2, page=2, actor="ann")
    record(Action.RUNBOOK_CREATED, "runbook:5", by=call(name="ann"))
    followed = listed(trail, per_page=2, cursor=cursor, actor="ann")
    last = listed(trail, per_page=2, cursor=str(followed.pagination.next_cursor), actor="ann")

    assert targets(first) == ["runbook:4", "runbook:3"]
    assert targets(second) == targets(followed) == ["runbook:2", "runbook:1"]
    assert targets(last) == ["runbook:0"]
    assert last.pagination.next_cursor is None
    assert (first.pagination.total, first.pagination.total_pages) == (5, 3)
    assert targets(listed(trail, page=2**62)) == []


@pytest.mark.parametrize(
    "cursor", ["x", "", "AAAAAAAAAAAAAAAAAAA", encode_cursor(5)[:-1], encode_cursor(5) + "="]
)
def test_a_damaged_cursor_is_refused(cursor: str) -> None:
    """It never reads some other part of the list."""
    assert decode_cursor(encode_cursor(5)) == 5
    with pytest.raises(BadRequest, match="cursor"):
        decode_cursor(cursor)

"""Opening incidents and reading them back, on both databases."""

from __future__ import annotations

import stat
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from akmatori_sdk._core.model import UNSET
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.errors import BadRequest, Conflict, NotFound
from akmatori_server.events import EventLog
from akmatori_server.http.call import Answer
from akmatori_server.incidents.handlers import IncidentHandlers
from akmatori_server.incidents.service import requested_by_task
from akmatori_server.incidents.tables import incident_log, incidents
from tests.server.incidents.domain import Domain, call


@pytest.fixture
def handlers(domain: Domain) -> IncidentHandlers:
    """The operations, called as the HTTP layer calls them."""
    return IncidentHandlers(domain.incidents, domain.control, domain.trail, EventLog())


def create(handlers: IncidentHandlers, task: str = "Check disk on db-1", **members: Any) -> str:
    """Open an incident over the API and return its uuid."""
    body = models.CreateIncidentRequest(task=task, **members)
    return handlers.create_incident(call(), idempotency_key=UNSET, body=body).uuid


def page(handlers: IncidentHandlers, **asked: Any) -> models.IncidentPage:
    """List incidents."""
    nothing: dict[str, Any] = dict.fromkeys(["page", "per_page", "cursor", "from_", "to", "include"], UNSET)
    return handlers.list_incidents(call(), **(nothing | asked))


def get(handlers: IncidentHandlers, uuid: str) -> models.Incident:
    """Read one incident."""
    return handlers.get_incident(call(), uuid=uuid).body


def queued(domain: Domain) -> list[int]:
    """Return the incidents in the queue."""
    taken: list[int] = []

    async def take(incident_id: int, _run: int) -> None:
        taken.append(incident_id)

    domain.queue.drain(take)
    return taken


def test_a_created_incident_is_stored_queued_and_has_a_directory(
    domain: Domain, handlers: IncidentHandlers
) -> None:
    """One call makes all three, and reading shows what was asked for."""
    body = models.CreateIncidentRequest(task="Alert: check *disk*\non db-1", context={"host": "db-1"})
    created = handlers.create_incident(call(), idempotency_key=UNSET, body=body)
    incident = get(handlers, created.uuid)

    assert created.status == "pending"
    assert created.working_dir == str(domain.data_directory / "incidents" / created.uuid)
    assert stat.S_IMODE((domain.data_directory / "incidents" / created.uuid).stat().st_mode) == 0o700
    assert queued(domain) == [incident.id]
    assert incident.title == "check disk"
    assert incident.source == "api"
    assert incident.source_id.startswith("api-1")
    assert incident.context == {"task": "Alert: check *disk*\non db-1", "created_by": "api", "host": "db-1"}
    assert incident.created_at == incident.started_at == domain.clock.now
    assert incident.completed_at is UNSET
    assert (incident.full_log, incident.response, incident.session_id) == ("", "", "")


def test_the_callers_members_win(handlers: IncidentHandlers) -> None:
    """As the contract has it; who opened an incident is told by its source, which nobody can write."""
    uuid = create(handlers, context={"task": "other", "created_by": "jenkins"})
    incident = get(handlers, uuid)

    assert incident.context == {"task": "other", "created_by": "jenkins"}
    assert incident.source == "api"


@pytest.mark.parametrize("context", [UNSET, None])
def test_no_context_is_none(handlers: IncidentHandlers, context: Any) -> None:
    """Left out and null are the same."""
    assert get(handlers, create(handlers, context=context)).context == {
        "task": "Check disk on db-1",
        "created_by": "api",
    }


def test_an_empty_task_is_refused_and_blanks_pass() -> None:
    """Blanks alone pass, and have a title all the same."""
    with pytest.raises(BadRequest, match="task"):
        requested_by_task("", None)

    assert requested_by_task("  ", None).title == "Incident from api"


def test_what_no_database_takes_does_not_break_a_create(handlers: IncidentHandlers) -> None:
    """NUL and huge numbers are made storable."""
    incident = get(handlers, create(handlers, "nul \x00", context={"big": 2**80, "nul\x00": "\x00"}))

    assert incident.title == "nul \ufffd"
    assert incident.context is not None
    assert incident.context["big"] == str(2**80)


def test_a_rolled_back_incident_leaves_nothing_behind(domain: Domain) -> None:
    """Neither row, nor queue, nor directory."""

    def fail() -> None:
        with domain.incidents.opening() as opening:
            opening.open(requested_by_task("never", None))
            raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        fail()

    assert domain.rows(sa.select(incidents.c.id)) == []
    assert queued(domain) == []
    assert list((domain.data_directory / "incidents").iterdir()) == []


def test_an_unknown_uuid_is_not_found(domain: Domain) -> None:
    """Whatever it looks like."""
    with pytest.raises(NotFound):
        domain.incidents.get("0b1f6c1e-6a0f-4a53-9f0c-0f6f3c1b2a77")


def test_a_key_makes_a_create_happen_once(domain: Domain, handlers: IncidentHandlers) -> None:
    """A repeat answers the first incident; another body under the key is a conflict, for its caller."""
    body = models.CreateIncidentRequest(task="once", context={"a": 1})
    first = handlers.create_incident(call(), idempotency_key="k", body=body)
    again = handlers.create_incident(call(), idempotency_key="k", body=body)
    other = handlers.create_incident(call(name="bob"), idempotency_key="k", body=body)

    assert again == first
    assert other.uuid != first.uuid
    assert len(queued(domain)) == 2
    assert len(list((domain.data_directory / "incidents").iterdir())) == 2
    with pytest.raises(Conflict):
        handlers.create_incident(call(), idempotency_key="k", body=models.CreateIncidentRequest(task="else"))


def test_the_list_is_newest_first_in_pages(domain: Domain, handlers: IncidentHandlers) -> None:
    """Every incident once, also when several were created in the same microsecond."""
    uuids: list[str] = []
    for number in range(7):
        uuids.append(create(handlers, f"task {number}"))
        domain.clock.tick(number % 2)
    pages = [page(handlers, page=number, per_page=3) for number in (1, 2, 3, 4)]

    assert [item.uuid for one in pages for item in one.data] == uuids[::-1]
    assert [len(one.data) for one in pages] == [3, 3, 1, 0]
    assert {(one.pagination.total, one.pagination.total_pages) for one in pages} == {(7, 3)}
    assert [one.pagination.next_cursor is None for one in pages] == [False, False, True, True]


def test_an_empty_list_has_no_pages(handlers: IncidentHandlers) -> None:
    """The usual page size and zero pages."""
    listed = page(handlers)

    assert listed.data == []
    assert listed.pagination == models.Pagination(
        page=1, per_page=50, total=0, total_pages=0, next_cursor=None
    )


def test_a_page_far_beyond_the_end_is_empty(handlers: IncidentHandlers) -> None:
    """Even where the offset is larger than the database's integers."""
    create(handlers)

    assert page(handlers, page=2**62, per_page=200).data == []


def test_cursors_walk_the_list_while_it_grows(domain: Domain, handlers: IncidentHandlers) -> None:
    """Nothing is seen twice and nothing is skipped, though new incidents push the pages down."""
    uuids = [create(handlers, f"task {number}") for number in range(5)]
    seen: list[str] = []
    cursor: Any = UNSET
    while True:
        found = page(handlers, per_page=2, cursor=cursor)
        seen += [item.uuid for item in found.data]
        cursor = found.pagination.next_cursor
        if cursor is None:
            break
        domain.clock.tick()
        create(handlers, "newer")

    assert seen == uuids[::-1]


def test_a_tampered_cursor_is_refused(handlers: IncidentHandlers) -> None:
    """With 400, before anything is read."""
    with pytest.raises(BadRequest, match="cursor"):
        page(handlers, cursor="AAAAAAAAAAAAAAAAAAAAAAAAAAAAA")


def test_bounds_are_inclusive(domain: Domain, handlers: IncidentHandlers) -> None:
    """`from` and `to` are Unix seconds of the creation, and the total counts what lies within."""
    uuids: list[str] = []
    for _ in range(4):
        uuids.append(create(handlers))
        domain.clock.tick(10)
    first = int(get(handlers, uuids[0]).created_at.timestamp())
    found = page(handlers, from_=first + 10, to=first + 20, per_page=1)
    rest = page(handlers, from_=first + 10, to=first + 20, per_page=1, cursor=found.pagination.next_cursor)

    assert [found.data[0].uuid, rest.data[0].uuid] == [uuids[2], uuids[1]]
    assert found.pagination.total == 2
    assert rest.pagination.next_cursor is None


def test_the_log_is_left_out_of_lists_unless_asked_for(domain: Domain, handlers: IncidentHandlers) -> None:
    """The single read has it; a list has it with `include=log`, each incident its own."""
    uuids = [create(handlers, f"task {number}") for number in range(3)]
    with domain.database.write() as connection:
        for number, uuid in enumerate(uuids[:2]):
            incident_id = connection.execute(
                sa.select(incidents.c.id).where(incidents.c.uuid == uuid)
            ).scalar_one()
            for key in ("a", "b"):
                line = {"incident_id": incident_id, "key": key, "kind": "note", "text": f"{key}{number}"}
                connection.execute(sa.insert(incident_log), [{**line, "created_at": domain.clock.now}])
    single = get(handlers, uuids[1]).full_log
    with_logs = {item.uuid: item.full_log for item in page(handlers, include=models.IncidentInclude.LOG).data}

    assert "a1" in single
    assert with_logs == {uuids[0]: get(handlers, uuids[0]).full_log, uuids[1]: single, uuids[2]: ""}
    assert {item.full_log for item in page(handlers).data} == {""}


@pytest.mark.parametrize("include", [UNSET, models.IncidentInclude.LOG])
def test_a_longer_page_needs_no_more_statements(
    domain: Domain, handlers: IncidentHandlers, include: Any
) -> None:
    """However many incidents a page holds, the same few statements read it."""
    for number in range(6):
        create(handlers, f"task {number}")
    statements: list[str] = []
    event.listen(domain.database.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    counts: list[int] = []
    for size in (1, 6):
        statements.clear()
        page(handlers, per_page=size, include=include)
        counts.append(len(statements))

    assert counts[0] == counts[1]


def test_the_entity_tag_follows_the_incident(domain: Domain, handlers: IncidentHandlers) -> None:
    """Equal for equal reads, another one when the incident changed."""
    uuid = create(handlers)
    tags = [handlers.get_incident(call(), uuid=uuid).headers["ETag"] for _ in range(2)]
    with domain.database.write() as connection:
        connection.execute(
            sa.update(incidents).values(updated_at=domain.clock.now + timedelta(microseconds=1))
        )
    changed = handlers.get_incident(call(), uuid=uuid).headers["ETag"]

    assert tags[0] == tags[1] != changed


def test_answers_are_what_the_specification_says(handlers: IncidentHandlers) -> None:
    """They encode to JSON and decode to the same again."""
    uuid = create(handlers, context={"host": "db-1"})
    answer = handlers.get_incident(call(), uuid=uuid)

    assert isinstance(answer, Answer)
    encoded = codec.encode_incident(answer.body)
    assert set(encoded) >= {"id", "uuid", "context", "full_log", "slack_message_ts"}
    assert "completed_at" not in encoded

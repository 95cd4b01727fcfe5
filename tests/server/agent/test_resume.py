"""A run goes on after a crash between any two writes, as if nothing had happened; what is stored stays readable."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from akmatori_server.agent.tables import agent_messages, llm_usage
from akmatori_server.incidents.tables import incident_log
from akmatori_server.investigation.journal import Journal
from akmatori_server.toolbox.models import Output
from tests.server.agent.room import AgentRoom
from tests.server.agent.texts import REPORT
from tests.support.llm import Ask, Say, ScriptedModel, scripted

GOLDEN = Path(__file__).parent / "golden_messages.json"
# Two rounds of calls, the second with ids that the first had: some local servers count anew each time.
SCRIPT = (
    Say(
        "First the host.",
        (Ask("oracle-1__look", {"host": "a"}, "call_0"), Ask("runbook_search", {"text": "x"})),
    ),
    Say(
        "",
        (Ask("oracle-1__look", {"host": "b"}, "call_0"), Ask("nonsense", "{not json", "call_1")),
        "And now?",
    ),
    Say(REPORT),
)


class Crash(BaseException):
    """The process dies here."""


@attrs.frozen
class Left:
    """All that a run left behind."""

    log: list[tuple[str, str]]
    messages: list[str]
    usage: dict[str, Any]
    tokens: int
    calls: int


def left(room: AgentRoom, incident_id: int) -> Left:
    """Read it, without what differs between any two runs: times, and what is made of the incident's uuid."""
    with room.database.read() as connection:
        log = connection.execute(
            sa.select(incident_log.c.key, incident_log.c.text).where(
                incident_log.c.incident_id == incident_id
            )
        ).all()
        messages = connection.execute(
            sa.select(agent_messages.c.message)
            .where(agent_messages.c.incident_id == incident_id)
            .order_by(agent_messages.c.number)
        ).scalars()
        usage = connection.execute(
            sa.select(llm_usage).where(llm_usage.c.incident_id == incident_id)
        ).mappings()
        return Left(
            log=sorted((row.key, re.sub(r"Time: [\d.a-z ]+", "Time: -", row.text)) for row in log),
            messages=[plain(message) for message in messages],
            usage={
                key: value
                for key, value in usage.one().items()
                if key not in {"id", "incident_id", "began_ms"}
            },
            tokens=room.row(incident_id).tokens_used,
            calls=len(room.room.oracle.asked),
        )


def plain(message: str) -> str:
    """Return a stored message without moments and marks."""
    message = re.sub(r'"timestamp":"[^"]+"', '"timestamp":"-"', message)
    message = re.sub(r'"provider_url":"[^"]+"', '"provider_url":"-"', message)
    return re.sub(r"(data|task)-[0-9a-f]{12}", r"\1-", message)


def crash_before(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Die before the commit of this number, once."""
    real, count = Journal._transaction, iter(range(number + 1))

    def transaction(self: Journal, *arguments: Any) -> None:
        if next(count, None) == number:
            raise Crash
        real(self, *arguments)

    monkeypatch.setattr(Journal, "_transaction", transaction)


def test_a_crash_between_any_two_writes_changes_nothing(
    rooms: AgentRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Same log, same messages, same tokens; a call that had ended is not made again."""
    step = 1 if rooms.database.is_sqlite else 4
    with scripted(*SCRIPT) as model:
        rooms.configure(model)
        assert rooms.investigate().status == "completed"
        whole = left(rooms, rooms.room.incident_id)
        crashes = 0
        for number in range(1, 100, step):
            incident = rooms.another_incident(f"crash-{number}")
            rooms.room.oracle.asked.clear()
            with monkeypatch.context() as patched:
                crash_before(number, patched)
                try:
                    rooms.investigate(incident)
                except Crash:
                    crashes += 1
                else:
                    break
            assert rooms.row(incident).status == "running"
            assert rooms.investigate(incident).status == "completed"
            again = left(rooms, incident)
            assert attrs.evolve(again, calls=0) == attrs.evolve(whole, calls=0), number
            # Of two calls at once, the one may be under way when the other's line is not written.
            assert whole.calls <= again.calls <= whole.calls + 2
    assert crashes >= 13 // step
    assert whole.tokens == 330
    assert [key for key, _ in whole.log if key.startswith("m")] == ["m1.0", "m3.0", "model"]


def test_a_report_that_was_saved_is_not_asked_for_again(
    room: AgentRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last message needs no answer: the incident is closed with it."""
    with scripted(Say(REPORT)) as model:
        room.configure(model)
        with monkeypatch.context() as patched:
            # The header, the first message, the report, the close.
            crash_before(3, patched)
            with pytest.raises(Crash):
                room.investigate()
        assert len(room.messages()) == 2
        row = room.investigate()
        assert len(model.requests) == 1
    assert row.response.startswith("The disk of db-1 is full.")
    assert row.tokens_used == 110


def test_another_run_begins_anew_with_limits_of_its_own(room: AgentRoom) -> None:
    """Its messages and its usage stand beside those of the first."""
    with scripted(Say(REPORT)) as model:
        room.configure(model)
        room.investigate()
        with room.database.write() as connection:
            from akmatori_server.incidents import store

            store.begin_run(connection, room.room.incident_id, room.row().updated_at)
        row = room.investigate(run=2)
    assert row.tokens_used == 220
    with room.database.read() as connection:
        runs = connection.execute(sa.select(llm_usage.c.run, llm_usage.c.input_tokens).order_by("run")).all()
    assert [tuple(one) for one in runs] == [(1, 100), (2, 100)]


def test_a_worker_that_lost_the_incident_writes_nothing_more(room: AgentRoom) -> None:
    """Somebody else took it while a tool was at work."""
    held: list[Journal] = []

    async def taken_over(_call: Any) -> Output:
        held.append(room.room.take())
        return Output(value="late")

    room.room.oracle.answer = taken_over
    with scripted(Say("", (Ask("oracle-1__look", {"host": "a"}),)), Say(REPORT)) as model:
        room.configure(model)
        asyncio.run(room.runner().run(room.room.incident_id))
        assert len(model.requests) == 1
    assert room.row().status == "running"
    assert "late" not in room.log()
    held[0].check()


def test_stored_messages_of_older_versions_are_read(room: AgentRoom, model_of_old: ScriptedModel) -> None:
    """The file holds what a run stored when this was written: a run that was interrupted then goes on now."""
    room.configure(model_of_old)
    stored = json.loads(GOLDEN.read_text(encoding="utf-8"))
    with room.database.write() as connection:
        for number, message in enumerate(stored):
            connection.execute(
                sa.insert(agent_messages).values(
                    incident_id=room.room.incident_id,
                    run=1,
                    number=number,
                    message=json.dumps(message),
                    created_at=room.row().created_at,
                )
            )
    row = room.investigate()
    assert row.status == "completed", row.response
    assert len(model_of_old.requests) == 1
    assert model_of_old.requests[0].turn == 2
    assert row.response.startswith("The disk of db-1 is full.")


@pytest.fixture
def model_of_old() -> Any:
    """A model that answers by how far the conversation is."""
    with scripted(*SCRIPT) as model:
        yield model

"""Calls of tools: checked, limited, journalled once, masked, audited; and never the end of an investigation."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
import sqlalchemy as sa

from akmatori_server.audit import Action
from akmatori_server.database import Database
from akmatori_server.investigation import Fenced, Journal, Stopped
from akmatori_server.investigation.working import work
from akmatori_server.pagination import PageRequest
from akmatori_server.skills.tables import skills
from akmatori_server.toolbox.limits import CallLimits
from akmatori_server.toolbox.models import Invocation, Outcome, Output, ToolFailedError
from akmatori_server.toolbox.rendering import LONGEST_TEXT
from akmatori_server.toolbox.tables import tool_calls
from tests.server.investigation.test_journal import log_of
from tests.server.toolbox.scripted import TOKEN, Room, make_room


@pytest.fixture
def room(database: Database) -> Room:
    """One tool, assigned to a skill."""
    return make_room(database)


def rows(room: Room) -> list[sa.Row[tuple[object, ...]]]:
    """Return the journal of calls."""
    with room.database.read() as connection:
        return list(connection.execute(sa.select(tool_calls).order_by(tool_calls.c.id)))


def test_a_call_gives_its_output_and_leaves_a_trace(room: Room) -> None:
    """Text and value for the caller; the log, the journal and the audit trail tell of it."""
    result = room.ask("m1.0", host="db-1")

    assert result.outcome is Outcome.DONE
    assert result.value == {"host": "db-1", "load": 0.5}
    assert '"load": 0.5' in result.text
    # What was left out has its default.
    assert room.oracle.asked[0].arguments == {"host": "db-1", "depth": 3}
    log = log_of(room.database, room.incident_id)
    # With the id that reports cite.
    assert '🛠️ Running: oracle-1.look [m1.0]\nArgs: {"host":"db-1"}\n✅ Ran: oracle-1.look [m1.0]\n' in log
    assert '✅ Ran: oracle-1.look [m1.0]\nArgs: {"host":"db-1"}\nOutput:\n{' in log
    (row,) = rows(room)
    assert (row.tool_name, row.function, row.outcome, row.purpose) == ("oracle-1", "look", "done", "to know")
    entries = room.audit.page(PageRequest(number=1, size=50)).items
    assert [entry.action for entry in entries if entry.action == Action.TOOL_CALLED.value] == ["tool:called"]


@pytest.mark.parametrize(
    ("function", "arguments", "says"),
    [
        ("look", {"hots": "db-1"}, "host must be given (is hots meant as that?)"),
        ("look", {"host": "db-1", "dept": 1}, "did you mean depth?"),
        ("look", {"host": 7}, "host: "),
        ("gaze", {"host": "db-1"}, "oracle-1 has change, look"),
    ],
)
def test_wrong_calls_are_refused_with_a_hint(
    room: Room, function: str, arguments: dict[str, str], says: str
) -> None:
    """Whoever asked can put it right; nothing was called."""
    result = room.ask("m1.0", function, **arguments)

    assert result.outcome is Outcome.REFUSED
    assert says in result.text
    assert room.oracle.asked == []


def test_nothing_is_open_that_no_skill_has(database: Database) -> None:
    """No assignment means no tool, and so does a skill that is switched off."""
    room = make_room(database, assign=False)
    assert room.toolbox.assigned() == []
    result = room.ask("m1.0", host="db-1")
    assert result.outcome is Outcome.REFUSED
    assert "there are none" in result.text


def test_a_disabled_skill_gives_no_tool(room: Room) -> None:
    """Its tools are not there for the next investigation."""
    assert [tool.tool.logical_name for tool in room.toolbox.assigned()] == ["oracle-1"]
    with room.database.write() as connection:
        connection.execute(sa.update(skills).values(enabled=False))
    assert room.toolbox.assigned() == []


def test_a_write_becomes_a_proposal(room: Room) -> None:
    """It is not made; the text says so, and the exact call is what is proposed."""
    result = room.ask("m1.0", "change", host="db-1")

    assert result.outcome is Outcome.PROPOSED
    assert "Not done" in result.text
    assert room.oracle.asked == []
    (request,) = room.proposed
    assert request.call.arguments == {"host": "db-1", "depth": 3}
    # Asked again after a crash, it is not proposed again.
    assert room.ask("m1.0", "change", host="db-1") == result
    assert len(room.proposed) == 1


def test_secrets_are_masked_everywhere(room: Room) -> None:
    """In what the caller gets, in the log and in the journal; also when the tool itself fails with one."""

    async def tell(call: Invocation) -> Output:
        if call.arguments["host"] == "bad":
            raise ToolFailedError(f"refused {TOKEN}")
        return Output(value={"header": f"Bearer {TOKEN}", TOKEN: [TOKEN]})

    room.oracle.answer = tell
    told = room.ask("m1.0", host="db-1")
    failed = room.ask("m1.1", host="bad")
    given = room.ask("m1.2", host=TOKEN)

    assert failed.outcome is Outcome.FAILED
    everything = repr([told, failed, given, rows(room)]) + log_of(room.database, room.incident_id)
    assert TOKEN not in everything


def test_whatever_goes_wrong_is_a_text(room: Room) -> None:
    """A refusal, a bug, a tool that hangs: the investigation goes on."""

    async def trouble(call: Invocation) -> Output:
        host = call.arguments["host"]
        if host == "refused":
            raise ToolFailedError("The API answered 403.")
        if host == "bug":
            raise KeyError("load")
        if host == "failed":
            return Output(value="exit code 1", is_failure=True)
        await asyncio.sleep(60)
        return Output(value="")

    room.oracle.answer = trouble
    room.oracle.timeout_seconds = 0.1
    results = {host: room.ask(f"m1.{host}", host=host) for host in ("refused", "bug", "failed", "hangs")}

    assert {result.outcome for result in results.values()} == {Outcome.FAILED}
    assert results["refused"].text == "The API answered 403."
    assert "KeyError" in results["bug"].text
    assert "0.1 seconds" in results["hangs"].text


def test_long_output_is_cut_in_the_middle(room: Room) -> None:
    """The caller gets the beginning and the end, and is told."""

    async def long(_call: Invocation) -> Output:
        return Output(value="a" * LONGEST_TEXT + "THE END")

    room.oracle.answer = long
    result = room.ask("m1.0", host="db-1")
    assert result.is_truncated
    assert len(result.text) < LONGEST_TEXT + 100
    assert result.text.endswith("THE END")


def test_a_done_call_is_not_made_again_and_a_begun_read_is(room: Room) -> None:
    """After a crash: what was answered is known; what was only begun is asked again."""
    journal = room.take()
    first = room.ask("m1.0", host="db-1")

    class CrashError(BaseException):
        pass

    async def crash(_call: Invocation) -> Output:
        raise CrashError

    fine, room.oracle.answer = room.oracle.answer, crash
    with pytest.raises(CrashError):
        room.ask("m1.1", host="db-2")
    room.oracle.answer = fine

    assert room.ask("m1.0", host="db-1") == first
    assert room.ask("m1.1", host="db-2").outcome is Outcome.DONE
    assert [call.arguments["host"] for call in room.oracle.asked] == ["db-1", "db-2", "db-2"]
    assert [(row.key, row.attempts) for row in rows(room)] == [("m1.0", 1), ("m1.1", 2)]
    assert log_of(room.database, room.incident_id).count("Running: oracle-1.look") == 2
    # Who had it before can write no more.
    with pytest.raises(Fenced):
        journal.note("late", "late")


def test_answers_are_remembered_for_a_while_and_not_beyond_a_change(room: Room) -> None:
    """The same question of the same tool is sent once; a failure is never remembered."""
    room.oracle.cache_seconds = 60
    assert not room.ask("m1.0", host="db-1").is_cached
    again = room.ask("m1.1", host="db-1")
    assert again.is_cached
    assert again.value == {"host": "db-1", "load": 0.5}
    assert not room.ask("m1.2", host="db-2").is_cached
    assert len(room.oracle.asked) == 2


def test_calls_of_a_run_are_counted(database: Database) -> None:
    """One that turns in circles is stopped, also after a restart."""
    room = make_room(database, most_calls=2)
    outcomes = [room.ask(f"m1.{n}", host="db-1").outcome for n in range(3)]
    assert outcomes == [Outcome.DONE, Outcome.DONE, Outcome.REFUSED]


def test_cancelling_ends_a_call_at_once(room: Room) -> None:
    """Within a tool that would take a minute."""
    begun = threading.Event()

    async def slow(_call: Invocation) -> Output:
        begun.set()
        await asyncio.sleep(60)
        return Output(value="")

    room.oracle.answer = slow
    room.oracle.timeout_seconds = 60
    journal = room.take()

    async def main() -> None:
        async with room.bench(journal) as bench:
            await bench.call("m1.0", "oracle-1", "look", {"host": "db-1"})

    def cancel() -> None:
        assert begun.wait(10)
        room.stop.set()

    threading.Thread(target=cancel).start()
    started = time.monotonic()
    with pytest.raises(Stopped):
        work(journal, main)
    assert time.monotonic() - started < 5
    assert rows(room)[0].outcome is None


def test_a_tool_is_asked_so_often_at_once_and_no_more() -> None:
    """Across investigations, which have threads and loops of their own."""
    limits = CallLimits(per_second=1000, burst=1000, at_once=2)
    running, most = [0], [0]
    lock = threading.Lock()

    async def use() -> None:
        async with limits.slot(7):
            with lock:
                running[0] += 1
                most[0] = max(most[0], running[0])
            await asyncio.sleep(0.01)
            with lock:
                running[0] -= 1

    async def several() -> None:
        await asyncio.gather(*(use() for _ in range(5)))

    threads = [threading.Thread(target=asyncio.run, args=(several(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert most[0] == 2


def test_a_tool_that_cannot_say_what_it_offers_is_left_out(room: Room) -> None:
    """The others are there all the same."""

    async def dead(*_: object) -> list[object]:
        raise ToolFailedError("No connection to mcp.example.net.")

    room.oracle.functions = dead  # type: ignore[assignment,method-assign]

    async def main(journal: Journal) -> tuple[int, tuple[str, ...]]:
        async with room.bench(journal) as bench:
            return len(bench.offers), bench.complaints

    assert asyncio.run(main(room.take())) == (0, ("oracle-1: No connection to mcp.example.net.",))


def test_functions_that_cannot_be_used_are_one_complaint(room: Room) -> None:
    """The tool's other ones are there, and the complaint is one line, whatever the reasons."""

    async def left_out(*_: object) -> list[str]:
        return [
            "The tool a is left out: its schema is too large.",
            "The tool b is left out: its name is taken.",
        ]

    room.oracle.left_out = left_out  # type: ignore[assignment,method-assign]

    async def main(journal: Journal) -> tuple[int, tuple[str, ...]]:
        async with room.bench(journal) as bench:
            return len(bench.offers), bench.complaints

    offered, complaints = asyncio.run(main(room.take()))
    assert offered == 2
    assert complaints == (
        "oracle-1: The tool a is left out: its schema is too large. The tool b is left out: its name is taken.",
    )

"""Doing what was approved: looked at again, at most once, and honest about what is not known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import attrs
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from akmatori_server.proposals.execution import CHANGED
from akmatori_server.proposals.models import Ending, ProposalState
from akmatori_server.proposals.service import INTERRUPTED
from akmatori_server.proposals.tables import proposals
from akmatori_server.toolbox.models import (
    Access,
    Invocation,
    OutcomeUnknownError,
    Output,
    Plan,
    ToolFailedError,
)
from akmatori_server.tools import store as tools_store
from akmatori_server.tools.models import ToolChanges
from akmatori_server.tools.tables import tools
from tests.server.investigation.cases import NOW
from tests.server.proposals.office import Office, execution_of
from tests.server.toolbox.scripted import CHANGE, LOOK, ORACLE, TOKEN


def change_tool(office: Office, changes: ToolChanges) -> None:
    """Change the tool as an administrator does."""
    with office.room.tools.transaction() as connection:
        (tool,) = office.room.tools.listing.all()
        office.room.tools.update_in(connection, None, tool.id, changes)


def redefine(office: Office, **changes: object) -> None:
    """Change the type of the tool, as a connector's definition or another version does."""
    with office.database.write() as connection:
        tools_store.put_type(connection, attrs.evolve(ORACLE, **changes), now=NOW)


def test_an_approved_action_is_done_and_told(office: Office) -> None:
    """Once, with the exact arguments; output and approver are in the log."""
    proposal = office.proposed(depth=9)

    after = office.done(proposal.uuid)
    office.engine.drain_tasks()

    (made,) = office.oracle.asked
    assert (made.function.name, made.arguments) == ("change", {"host": "db-1", "depth": 9})
    assert after.state is ProposalState.DONE
    assert '"load": 0.5' in after.output
    assert (after.started_at, after.ended_at) == (office.clock.now, office.clock.now)
    assert office.sealed(proposal.uuid) is None
    line = f"✅ Done after approval by alice: change at db-1 (oracle-1.change, proposal {proposal.uuid})"
    assert office.log().count(line) == 1
    assert '"load": 0.5' in office.log().partition(line)[2]


async def _raise(error: Exception) -> Output:
    raise error


async def _hang(_call: Invocation) -> Output:
    await asyncio.sleep(60)
    return Output(value="")


@pytest.mark.parametrize(
    ("answer", "state", "says"),
    [
        (lambda _call: _raise(ToolFailedError(f"{TOKEN} is no key here.")), "failed", " is no key here."),
        (
            lambda _call: _raise(OutcomeUnknownError("It broke off.")),
            "unknown",
            "Whether it was done is not known",
        ),
        (lambda _call: _raise(RuntimeError("reset by peer")), "unknown", "RuntimeError"),
        (_hang, "unknown", "within 0.05 seconds, and the outcome is not known"),
    ],
)
def test_how_it_can_go_wrong(
    office: Office, answer: Callable[[Invocation], object], state: str, says: str
) -> None:
    """What the tool says is a failure; of what it does not say, nothing is known."""
    office.oracle.answer = answer  # type: ignore[assignment]
    office.oracle.timeout_seconds = 0.05
    proposal = office.proposed()

    after = office.done(proposal.uuid)

    assert (after.state, says in after.output) == (state, True), after.output
    assert TOKEN not in after.output + office.log()


def test_a_command_that_failed_is_a_failure(office: Office) -> None:
    """It was made, and says so itself; its output is kept."""

    async def answer(_call: Invocation) -> Output:
        return Output(value="exit 3: no such unit", is_failure=True)

    office.oracle.answer = answer
    after = office.done(office.proposed().uuid)

    assert (after.state, after.output) == (ProposalState.FAILED, "exit 3: no such unit")
    assert "❌ Failed after approval by alice: change at db-1" in office.log()


def _is_read_now(office: Office) -> None:
    plan = type(office.oracle).plan

    class Reading(type(office.oracle)):  # type: ignore[misc]
        def plan(self, call: Invocation) -> Plan:
            return attrs.evolve(plan(self, call), access=Access.READ)

    office.oracle.__class__ = Reading


def _refuses_now(office: Office) -> None:
    class Refusing(type(office.oracle)):  # type: ignore[misc]
        def plan(self, call: Invocation) -> Plan:
            raise ToolFailedError("allow_writes of this tool is off.")

    office.oracle.__class__ = Refusing


def _means_something_else_now(office: Office) -> None:
    plan = type(office.oracle).plan

    class Other(type(office.oracle)):  # type: ignore[misc]
        def plan(self, call: Invocation) -> Plan:
            return attrs.evolve(plan(self, call), summary="change at db-2")

    office.oracle.__class__ = Other


def _is_disabled(office: Office) -> None:
    change_tool(office, ToolChanges(enabled=False))


def _is_renamed(office: Office) -> None:
    change_tool(office, ToolChanges(logical_name="oracle-9"))


def _points_elsewhere(office: Office) -> None:
    with office.database.write() as connection:
        stored = connection.execute(sa.select(tools.c.settings)).scalar_one()
        connection.execute(sa.update(tools).values(settings={**stored, "url": "https://evil.example"}))


def _is_gone(office: Office) -> None:
    with office.room.tools.transaction() as connection:
        (tool,) = office.room.tools.listing.all()
        office.room.tools.delete_in(connection, None, tool.id)


def _has_other_parameters(office: Office) -> None:
    redefine(office, functions=(LOOK, attrs.evolve(CHANGE, description="Changes everything.")))


def _lost_its_function(office: Office) -> None:
    redefine(office, functions=(LOOK,))


def _lost_its_key(office: Office) -> None:
    with office.database.write() as connection:
        connection.execute(sa.update(proposals).values(sealed="gAAAAA"))


def _was_forgotten(office: Office) -> None:
    with office.database.write() as connection:
        connection.execute(sa.update(proposals).values(sealed=None))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_is_read_now, CHANGED),
        (_refuses_now, "Not done: allow_writes of this tool is off."),
        (_means_something_else_now, CHANGED),
        (_is_disabled, "Not done: the tool oracle-1 is disabled."),
        (_is_renamed, CHANGED),
        (_points_elsewhere, CHANGED),
        (_is_gone, "Not done: the tool oracle-1 is gone."),
        (_has_other_parameters, CHANGED),
        (_lost_its_function, "Not done: oracle-1 no longer has change."),
        (_lost_its_key, "Not done: The secret of proposals:"),
        (_was_forgotten, "Not done: the arguments can no longer be read."),
    ],
)
def test_what_is_another_action_by_now_is_not_done(
    office: Office, change: Callable[[Office], None], says: str
) -> None:
    """Between the approval and the doing everything may change; then nothing is done, and a sentence says why."""
    proposal = office.proposed()
    office.approve(proposal.uuid)
    change(office)

    office.engine.drain_tasks()

    after = office.service.get(proposal.uuid)
    assert after.state is ProposalState.FAILED
    assert after.output.startswith(says)
    assert office.oracle.asked == []


def test_an_approval_that_came_too_late_is_not_done(office: Office) -> None:
    """No worker was there for an hour: the moment it was approved for is over."""
    proposal = office.proposed()
    office.approve(proposal.uuid)
    office.clock.tick(3600)

    office.engine.drain_tasks()

    after = office.service.get(proposal.uuid)
    assert (after.state, office.oracle.asked) == (ProposalState.FAILED, [])
    assert "within an hour after its approval" in after.output


def test_begun_twice_is_never_done_again(office: Office) -> None:
    """The second call for a running action says that nothing is known; the first one's end puts it right."""
    proposal = office.proposed()
    office.approve(proposal.uuid)
    assert office.service.begin(proposal.uuid) is not None

    asyncio.run(office.execution.run(proposal.uuid))
    asyncio.run(office.execution.run(proposal.uuid))
    lost = office.service.get(proposal.uuid)
    office.service.end(proposal.uuid, Ending(state=ProposalState.DONE, text="restarted"))
    office.service.end(proposal.uuid, Ending(state=ProposalState.FAILED, text="too late"))

    assert (lost.state, lost.output) == (ProposalState.UNKNOWN, INTERRUPTED)
    assert office.oracle.asked == []
    assert office.service.get(proposal.uuid).output == "restarted"
    assert "❓ Begun after approval by alice, outcome not known" in office.log()
    assert "✅ Done after approval by alice" in office.log()


def test_of_several_workers_one_does_it(office: Office) -> None:
    """All are handed the same task at the same moment."""
    workers = [
        execution_of(office.service, office.room.tools, office.oracle, office.toolbox) for _ in range(5)
    ]
    for number in range(3):
        proposal = office.proposed(f"m{number}.0")
        office.approve(proposal.uuid)
        with ThreadPoolExecutor(5) as pool:
            list(pool.map(lambda worker, uuid=proposal.uuid: asyncio.run(worker.run(uuid)), workers))

    assert len(office.oracle.asked) == 3


def test_a_database_that_is_away_does_not_lose_the_outcome(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was done is stored as soon as it can be."""
    monkeypatch.setattr("akmatori_server.proposals.execution.STORE_AGAIN_SECONDS", (0.0, 0.0))
    stored, failures = office.service.end, [1, 2]

    def end(uuid: str, ending: Ending) -> None:
        if failures:
            failures.pop()
            raise OperationalError("update", {}, Exception("away"))
        stored(uuid, ending)

    monkeypatch.setattr(office.service, "end", end)
    assert office.done(office.proposed().uuid).state is ProposalState.DONE


def test_an_incident_that_is_gone_takes_its_proposals_along(office: Office) -> None:
    """The task finds nothing, and does nothing."""
    proposal = office.proposed()
    office.approve(proposal.uuid)
    with office.database.write() as connection:
        connection.execute(sa.text("DELETE FROM incidents"))

    office.engine.drain_tasks()

    assert office.oracle.asked == []

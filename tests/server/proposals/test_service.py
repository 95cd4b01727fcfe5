"""Proposing and deciding: bound to the exact action, once, and written down."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from akmatori_server.errors import ApiError, Conflict, NotFound
from akmatori_server.events.tables import events
from akmatori_server.pagination import PageRequest
from akmatori_server.proposals.models import Decision, ProposalState, Wanted
from akmatori_server.toolbox.models import Outcome
from akmatori_server.tools.models import ToolChanges
from tests.server.incidents.domain import call
from tests.server.proposals.office import DECISION, Office
from tests.server.toolbox.scripted import TOKEN

NOBODY = "00000000-0000-4000-8000-000000000000"
EVERYTHING = PageRequest(number=1, size=200)


def test_a_write_becomes_a_proposal_and_is_not_made(office: Office) -> None:
    """With all that somebody needs to decide, and no secret."""
    result = office.ask(depth=7)

    (proposal,) = office.all()
    assert result.outcome is Outcome.PROPOSED
    assert office.oracle.asked == []
    assert (proposal.state, proposal.summary, proposal.purpose) == ("pending", "change at db-1", "to free it")
    assert proposal.arguments == {"host": "db-1", "depth": 7}
    assert (proposal.tool_name, proposal.tool_type, proposal.function) == ("oracle-1", "oracle", "change")
    assert (proposal.run, proposal.key) == (1, result.call_id)
    assert proposal.expires_at == office.clock.now + timedelta(hours=24)
    assert len(proposal.digest) == 64
    assert "db-1" not in (office.sealed(proposal.uuid) or "db-1")
    assert [(entry.action, entry.actor) for entry in office.audited()] == [("proposal:created", "system")]


def test_the_same_call_is_proposed_once_and_another_is_another(office: Office) -> None:
    """After a crash the investigation asks again under the same key; the second action is told from the first."""
    journal = office.room.take()
    first = office.ask("m1.0", journal)
    again = office.ask("m1.0", journal)
    office.ask("m1.1", journal)
    with office.database.write() as connection:
        # As if the process died between the two halves of the Bench's work.
        connection.execute(sa.text("DELETE FROM tool_calls"))
    office.ask("m1.0", journal)

    newest, oldest = office.all()
    assert first == again
    assert {oldest.key, newest.key} == {first.call_id, "m1.1"}
    assert oldest.digest != newest.digest


def test_secrets_in_what_a_model_wrote_are_not_shown(office: Office) -> None:
    """Masked in arguments, summary and audit trail; the digest is salted, so they cannot be guessed from it."""
    one = office.proposed("m1.0", host=f"x-{TOKEN}")
    two = office.proposed("m2.0", host=f"x-{TOKEN}")

    assert TOKEN not in repr(one) + repr(office.audited())
    assert one.digest != two.digest
    office.done(one.uuid)
    # What is done is what was asked for.
    assert office.oracle.asked[0].arguments["host"] == f"x-{TOKEN}"
    assert TOKEN not in office.log() + repr(office.all()) + repr(office.audited())


def test_approving_says_who_and_queues_it_once(office: Office) -> None:
    """Approving again answers what is stored; who was first stays."""
    proposal = office.proposed()
    office.clock.tick(60)

    approved = office.approve(proposal.uuid, note="agreed", digest=proposal.digest)
    again = office.service.approve(proposal.uuid, call(name="bob"), Decision(by="bob", remote="::1"))
    office.engine.drain_tasks()
    after = office.service.approve(proposal.uuid, call(name="bob"), Decision(by="bob", remote="::1"))

    assert approved == again
    assert (approved.state, approved.decided_by, approved.decided_from) == ("approved", "alice", "192.0.2.10")
    assert (approved.decided_at, approved.note) == (office.clock.now, "agreed")
    assert after.state is ProposalState.DONE
    assert len(office.oracle.asked) == 1
    told = [(entry.action, entry.actor) for entry in office.audited()]
    assert told == [
        ("proposal:created", "system"),
        ("proposal:approved", "alice"),
        ("proposal:ended", "system"),
    ]


def test_what_cannot_be_decided_is_a_conflict(office: Office) -> None:
    """Another digest, the opposite decision, after the end of its time; an unknown one is not found."""
    rejected, approved, late = (office.proposed(key) for key in ("m1.0", "m2.0", "m3.0"))
    decide = office.service
    with pytest.raises(Conflict, match="digest"):
        office.approve(rejected.uuid, digest="0" * 64)
    assert decide.reject(rejected.uuid, call(), DECISION).state is ProposalState.REJECTED
    assert decide.reject(rejected.uuid, call(name="bob"), DECISION).decided_by == "alice"
    with pytest.raises(Conflict, match="rejected"):
        office.approve(rejected.uuid)
    office.approve(approved.uuid)
    with pytest.raises(Conflict, match="approved"):
        decide.reject(approved.uuid, call(), DECISION)
    office.clock.tick(24 * 3600)
    for decision in (decide.approve, decide.reject):
        with pytest.raises(Conflict, match="expired"):
            decision(late.uuid, call(), DECISION)
        with pytest.raises(NotFound):
            decision(NOBODY, call(), DECISION)

    office.engine.drain_tasks()
    assert [one.arguments for one in office.oracle.asked] == []  # the approved one is too late by now
    assert office.sealed(rejected.uuid) is None
    assert "🚫 Rejected by alice: change at db-1 (oracle-1.change, proposal " in office.log()


def test_the_clock_ends_what_nobody_ended(office: Office) -> None:
    """Undecided for a day, approved and not done for an hour, begun and lost for an hour."""
    pending, approved, running, fresh = (office.proposed(key) for key in ("m1.0", "m2.0", "m3.0", "m4.0"))
    office.clock.tick(24 * 3600 - 1)
    office.approve(approved.uuid)
    office.approve(running.uuid)
    assert office.service.begin(running.uuid) is not None
    office.engine.jobs["proposal-expiry"]()
    states = {one.uuid: one.state for one in office.all()}
    assert states == {
        pending.uuid: "pending",
        approved.uuid: "approved",
        running.uuid: "running",
        fresh.uuid: "pending",
    }

    office.clock.tick(3600)
    # Reading does not wait for the clock's job.
    pages = {
        state: office.service.page(EVERYTHING, Wanted(state=ProposalState(state)))[1]
        for state in ("pending", "expired", "running")
    }
    assert pages == {"pending": 0, "expired": 2, "running": 1}
    office.engine.jobs["proposal-expiry"]()
    office.engine.jobs["proposal-expiry"]()

    ended = {one.uuid: (one.state, one.output[:9]) for one in office.all()}
    assert ended == {
        pending.uuid: ("expired", ""),
        approved.uuid: ("failed", "Not done:"),
        running.uuid: ("unknown", "The proce"),
        fresh.uuid: ("expired", ""),
    }
    assert {office.sealed(uuid) for uuid in ended} == {None}
    assert office.log().count("⌛ Nobody decided in time: change at db-1") == 2
    assert [entry.action for entry in office.audited()].count("proposal:ended") == 4


def test_pages_and_filters(office: Office) -> None:
    """The newest first; by state and by incident."""
    made = [office.proposed(f"m{number}.0").uuid for number in range(5)]
    office.service.reject(made[2], call(), DECISION)
    incident = office.all()[0].incident_uuid

    items, total = office.service.page(PageRequest(number=2, size=2), Wanted())
    assert ([one.uuid for one in items], total) == ([made[2], made[1]], 5)
    for wanted, expected in (
        (Wanted(state=ProposalState.PENDING), 4),
        (Wanted(state=ProposalState.REJECTED), 1),
        (Wanted(incident_uuid=incident), 5),
        (Wanted(incident_uuid=NOBODY), 0),
    ):
        assert office.service.page(EVERYTHING, wanted)[1] == expected
    assert office.service.page(PageRequest(number=10**6, size=200), Wanted()) == ([], 5)


def test_of_two_who_decide_at_once_one_decides(office: Office) -> None:
    """Approvals and rejections race: there is one decision, and one execution at most."""
    for number in range(4):
        proposal = office.proposed(f"m{number}.0")

        def decide(index: int, uuid: str = proposal.uuid) -> str:
            decision = Decision(by=f"person-{index}", remote="")
            method = office.service.approve if index % 2 else office.service.reject
            try:
                return str(method(uuid, call(name=decision.by), decision).decided_by)
            except ApiError:
                return ""

        with ThreadPoolExecutor(6) as pool:
            winners = set(pool.map(decide, range(6))) - {""}
        office.engine.drain_tasks()

        after = office.service.get(proposal.uuid)
        assert winners == {after.decided_by}
        assert after.state in {ProposalState.DONE, ProposalState.REJECTED}
    done = [one for one in office.all() if one.state is ProposalState.DONE]
    assert len(office.oracle.asked) == len(done)


def test_watchers_are_told(office: Office) -> None:
    """Each step is an update of the incident."""
    proposal = office.proposed()

    def count() -> int:
        with office.database.read() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(events)).scalar_one()

    before = count()
    office.done(proposal.uuid)
    assert count() - before == 3  # approved, begun, done


def test_a_tool_that_changed_is_another_action(office: Office) -> None:
    """A setting that is no secret makes another digest, a password does not; see the next tests for the effect."""
    one = office.proposed("m1.0")
    tool = office.room.tools.get(one.tool_id)
    with office.room.tools.transaction() as connection:
        office.room.tools.update_in(
            connection, None, tool.id, ToolChanges(settings={"token": "another-secret"})
        )

    assert office.done(one.uuid).state is ProposalState.DONE

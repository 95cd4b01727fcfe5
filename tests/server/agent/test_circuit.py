"""A provider that fails again and again is left alone for a while, and the rules do the work meanwhile."""

from __future__ import annotations

from datetime import timedelta

from akmatori_server.agent.circuit import FAILURES_TO_OPEN, RESTS_FOR, Circuit, CircuitState
from tests.server.agent.room import AgentRoom
from tests.support.llm import Fail, Say, scripted

ANSWER = Say(text="## Summary\n\nAll is well.")


def circuit(room: AgentRoom) -> tuple[CircuitState, int]:
    """Return how it stands."""
    standing = Circuit(room.database, now=lambda: room.now).standing(room.settings.llm_active())
    return standing.state, standing.failures


def test_it_opens_rests_and_closes(room: AgentRoom) -> None:
    """After five failures nobody asks; after a rest one does, and decides for the others."""
    is_well = False

    with scripted(script=lambda _request: ANSWER if is_well else Fail(401, "Wrong key.")) as model:
        room.configure(model)
        for number in range(FAILURES_TO_OPEN):
            assert circuit(room) == (CircuitState.CLOSED, number)
            room.investigate(room.another_incident(f"failing-{number}"))
        assert circuit(room) == (CircuitState.OPEN, FAILURES_TO_OPEN)

        asked = len(model.requests)
        row = room.investigate(room.another_incident("resting"))
        assert len(model.requests) == asked
        assert row.status == "completed"
        assert "left alone for the moment" in row.response

        room.now += RESTS_FOR + timedelta(seconds=1)
        assert circuit(room)[0] is CircuitState.HALF_OPEN
        room.investigate(room.another_incident("still-failing"))
        assert len(model.requests) > asked
        assert circuit(room) == (CircuitState.OPEN, FAILURES_TO_OPEN + 1)

        room.now += RESTS_FOR + timedelta(seconds=1)
        is_well = True
        room.investigate(room.another_incident("well"))
        assert circuit(room) == (CircuitState.CLOSED, 0)


def test_one_tries_and_a_changed_configuration_begins_anew(room: AgentRoom) -> None:
    """Of those that come after the rest one is let through, in whatever process; new settings are tried at once."""
    with scripted(Fail(401, "Wrong key.")) as model:
        room.configure(model)
        config = room.settings.llm_active()
        assert config is not None
        guard = Circuit(room.database, now=lambda: room.now)
        for _ in range(FAILURES_TO_OPEN):
            guard.failed(config)
        room.now += RESTS_FOR
        other = Circuit(room.database, now=lambda: room.now)
        assert [guard.admits(config), other.admits(config)] == [True, False]
        room.configure(model, model="another")
        assert circuit(room) == (CircuitState.CLOSED, 0)

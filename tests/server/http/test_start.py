"""What stops the server from starting: operations without a handler, and handlers without an operation."""

from __future__ import annotations

import pytest

from akmatori_server.http.application import build_application
from akmatori_server.http.call import Pending
from akmatori_server.http.system import IncompleteSystem, System
from tests.support.toy import BINDINGS, Keys, Things, toy_system


class WithLater(Things):
    """Handles what is pending, too."""

    def later(self, _call: object, /) -> dict[str, str]:
        """Answer."""
        return {}


def build(system: System) -> None:
    """Build the application."""
    build_application(
        [system], authenticator=Keys({}), setup_required=lambda: False, observe=lambda **_: None
    )


def test_a_complete_system_starts() -> None:
    """The toy, as it is used elsewhere."""
    build(toy_system(Things()))


@pytest.mark.parametrize(
    ("things", "pending", "sentence"),
    [
        (Things(), frozenset[str](), "later has no handler"),
        (WithLater(), frozenset({"later"}), "later has a handler but is pending"),
        (Things(), frozenset({"later", "getThing"}), "getThing has a handler but is pending"),
        (Pending(), frozenset({"later"}), "listThings has no handler"),
        (Things(), frozenset({"later", "gone"}), "gone is pending but no operation"),
    ],
)
def test_an_incomplete_system_does_not_start(
    things: Things | Pending, pending: frozenset[str], sentence: str
) -> None:
    """The sentence names the operation."""
    with pytest.raises(IncompleteSystem, match=sentence):
        build(toy_system(things, pending=pending))


def test_a_table_that_lacks_an_operation_does_not_start() -> None:
    """The generated table and the specification must name the same operations."""
    import attrs

    system = toy_system(Things())

    with pytest.raises(IncompleteSystem, match="open is specified but not bound"):
        build(attrs.evolve(system, bindings=BINDINGS[:-1]))

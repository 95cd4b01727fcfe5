"""One process at a time: here threads with connections of their own."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from akmatori_server.database import Database
from akmatori_server.database.turns import in_turn


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_one_at_a_time_is_inside(database: Database) -> None:
    """The others wait, whatever way the one inside leaves."""
    inside: list[int] = []
    most: list[int] = []
    begun = threading.Barrier(4)

    def enter(number: int) -> None:
        begun.wait(10)
        with contextlib.suppress(ZeroDivisionError), in_turn(database, 7):
            inside.append(number)
            most.append(len(inside))
            threading.Event().wait(0.02)
            inside.remove(number)
            if number == 1:
                raise ZeroDivisionError

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(enter, number) for number in range(4)]:
            done.result(10)

    assert most == [1, 1, 1, 1]


def test_different_numbers_do_not_wait_for_each_other(database: Database) -> None:
    """Nor does SQLite, which one process owns."""
    with in_turn(database, 7), in_turn(database, 8):
        pass

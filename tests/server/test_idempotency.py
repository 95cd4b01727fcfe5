"""A keyed write is done once, also when two requests come at the same moment."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from akmatori_server.database import Database
from akmatori_server.errors import Conflict
from akmatori_server.idempotency import KeyedWrite, Outcome, run_once

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
WRITE = KeyedWrite(caller="user:admin", operation="createIncident", key="k1", request={"a": 1, "b": 2})


class Counter:
    """A write that counts how often it was done."""

    def __init__(self) -> None:
        self.done = 0

    def __call__(self) -> Outcome:
        """Do it."""
        self.done += 1
        return Outcome(status=201, body={"number": self.done})


def send(database: Database, counter: Counter, write: KeyedWrite = WRITE, now: datetime = NOW) -> Outcome:
    """One request in a transaction of its own."""
    with database.write() as connection:
        return run_once(connection, write, counter, now=now)


def test_a_repeat_gets_the_first_answer(database: Database) -> None:
    """The order of members makes no difference."""
    counter = Counter()
    first = send(database, counter)
    again = send(
        database,
        counter,
        KeyedWrite(caller="user:admin", operation="createIncident", key="k1", request={"b": 2, "a": 1}),
    )

    assert (first.is_repeat, again.is_repeat, counter.done) == (False, True, 1)
    assert (again.status, again.body) == (201, {"number": 1})


@pytest.mark.parametrize("changed", ["caller", "operation", "key"])
def test_another_caller_operation_or_key_is_another_write(database: Database, changed: str) -> None:
    """Keys of two callers may be equal."""
    counter = Counter()
    send(database, counter)
    values = {"caller": WRITE.caller, "operation": WRITE.operation, "key": WRITE.key, changed: "other"}

    send(database, counter, KeyedWrite(request=WRITE.request, **values))

    assert counter.done == 2


def test_the_key_of_another_request_is_refused(database: Database) -> None:
    """409, and nothing is done."""
    counter = Counter()
    send(database, counter)

    with pytest.raises(Conflict):
        send(
            database,
            counter,
            KeyedWrite(caller="user:admin", operation="createIncident", key="k1", request={}),
        )
    assert counter.done == 1


def test_a_write_that_fails_leaves_its_key_free(database: Database) -> None:
    """The note is part of the write's transaction."""

    def fail() -> Outcome:
        raise LookupError

    with pytest.raises(LookupError), database.write() as connection:
        run_once(connection, WRITE, fail, now=NOW)

    assert send(database, Counter()).is_repeat is False


def test_a_key_is_forgotten_after_a_day(database: Database) -> None:
    """As the contract says."""
    counter = Counter()
    send(database, counter)

    assert send(database, counter, now=NOW + timedelta(hours=23, minutes=59)).is_repeat is True
    assert send(database, counter, now=NOW + timedelta(hours=24, seconds=1)).is_repeat is False


def test_two_at_once_are_done_once(database: Database) -> None:
    """The second waits for the first, and answers the same."""
    counter = Counter()
    outcomes: list[Outcome] = []
    threads = [threading.Thread(target=lambda: outcomes.append(send(database, counter))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert counter.done == 1
    assert [outcome.body for outcome in outcomes] == [{"number": 1}] * 6

"""Recording: with the transaction or not at all, in the order of the commits, kept for a day."""

from __future__ import annotations

import threading
from datetime import timedelta

import attrs
import pytest

from akmatori_server.database import Database
from akmatori_server.events import EventLog, store
from akmatori_server.events.cleanup import OLD_EVENTS
from akmatori_server.events.models import Event, NewEvent
from akmatori_server.retention.cleanup import Cleanup
from tests.server.events.support import NOW, event, record


def kept(database: Database) -> list[Event]:
    """Return all events."""
    with database.read() as connection:
        return store.after(connection, 0, limit=10_000)


def numbers(database: Database) -> list[object]:
    """Return the numbers of all events, in their order."""
    return [each.data["alert_count"] for each in kept(database)]


def test_an_event_is_kept_as_it_was_recorded(database: Database) -> None:
    """Texts no database takes included."""
    new = NewEvent(kind=event().kind, alert_uuid="a" * 36, data={"title": "a\0b\ud800"}, at=NOW)
    record(database, EventLog(), new)

    (stored,) = kept(database)
    assert (stored.kind, stored.incident_uuid, stored.alert_uuid) == ("incident.updated", None, "a" * 36)
    assert (stored.data, stored.at) == ({"title": "a�b�"}, NOW)


def test_what_is_rolled_back_was_never_there(database: Database) -> None:
    """An event is true or absent."""
    log = EventLog()

    def fail() -> None:
        with database.write() as connection:
            log.record(connection, [event(1)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    record(database, log, event(2))
    assert numbers(database) == [2]


def test_recording_nothing_asks_nothing_of_the_database(database: Database) -> None:
    """Nobody waits for the lock who has nothing to say."""
    holds, done = threading.Event(), threading.Event()
    log = EventLog()

    def hold() -> None:
        with database.engine.begin() as connection:
            log.record(connection, [event(1)])
            holds.set()
            done.wait(5)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert holds.wait(5)
        with database.read() as connection:
            log.record(connection, [])
    finally:
        done.set()
        thread.join()


def test_ids_become_visible_in_their_order(database: Database) -> None:
    """A transaction that commits first has the lower ids, so that nobody reads past what is still to come."""
    log = EventLog()
    recorded, commit, second = threading.Event(), threading.Event(), threading.Event()

    def first_writer() -> None:
        with database.write() as connection:
            log.record(connection, [event(1)])
            recorded.set()
            commit.wait(5)

    def second_writer() -> None:
        with database.write() as connection:
            log.record(connection, [event(2)])
        second.set()

    threads = [threading.Thread(target=first_writer), threading.Thread(target=second_writer)]
    threads[0].start()
    assert recorded.wait(5)
    threads[1].start()
    overtook = second.wait(0.15)
    seen = numbers(database)
    commit.set()
    for thread in threads:
        thread.join()

    assert not overtook
    assert seen == []
    assert numbers(database) == [1, 2]


def test_a_wake_is_heard_until_the_listener_is_forgotten() -> None:
    """By everyone who listens."""
    log, heard = EventLog(), list[str]()

    def one() -> None:
        heard.append("one")

    log.listen(one)
    log.listen(lambda: heard.append("two"))
    log.wake()
    log.forget(one)
    log.forget(one)
    log.wake()
    assert heard == ["one", "two", "two"]


@pytest.mark.parametrize("batch", [1, 2, 100])
def test_events_are_forgotten_after_a_day(database: Database, batch: int) -> None:
    """In as many short transactions as it takes."""
    log = EventLog()
    record(database, log, *(event(number) for number in range(5)))
    late = NewEvent(kind=event().kind, data={"alert_count": 5}, at=NOW + timedelta(hours=1))
    record(database, log, late)

    expiry = attrs.evolve(OLD_EVENTS, batch=batch)
    Cleanup(expiry, database, lambda: NOW + timedelta(hours=24)).run()
    assert numbers(database) == [0, 1, 2, 3, 4, 5]
    Cleanup(expiry, database, lambda: NOW + timedelta(hours=24, seconds=1)).run()
    assert numbers(database) == [5]


def test_the_newest_event_is_never_forgotten(database: Database) -> None:
    """Who has seen it is still known to have missed nothing."""
    record(database, EventLog(), event(1), event(2))
    Cleanup(OLD_EVENTS, database, lambda: NOW + timedelta(days=30)).run()
    assert numbers(database) == [2]

"""The hub: everybody hears of everything once, from one reader of the database."""

from __future__ import annotations

import asyncio
import random
import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.event import listen
from sqlalchemy.exc import OperationalError

from akmatori_server.database import Database
from akmatori_server.errors import Unavailable
from akmatori_server.events import EventKind, EventLog
from akmatori_server.events.cleanup import OLD_EVENTS
from akmatori_server.events.hub import EventHub
from akmatori_server.events.models import EventFilter
from akmatori_server.retention.cleanup import Cleanup
from tests.server.events.support import NOW, event, reading, record, with_hub

OTHER = "11111111-2222-4333-8444-555555555555"


def statements_of(database: Database) -> list[str]:
    """Return a list to which every statement is added."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    listen(database.engine, "before_cursor_execute", note)
    return asked


def test_every_stream_hears_of_what_happens_after_it_began(database: Database) -> None:
    """And of nothing before."""

    async def main(hub: EventHub, log: EventLog) -> None:
        record(database, log, event(0))
        one = await reading(hub)
        record(database, log, event(1))
        assert await one.take(1) == [1]
        two = await reading(hub)
        record(database, log, event(2), event(3))
        assert await one.take(2) == await two.take(2) == [2, 3]

    with_hub(database, main)


def test_a_wake_from_another_thread_is_heard_at_once(database: Database) -> None:
    """Long before the next look that is due."""

    async def main(hub: EventHub, log: EventLog) -> None:
        stream = await reading(hub)
        await stream.next()
        thread = threading.Thread(target=record, args=(database, log, event(7)))
        thread.start()
        assert await stream.take(1) == [7]
        thread.join()

    with_hub(database, main, limits={"heartbeat": 60.0})


def test_events_of_another_process_are_found(database: Database) -> None:
    """It cannot wake us."""

    async def main(hub: EventHub, _log: EventLog) -> None:
        stream = await reading(hub)
        record(database, EventLog(), event(7))
        assert await stream.take(1) == [7]

    with_hub(database, main, interval=0.05)


def test_one_reader_serves_all_and_holds_no_connection(database: Database) -> None:
    """Fifty streams ask the database as often as one."""
    asked = statements_of(database)

    async def main(hub: EventHub, log: EventLog) -> None:
        streams = [await reading(hub) for _ in range(50)]
        asked.clear()
        record(database, log, event(1))
        for stream in streams:
            assert await stream.take(1) == [1]
        await asyncio.sleep(0.02)
        looks = [statement for statement in asked if statement.startswith("SELECT events")]
        assert 1 <= len(looks) <= 3
        pool: Any = database.engine.pool
        assert pool.checkedout() == 0

    with_hub(database, main)


def test_nobody_reads_while_nobody_listens(database: Database) -> None:
    """The first stream begins it, the last one ends it."""
    asked = statements_of(database)

    async def main(hub: EventHub, log: EventLog) -> None:
        first = await reading(hub)
        second = await reading(hub)
        first.subscription.close()
        record(database, log, event(1))
        assert await second.take(1) == [1]
        second.subscription.close()
        second.subscription.close()
        assert hub.streams == 0
        await asyncio.sleep(0.05)
        asked.clear()
        log.wake()
        await asyncio.sleep(0.1)
        assert asked == []
        record(database, log, event(2))
        again = await reading(hub)
        record(database, log, event(3))
        assert await again.take(1) == [3]

    with_hub(database, main, interval=0.02)


def test_a_reader_that_comes_and_goes_misses_nothing_and_gets_nothing_twice(database: Database) -> None:
    """It resumes from its last event while others are being written."""
    total = 150

    def write(log: EventLog) -> None:
        for number in range(0, total, 3):
            record(database, log, *(event(number + each) for each in range(3)))

    async def main(hub: EventHub, log: EventLog) -> None:
        dice = random.Random(4)
        writer = asyncio.create_task(asyncio.to_thread(write, log))
        seen: list[int] = []
        place = 0
        while len(seen) < total:
            stream = await reading(hub, place)
            for _ in range(dice.randint(1, 30)):
                delivered = await stream.next()
                assert not delivered.is_reset
                place = delivered.position
                if delivered.event is not None:
                    seen.append(int(str(delivered.event.data["alert_count"])))
                if len(seen) == total:
                    break
            stream.subscription.close()
        await writer
        assert seen == list(range(total))

    # From the beginning means: from the first event that was ever recorded.
    with_hub(database, main, interval=0.05)


def test_a_slow_reader_is_ended_and_comes_back_for_the_rest(database: Database) -> None:
    """It costs a bounded queue, and no event."""

    async def main(hub: EventHub, log: EventLog) -> None:
        slow, quick = await reading(hub), await reading(hub)
        place = (await slow.next()).position
        record(database, log, event(0), event(1))
        assert await quick.take(2) == [0, 1]
        record(database, log, event(2), event(3))
        assert await quick.take(2) == [2, 3]
        assert await slow.rest() == []
        slow.subscription.close()
        back = await reading(hub, place)
        assert await back.take(4) == [0, 1, 2, 3]

    with_hub(database, main, limits={"queue": 3})


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [
        (EventFilter(incident_uuid=OTHER), [1, 2]),
        (EventFilter(kind="incident.completed"), [2, 3]),
        (EventFilter(incident_uuid=OTHER, kind="incident.completed"), [2]),
    ],
)
def test_a_reader_hears_of_what_it_wants(database: Database, wanted: EventFilter, heard: list[int]) -> None:
    """Live and when it resumes; and where to resume moves with what it does not want."""
    completed = EventKind.INCIDENT_COMPLETED
    events = [event(0), event(1, uuid=OTHER), event(2, uuid=OTHER, kind=completed), event(3, kind=completed)]

    async def main(hub: EventHub, log: EventLog) -> None:
        live = await reading(hub, None, wanted)
        begin = (await live.next()).position
        record(database, log, *events, event(9))
        assert await live.take(len(heard)) == heard
        while (place := (await live.next()).position) < begin + len(events) + 1:
            pass
        assert place == begin + len(events) + 1
        back = await reading(hub, begin, wanted)
        assert await back.take(len(heard)) == heard

    with_hub(database, main)


def test_who_was_away_for_too_long_is_told_to_begin_anew(database: Database) -> None:
    """And then hears of everything from now on."""

    async def main(hub: EventHub, log: EventLog) -> None:
        record(database, log, *(event(number) for number in range(5)))
        await asyncio.to_thread(Cleanup(OLD_EVENTS, database, lambda: NOW + timedelta(days=2)).run)
        late = await reading(hub, 2)
        first = await late.next()
        assert (first.is_reset, first.event) == (True, None)
        record(database, log, event(5))
        assert await late.take(1) == [5]
        in_time = await reading(hub, 4)
        assert await in_time.take(2) == [4, 5]

    with_hub(database, main)


@pytest.mark.parametrize("there", [0, 3])
def test_a_place_that_was_never_given_begins_anew(database: Database, there: int) -> None:
    """It is one of another database."""

    async def main(hub: EventHub, log: EventLog) -> None:
        record(database, log, *(event(number) for number in range(there)))
        stranger = await reading(hub, 1_000)
        assert (await stranger.next()).is_reset
        record(database, log, event(8))
        assert await stranger.take(1) == [8]

    with_hub(database, main)


def test_who_has_seen_more_than_the_hub_gets_nothing_twice(database: Database) -> None:
    """Another process has told it already."""

    async def main(hub: EventHub, log: EventLog) -> None:
        slow = await reading(hub)
        place = (await slow.next()).position
        record(database, log, event(1), event(2), wake=False)
        ahead = await reading(hub, place + 1)
        log.wake()
        assert await ahead.take(1) == [2]
        assert await slow.take(2) == [1, 2]

    with_hub(database, main)


def test_a_stream_ends_when_its_time_is_over(database: Database) -> None:
    """So that a credential is looked at again."""

    async def main(hub: EventHub, _log: EventLog) -> None:
        stream = await reading(hub)
        assert [delivered.event for delivered in await stream.rest()][:1] == [None]
        stream.subscription.close()

    with_hub(database, main, limits={"lifetime": 0.1})


def test_there_are_only_so_many_streams(database: Database) -> None:
    """A place is free again when a stream is closed, even one that was never read."""

    async def main(hub: EventHub, _log: EventLog) -> None:
        streams = [await reading(hub) for _ in range(3)]
        with pytest.raises(Unavailable) as refused:
            await reading(hub)
        assert (refused.value.code, refused.value.retry_after) == ("too_many_streams", 10)
        streams[0].subscription.close()
        await reading(hub)
        assert hub.streams == 3

    with_hub(database, main, limits={"streams": 3})


def test_streams_end_when_the_server_stops(database: Database) -> None:
    """And no others begin."""

    async def main(hub: EventHub, _log: EventLog) -> None:
        stream = await reading(hub)
        await stream.next()
        hub.end()
        assert await stream.rest() == []
        with pytest.raises(Unavailable, match="stopping"):
            await reading(hub)

    with_hub(database, main)


def test_the_streams_outlast_a_database_that_is_away(database: Database) -> None:
    """They hear of everything once it is back."""
    away = threading.Event()

    def refuse(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if away.is_set() and statement.startswith("SELECT events"):
            raise OperationalError(statement, {}, RuntimeError("the database is away"))

    listen(database.engine, "before_cursor_execute", refuse)

    async def main(hub: EventHub, log: EventLog) -> None:
        stream = await reading(hub)
        away.set()
        record(database, log, event(1))
        await asyncio.sleep(0.06)
        away.clear()
        assert await stream.take(1) == [1]

    with_hub(database, main, interval=0.02)

"""Which silence holds an alert, at which moment; on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import attrs
import pytest

from akmatori_server.errors import Conflict
from akmatori_server.silences import SilenceState, store
from akmatori_server.silences.rules import WrittenSilence
from tests.server.silences.night import Night, night, one_database

__all__ = ["night", "one_database"]

HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)


def test_all_matchers_have_to_hold(night: Night) -> None:
    silence = night.silence("alertname=DiskFull", 'host=~"db-.*"', "team!=web")

    assert night.first(alertname="DiskFull", host="db-1") == silence.uuid
    assert night.first(alertname="DiskFull", host="db-1", team="db") == silence.uuid
    assert night.first(alertname="DiskFull", host="db-1", team="web") is None
    assert night.first(alertname="DiskFull") is None
    assert night.first() is None


def test_it_holds_from_its_beginning_until_its_end(night: Night) -> None:
    """The first moment belongs to it, the last does not; the list agrees at each of them."""
    silence = night.silence(starts_in=HOUR, lasts=HOUR)

    def at(moment: timedelta) -> tuple[str | None, list[SilenceState]]:
        night.clock.now = silence.starts_at + moment
        listed = [state for state in SilenceState if night.service.listing(state, now=night.clock.now).all()]
        return night.first(alertname="DiskFull"), listed

    assert at(-TICK) == (None, [SilenceState.PENDING])
    assert at(timedelta(0)) == (silence.uuid, [SilenceState.ACTIVE])
    assert at(HOUR - TICK) == (silence.uuid, [SilenceState.ACTIVE])
    assert at(HOUR) == (None, [SilenceState.EXPIRED])


def test_of_several_the_one_that_ends_last_holds(night: Night) -> None:
    """So that an alert is let go and taken back as seldom as possible."""
    night.silence(lasts=HOUR)
    long = night.silence(lasts=3 * HOUR)
    night.silence(lasts=2 * HOUR)

    assert night.first(alertname="DiskFull") == long.uuid


def test_changed_matchers_count_at_once(night: Night) -> None:
    silence = night.silence("alertname=DiskFull")
    night.service.update(silence.uuid, WrittenSilence(matchers=["alertname=CPUHigh"]))

    assert night.first(alertname="DiskFull") is None
    assert night.first(alertname="CPUHigh") == silence.uuid


def test_compiled_matchers_are_kept_between_calls(night: Night) -> None:
    night.silence('alertname=~"Disk.*"')
    with night.database.read() as connection:
        first, second = (night.book.active(connection, night.clock.now) for _call in range(2))

    assert first.silences[0].matchers is second.silences[0].matchers


def test_one_that_was_ended_or_never_begins_holds_nothing(night: Night) -> None:
    active, pending = night.silence(lasts=3 * HOUR), night.silence(starts_in=HOUR)
    night.service.end(active.uuid)
    night.service.end(pending.uuid)

    assert night.first(alertname="DiskFull") is None
    night.clock.tick(3600 * 1.5)
    assert night.first(alertname="DiskFull") is None
    assert {
        one.silence.state_at(night.clock.now)
        for one in night.service.listing(None, now=night.clock.now).all()
    } == {SilenceState.EXPIRED}


def test_it_counts_the_firing_alerts_it_holds(night: Night) -> None:
    first, second = night.silence(), night.silence()
    night.hold(first, "a", "b")
    night.hold(first, "c", status="resolved")

    counts = {
        one.silence.uuid: one.silenced_count for one in night.service.listing(None, now=night.clock.now).all()
    }
    assert counts == {first.uuid: 2, second.uuid: 0}
    assert night.service.get(first.uuid).silenced_count == 2


@pytest.mark.parametrize("released", [True, False])
def test_only_what_was_given_back_is_removed(night: Night, released: bool) -> None:
    silence = night.silence(lasts=HOUR)
    night.clock.tick(2 * 3600)
    with night.database.write() as connection:
        if released:
            store.set_released(connection, silence.id, now=night.clock.now)
        at_its_end = store.delete_expired_before(connection, silence.ends_at)
        after_it = store.delete_expired_before(connection, silence.ends_at + TICK)

    assert (at_its_end, after_it) == (0, int(released))


def test_a_change_that_waited_does_not_revive_what_was_ended_meanwhile(night: Night) -> None:
    """Whether a silence is over is decided when the writer has it, not when it asked for it."""
    silence = night.silence(lasts=HOUR)
    with ThreadPoolExecutor(1) as pool:
        with night.database.write() as connection:
            store.get(connection, silence.uuid, to_change=True)
            waiting = pool.submit(night.service.update, silence.uuid, WrittenSilence(duration=2 * HOUR))
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.3)
            ended = night.clock.tick(60)
            store.update(connection, silence.id, attrs.evolve(silence, ends_at=ended), now=ended)
        with pytest.raises(Conflict):
            waiting.result(timeout=20)

    assert night.service.get(silence.uuid).silence.ends_at == ended

"""What a silence held is given back when it ends, on both databases."""

from __future__ import annotations

from datetime import timedelta

import pytest

from akmatori_server.engine.memory_engine import MemoryEngine
from akmatori_server.silences.release import LATE, NAME, ReleaseJob
from akmatori_server.silences.rules import WrittenSilence
from tests.server.silences.night import Night, night, one_database

__all__ = ["night", "one_database"]

HOUR = timedelta(hours=1)


@pytest.fixture
def asked() -> list[int]:
    """The silences whose alerts were decided anew, in order."""
    return []


@pytest.fixture
def job(night: Night, asked: list[int]) -> ReleaseJob:
    def release(silence_id: int) -> int:
        asked.append(silence_id)
        return 1

    return ReleaseJob(night.database, release, night.clock, events=night.log)


def test_nothing_is_let_go_before_the_end(night: Night, job: ReleaseJob, asked: list[int]) -> None:
    silence = night.silence(lasts=HOUR)
    night.silence(starts_in=HOUR)
    night.clock.tick(3599)
    job.run()
    assert (asked, night.released_at(silence)) == ([], None)


def test_at_the_end_its_alerts_are_let_go_and_it_is_told_once(
    night: Night, job: ReleaseJob, asked: list[int]
) -> None:
    silence = night.silence(lasts=HOUR)
    ended = night.clock.tick(3600)
    job.run()
    assert asked == [silence.id]
    assert night.released_at(silence) == ended
    assert night.told() == ["silence.created", "silence.ended"]


def test_what_is_committed_late_is_let_go_too(night: Night, job: ReleaseJob, asked: list[int]) -> None:
    """A delivery that was judged before the end may be committed after it."""
    silence = night.silence(lasts=HOUR)
    first = night.clock.tick(3600)
    for _minute in range(10):
        job.run()
        night.clock.tick(60)
    assert asked == [silence.id] * (LATE // timedelta(minutes=1))
    assert night.released_at(silence) == first
    assert night.told().count("silence.ended") == 1


def test_one_that_was_ended_by_hand_is_not_told_twice(
    night: Night, job: ReleaseJob, asked: list[int]
) -> None:
    silence = night.silence(lasts=HOUR)
    night.clock.tick(60)
    night.service.end(silence.uuid)
    job.run()
    assert asked == [silence.id]
    assert night.released_at(silence) is not None
    assert night.told() == ["silence.created", "silence.ended"]


def test_changed_matchers_have_its_alerts_looked_at_again(
    night: Night, job: ReleaseJob, asked: list[int]
) -> None:
    """While it is active; it goes on afterwards."""
    changed, other = night.silence(lasts=HOUR), night.silence(lasts=HOUR)
    pending = night.silence(starts_in=HOUR)
    narrower = WrittenSilence(matchers=["alertname=DiskFull", "host=db-1"])
    night.service.update(changed.uuid, narrower)
    night.service.update(pending.uuid, narrower)
    night.service.update(other.uuid, WrittenSilence(comment="other words"))
    job.run()
    assert asked == [changed.id]
    assert night.released_at(changed) is None

    night.clock.tick(LATE.total_seconds())
    job.run()
    night.clock.tick(60)
    job.run()
    assert asked == [changed.id] * 2


def test_one_that_fails_is_tried_again_and_keeps_nobody_waiting(night: Night) -> None:
    broken, sound = night.silence(lasts=HOUR), night.silence(lasts=HOUR)
    asked: list[int] = []

    def release(silence_id: int) -> int:
        asked.append(silence_id)
        if asked == [broken.id]:
            raise RuntimeError("the database went away")
        return 0

    job = ReleaseJob(night.database, release, night.clock, events=night.log)
    night.clock.tick(3600 + LATE.total_seconds())
    job.run()
    assert (night.released_at(broken), night.released_at(sound)) == (None, night.clock.now)
    job.run()
    assert asked == [broken.id, sound.id, broken.id]
    assert night.released_at(broken) == night.clock.now


def test_the_engine_runs_it(night: Night, job: ReleaseJob, asked: list[int]) -> None:
    engine = MemoryEngine()
    job.declare(engine)
    silence = night.silence(lasts=HOUR)
    night.clock.tick(3600)
    engine.jobs[NAME]()
    assert asked == [silence.id]

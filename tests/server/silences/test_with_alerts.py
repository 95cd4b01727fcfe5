"""Alerts under silences, from the delivery to the incident; on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from akmatori_server.alert_sources.models import NewAlertSource
from akmatori_server.incidents.tables import incidents
from akmatori_server.silences.models import CountedSilence
from akmatori_server.silences.release import LATE, ReleaseJob
from akmatori_server.silences.rules import WrittenSilence
from tests.server.alerts.payloads import delivery, entry
from tests.server.incidents.domain import Domain, domain

__all__ = ["domain"]

HOUR = timedelta(hours=1)


@attrs.frozen
class Shift:
    """A source that delivers, silences, and the job that ends them."""

    domain: Domain
    source: str
    job: ReleaseJob

    def silence(self, *matchers: str, lasts: timedelta = HOUR, starts_in: timedelta | None = None) -> str:
        """Create a silence, and return its uuid."""
        begin = None if starts_in is None else self.domain.clock.now + starts_in
        written = WrittenSilence(matchers=matchers, comment="x", starts_at=begin, duration=lasts)
        with self.domain.silences.change() as write:
            return self.domain.silences.create_in(write, written, created_by="admin").silence.uuid

    def deliver(self, *alerts: dict[str, Any]) -> None:
        """Have the source deliver alerts."""
        self.domain.deliver(self.source, delivery(*alerts))

    def after(self, seconds: float) -> None:
        """Let time pass, and run what is due."""
        self.domain.clock.tick(seconds)
        self.job.run()

    def held(self, uuid: str) -> int:
        """How many alerts the silence holds."""
        counted: CountedSilence = self.domain.silences.get(uuid)
        return counted.silenced_count

    def incidents(self) -> Sequence[object]:
        """The statuses of the incidents."""
        return [
            row[0] for row in self.domain.rows(sa.select(incidents.c.firing_count).order_by(incidents.c.id))
        ]


@pytest.fixture
def shift(domain: Domain) -> Shift:
    """Nothing has happened yet."""
    source = domain.sources.create(NewAlertSource(source_type_name="alertmanager", name="prom"))
    job = ReleaseJob(domain.database, domain.held.release, domain.clock, events=domain.events)
    return Shift(domain, source.uuid, job)


def test_what_still_fires_at_the_end_becomes_one_incident(shift: Shift) -> None:
    """Repeats under the silence, and releases after it, double nothing."""
    silence = shift.silence("alertname=DiskFull")
    for _repeat in range(2):
        shift.deliver(entry("DiskFull", fingerprint="a"))
    shift.after(3599)
    assert (shift.incidents(), shift.held(silence)) == ([], 1)

    shift.after(1)
    assert (shift.incidents(), shift.held(silence)) == ([1], 0)
    shift.after(60)
    shift.deliver(entry("DiskFull", fingerprint="a"))
    assert shift.incidents() == [1]


def test_what_was_resolved_meanwhile_wakes_nobody(shift: Shift) -> None:
    silence = shift.silence("alertname=DiskFull")
    shift.deliver(entry("DiskFull", fingerprint="a"))
    now = shift.domain.clock.tick(60)
    shift.deliver(entry("DiskFull", status="resolved", ends=now, fingerprint="a"))
    assert shift.held(silence) == 0

    shift.after(7200)
    assert shift.incidents() == []


def test_a_maintenance_window_holds_from_its_beginning(shift: Shift) -> None:
    silence = shift.silence("alertname=DiskFull", starts_in=HOUR)
    shift.deliver(entry("DiskFull", fingerprint="before"))
    assert (shift.incidents(), shift.held(silence)) == ([1], 0)

    shift.after(3600)
    shift.deliver(entry("DiskFull", fingerprint="within"))
    assert (shift.incidents(), shift.held(silence)) == ([1], 1)


def test_another_silence_takes_over(shift: Shift) -> None:
    first = shift.silence("alertname=DiskFull")
    shift.deliver(entry("DiskFull", fingerprint="a"))
    second = shift.silence("alertname=DiskFull", lasts=2 * HOUR)

    shift.after(3600)
    assert (shift.incidents(), shift.held(first), shift.held(second)) == ([], 0, 1)
    shift.after(3600)
    assert (shift.incidents(), shift.held(second)) == ([1], 0)


def test_narrower_matchers_let_go_what_they_are_not_about(shift: Shift) -> None:
    silence = shift.silence("alertname=DiskFull")
    shift.deliver(*(entry("DiskFull", fingerprint=host, host=host) for host in ("db-1", "web-1")))
    shift.domain.silences.update(silence, WrittenSilence(matchers=["alertname=DiskFull", "host=~db-.*"]))
    assert shift.held(silence) == 2

    shift.after(60)
    assert (shift.incidents(), shift.held(silence)) == ([1], 1)
    shift.after(LATE.total_seconds())
    assert (shift.incidents(), shift.held(silence)) == ([1], 1)


def test_ended_by_hand_it_lets_go_within_a_minute(shift: Shift) -> None:
    silence = shift.silence("alertname=DiskFull")
    shift.deliver(entry("DiskFull", fingerprint="a"))
    shift.domain.silences.end(silence)

    shift.after(60)
    assert (shift.incidents(), shift.held(silence)) == ([1], 0)


def test_a_source_that_is_gone_keeps_no_other_waiting(shift: Shift) -> None:
    """Its alerts stay stored; those of the others find their incidents."""
    gone = shift.domain.sources.create(NewAlertSource(source_type_name="alertmanager", name="gone"))
    shift.silence("alertname=DiskFull")
    shift.domain.deliver(gone.uuid, delivery(entry("DiskFull", fingerprint="a")))
    shift.deliver(entry("DiskFull", fingerprint="b"))
    shift.domain.sources.delete(gone.uuid)

    shift.after(3600)
    assert shift.incidents() == [1]

"""Any order of firing, repeating, resolving and firing again, against a model small enough to be right."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import attrs
import pytest
import sqlalchemy as sa

from akmatori_server.alert_sources.models import AlertSource, NewAlertSource
from akmatori_server.alerts.intake import Limits
from akmatori_server.alerts.models import AlertStatus, NormalisedAlert, Severity
from akmatori_server.alerts.tables import alerts
from akmatori_server.database import Database
from akmatori_server.incidents.tables import incidents
from tests.server.alerts.model import Model
from tests.server.incidents.domain import Domain, make_domain
from tests.support.databases import KINDS, copied_database

INTERLEAVINGS = 10_000
STEPS = 4
SOURCES = 20
# a and b are of one group; the others stand alone.
NAMES = "abcd"
GROUPS = {"a": "g", "b": "g"}
# All deliveries of a step wait at once.
LIMITS = Limits(waiting_deliveries=INTERLEAVINGS, waiting_alerts=3 * INTERLEAVINGS)
TICKS = (timedelta(seconds=1), timedelta(minutes=4), timedelta(minutes=29), timedelta(minutes=31))


@attrs.frozen
class Telling:
    """One alert as a delivery tells it; kept, to be delivered once more, late."""

    name: str
    began: datetime
    ended: datetime | None


@attrs.define
class Interleaving:
    """One source's deliveries, made as they are needed, and what they should lead to."""

    number: int
    dice: random.Random
    model: Model = attrs.field(factory=lambda: Model(GROUPS))
    told: list[Telling] = attrs.field(factory=list[Telling])

    def next_delivery(self, now: datetime) -> list[NormalisedAlert]:
        """Make one delivery of one to three alerts, and have the model take it."""
        names = self.dice.sample(NAMES, self.dice.randint(1, 3))
        tellings = [self._telling(name, now) for name in names]
        # Two Alertmanagers deliver the same, or one of them retries.
        for telling in tellings * self.dice.choice((1, 1, 2)):
            if telling.ended is None:
                self.model.fire(telling.name, telling.began, now)
            else:
                self.model.resolve(telling.name, telling.began, telling.ended)
        self.told += tellings
        return [self._alert(telling) for telling in tellings]

    def _telling(self, name: str, now: datetime) -> Telling:
        known = self.model.alerts.get(name)
        what = self.dice.choice(("fire", "fire", "resolve", "late"))
        earlier = [telling for telling in self.told if telling.name == name]
        if what == "late" and earlier:
            return self.dice.choice(earlier)
        if what == "resolve":
            return Telling(name, now if known is None else known.began, now)
        return Telling(name, known.began if known is not None and known.is_firing else now, None)

    def _alert(self, telling: Telling) -> NormalisedAlert:
        group = GROUPS.get(telling.name)
        return NormalisedAlert(
            alert_name=telling.name,
            severity=Severity.HIGH,
            status=AlertStatus.FIRING if telling.ended is None else AlertStatus.RESOLVED,
            source_fingerprint=f"{self.number}:{telling.name}",
            group_key=f"{self.number}:{group}" if group else "",
            started_at=telling.began,
            ended_at=telling.ended,
        )

    def expected(self) -> set[tuple[frozenset[str], int, int, bool]]:
        """What its incidents should be: whose alerts fire, how many there are, how many fire, is it over."""
        return {
            (frozenset(one.firing), one.alerts, len(one.firing), one.resolved_at is not None)
            for one in self.model.incidents
        }


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest) -> Iterator[Domain]:
    """One domain for all of them, each of which has alerts of its own."""
    with (
        tempfile.TemporaryDirectory() as directory,
        copied_database(request.param, Path(directory), request) as url,
    ):
        database = Database.open(url)
        made = make_domain(database, Path(directory), limits=LIMITS)
        yield made
        made.ingest.close()
        database.close()
        shutil.rmtree(Path(directory) / "incidents", ignore_errors=True)


@pytest.mark.timeout(300)
def test_ten_thousand_interleavings(world: Domain) -> None:
    """However deliveries are ordered, repeated and batched, incidents and alerts are those of the model."""
    dice = random.Random(20261122)
    sources = [_source(world, number) for number in range(SOURCES)]
    all_of_them = [Interleaving(number, random.Random(number)) for number in range(INTERLEAVINGS)]
    for _ in range(STEPS):
        world.clock.now += dice.choice(TICKS)
        waiting = [
            world.ingest.submit(sources[one.number % SOURCES], delivered)
            for one in all_of_them
            for delivered in [one.next_delivery(world.clock.now)]
        ]
        for receipt in waiting:
            receipt.result(60)
        with world.database.write() as connection:
            # The investigations end before the next step, so that what is over can be over.
            connection.execute(
                sa.update(incidents).where(incidents.c.status == "pending").values(status="completed")
            )

    found = _found(world)
    wrong = [one.number for one in all_of_them if found[one.number] != one.expected()]
    assert wrong == []
    assert sum(len(one.model.incidents) for one in all_of_them) == _count(world)


def _found(world: Domain) -> dict[int, set[tuple[frozenset[str], int, int, bool]]]:
    """Read back what became of each of them."""
    firing: dict[int, set[str]] = defaultdict(set)
    of_incident: dict[int, tuple[int, int, int, bool]] = {}
    query = sa.select(
        alerts.c.fingerprint,
        alerts.c.status,
        incidents.c.id,
        incidents.c.alert_count,
        incidents.c.firing_count,
        incidents.c.resolved_at,
    ).join(incidents, incidents.c.id == alerts.c.incident_id)
    with world.database.read() as connection:
        for row in connection.execute(query):
            number, name = row.fingerprint.split(":")
            of_incident[row.id] = (
                int(number),
                row.alert_count,
                row.firing_count,
                row.resolved_at is not None,
            )
            if row.status == "firing":
                firing[row.id].add(name)
    found: dict[int, set[tuple[frozenset[str], int, int, bool]]] = defaultdict(set)
    for incident_id, (number, *counts) in of_incident.items():
        found[number].add((frozenset(firing[incident_id]), counts[0], counts[1], bool(counts[2])))
    return found


def _count(world: Domain) -> int:
    [(total,)] = world.rows(sa.select(sa.func.count()).select_from(incidents))
    assert isinstance(total, int)
    return total


def _source(world: Domain, number: int) -> AlertSource:
    return world.sources.create(
        NewAlertSource(
            source_type_name="alertmanager", name=f"source {number}", settings={"storm_threshold": 1_000_000}
        )
    )

"""Any order of firing, repeating, resolving and firing again, against a model small enough to be right."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from akmatori_server.alert_sources.models import AlertSource, NewAlertSource
from akmatori_server.alerts.tables import alerts
from akmatori_server.database import Database
from akmatori_server.incidents.tables import incidents
from tests.server.alerts.payloads import delivery, entry
from tests.server.incidents.domain import Domain, make_domain

NAMES = "abc"
STEPS = st.lists(
    st.lists(
        st.tuples(st.sampled_from(NAMES), st.sampled_from(["fire", "resolve", "late"])),
        min_size=1,
        max_size=4,
    ),
    min_size=1,
    max_size=12,
)


@attrs.define
class Model:
    """What should be: an alert that fires while it is open repeats; else it opens its own incident."""

    began: dict[str, datetime] = attrs.field(factory=dict[str, datetime])
    is_open: dict[str, bool] = attrs.field(factory=dict[str, bool])
    incidents: Counter[str] = attrs.field(factory=Counter[str])

    def take(self, name: str, what: str, now: datetime) -> dict[str, Any]:
        """Return the entry to send for a step."""
        if what == "resolve":
            self.is_open[name] = False
            return entry(name, status="resolved", starts=self.began.get(name, now), ends=now)
        known = name in self.began
        if what == "late" and known:
            # The episode told of before, delivered once more: it is the same one, over or not.
            self.is_open[name] = True
            return entry(name, starts=self.began[name])
        if not self.is_open.get(name, False):
            self.began[name] = now
            self.incidents[name] += 1
        self.is_open[name] = True
        return entry(name, starts=self.began[name])


@pytest.fixture(scope="module")
def world(sqlite_template: Path) -> Iterator[Domain]:
    """One domain for every example, each of which has a source of its own."""
    with tempfile.TemporaryDirectory() as directory:
        path = shutil.copy(sqlite_template, Path(directory) / "app.db")
        database = Database.open(f"sqlite:///{path}")
        yield make_domain(database, Path(directory))
        database.close()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_one_episode_is_one_incident(world: Domain, steps: list[list[tuple[str, str]]]) -> None:
    """However deliveries are cut and interleaved, incidents and open alerts are those of the model."""
    source = _source(world)
    model = Model()
    for step in steps:
        entries: list[dict[str, Any]] = []
        for name, what in step:
            world.clock.tick()
            entries.append(model.take(name, what, world.clock.now))
        world.clock.tick()
        world.ingest.receive(source.uuid, delivery(*entries), {})

    found = world.rows(
        sa.select(alerts.c.alert_name, alerts.c.status, incidents.c.uuid)
        .join(incidents, incidents.c.id == alerts.c.incident_id)
        .where(alerts.c.alert_source_id == source.id)
    )
    assert Counter(name for name, _, _ in found) == model.incidents
    assert len({uuid for _, _, uuid in found}) == model.incidents.total()
    assert {name for name, status, _ in found if status == "firing"} == {
        name for name, is_open in model.is_open.items() if is_open
    }


def _source(world: Domain) -> AlertSource:
    world.clock.tick()
    name = world.clock.now.isoformat()
    return world.sources.create(NewAlertSource(source_type_name="alertmanager", name=name))

"""Silences on a real database, with a clock that a test moves."""

from __future__ import annotations

from collections.abc import Generator
from datetime import datetime, timedelta

import attrs
import pytest
import sqlalchemy as sa

from akmatori_server.alerts.tables import alerts
from akmatori_server.database import Database
from akmatori_server.events import EventLog
from akmatori_server.events.tables import events
from akmatori_server.silences import SilenceBook
from akmatori_server.silences.models import Silence
from akmatori_server.silences.rules import WrittenSilence
from akmatori_server.silences.service import SilenceService
from akmatori_server.silences.tables import silences
from tests.server.incidents.domain import Clock
from tests.support.databases import KINDS, copied_database


@attrs.frozen
class Night:
    """The silences of a night shift."""

    database: Database
    clock: Clock
    log: EventLog
    service: SilenceService
    book: SilenceBook = attrs.field(factory=SilenceBook)

    def silence(
        self,
        *matchers: str,
        starts_in: timedelta | None = None,
        lasts: timedelta = timedelta(hours=1),
    ) -> Silence:
        """Create a silence."""
        written = WrittenSilence(
            matchers=matchers or ("alertname=DiskFull",),
            comment="planned",
            starts_at=None if starts_in is None else self.clock.now + starts_in,
            duration=lasts,
        )
        with self.service.change() as write:
            return self.service.create_in(write, written, created_by="admin").silence

    def hold(self, silence: Silence, *names: str, status: str = "firing") -> None:
        """Store alerts that the silence holds."""
        now = self.clock.now
        texts = {"status": status, "alert_name": "DiskFull", "severity": "high", "payload": {}}
        times = {"first_seen_at": now, "last_seen_at": now}
        with self.database.write() as connection:
            for name in names:
                row = {"uuid": name, "fingerprint": name, "silence_id": silence.id, **texts, **times}
                connection.execute(sa.insert(alerts).values(row))

    def first(self, **fields: str) -> str | None:
        """Return the uuid of the silence that holds the alert with these labels now."""
        with self.database.read() as connection:
            active = self.book.active(connection, self.clock.now)
        found = active.first({f"labels.{name}": value for name, value in fields.items()})
        return None if found is None else found.uuid

    def told(self) -> list[str]:
        """Return the kinds of the events so far."""
        with self.database.read() as connection:
            return list(connection.execute(sa.select(events.c.kind).order_by(events.c.id)).scalars())

    def released_at(self, silence: Silence) -> datetime | None:
        """Return when the silence's alerts were given back."""
        query = sa.select(silences.c.released_at).where(silences.c.id == silence.id)
        with self.database.read() as connection:
            released: datetime | None = connection.execute(query).scalar_one()
        return released


@pytest.fixture(scope="module", params=KINDS)
def one_database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Database]:
    """A database for the tests of a module: making one takes longer than any of them."""
    with copied_database(request.param, tmp_path_factory.mktemp("night"), request) as url:
        database = Database.open(url)
        yield database
        database.close()


@pytest.fixture
def night(one_database: Database) -> Night:
    """No silences yet."""
    with one_database.write() as connection:
        for table in (silences, alerts, events):
            connection.execute(sa.delete(table))
    clock, log = Clock(), EventLog()
    return Night(one_database, clock, log, SilenceService(one_database, log, now=clock))

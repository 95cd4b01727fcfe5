"""Where the cases of a document are played: a database of their own, and the server's own taking-in of alerts."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import attrs
import sqlalchemy as sa
import structlog

from akmatori_server.alert_sources import store as source_store
from akmatori_server.alert_sources.models import AlertSource
from akmatori_server.alert_sources.types import SOURCE_TYPES
from akmatori_server.alerts.homes import STORM_RULE
from akmatori_server.alerts.settlement import Submission, settle
from akmatori_server.alerts.tables import alerts
from akmatori_server.correlation.cases import START, CaseDelivery, CaseResult, PlacedAlert, Play, run_cases
from akmatori_server.correlation.document import RulesDocument
from akmatori_server.correlation.rules import RuleBook
from akmatori_server.database import Database, metadata
from akmatori_server.events.models import NewEvent
from akmatori_server.incidents.models import Status
from akmatori_server.incidents.service import Opening
from akmatori_server.incidents.tables import incidents
from akmatori_server.silences.book import ActiveSilences


def run_in_arena(document: RulesDocument) -> tuple[CaseResult, ...]:
    """Run the cases of a document; nothing remains of them."""
    if not document.cases:
        return ()
    # Taking alerts in is logged; nobody should look for these in the incidents.
    with structlog.contextvars.bound_contextvars(rules_test=True), arena() as play:
        return run_cases(document, play)


@contextmanager
def arena() -> Generator[Play]:
    """Make a database for cases, and throw it away in the end."""
    with tempfile.TemporaryDirectory(prefix="akmatori-rules-") as directory:
        database = Database.open(f"sqlite:///{directory}/cases.db")
        try:
            with database.write() as connection:
                # Those of everything that is imported, and so of everything that takes alerts in.
                metadata.create_all(connection)
                for source_type in SOURCE_TYPES:
                    source_store.put_type(connection, source_type, now=START)
            yield _Arena(database, Path(directory))
        finally:
            database.close()


class _Arena:
    """Plays each case in one transaction, which is rolled back: the next one begins from nothing."""

    def __init__(self, database: Database, directory: Path) -> None:
        self._database = database
        self._directory = directory

    def __call__(self, book: RuleBook, deliveries: Sequence[CaseDelivery], /) -> list[PlacedAlert]:
        """Play one case."""
        circumstances = _Circumstances(book)
        with self._database.engine.connect() as connection:
            sources = _sources(connection, deliveries)
            for delivery in deliveries:
                settle(
                    Opening(connection, circumstances, self._directory, delivery.at),
                    [Submission(source=sources[delivery.source], alerts=delivery.alerts)],
                    rules=circumstances,
                    silences=circumstances,
                    events=circumstances,
                )
                _end_investigations(connection, delivery.at)
            placed = _placed(connection)
            connection.rollback()
        return placed


@attrs.frozen
class _Circumstances:
    """The rules of the case, and nothing else: no silences, nobody who watches, nobody who investigates."""

    book: RuleBook

    def current(self) -> RuleBook:
        return self.book

    def active(self, _connection: sa.Connection, _now: datetime, /) -> ActiveSilences:
        return ActiveSilences()

    def record(self, connection: sa.Connection, events: Sequence[NewEvent], /) -> None:
        pass

    def wake(self) -> None:
        pass

    def enqueue(self, connection: sa.Connection, incident_id: int, run: int = 1, *, group: str = "") -> None:
        pass


def _sources(connection: sa.Connection, deliveries: Iterable[CaseDelivery]) -> dict[str, AlertSource]:
    types = {source_type.name: source_type.id for source_type in source_store.types(connection)}
    sources: dict[str, AlertSource] = {}
    for name, type_name in {delivery.source: delivery.source_type for delivery in deliveries}.items():
        identifier = str(uuid.uuid4())
        values = {
            "uuid": identifier,
            "alert_source_type_id": types[type_name],
            "name": name,
            "description": "",
            "enabled": True,
            "created_at": START,
            "updated_at": START,
        }
        source_store.insert(connection, values)
        source = source_store.get(connection, identifier)
        if source is not None:
            sources[name] = source
    return sources


def _end_investigations(connection: sa.Connection, now: datetime) -> None:
    """Let every investigation end at once: one that goes on would keep its incident open beyond the window."""
    connection.execute(
        sa.update(incidents)
        .where(incidents.c.status != Status.COMPLETED.value)
        .values(status=Status.COMPLETED.value, completed_at=now)
    )


def _placed(connection: sa.Connection) -> list[PlacedAlert]:
    query = (
        sa.select(alerts.c.fingerprint, alerts.c.incident_id, alerts.c.decision)
        .where(alerts.c.incident_id.is_not(None))
        .order_by(alerts.c.id)
    )
    return [
        PlacedAlert(
            fingerprint=row.fingerprint,
            incident=str(row.incident_id),
            # What a storm swallows is placed by no rule any more.
            rule=STORM_RULE if row.decision["outcome"] == STORM_RULE else row.decision["rule"],
        )
        for row in connection.execute(query)
    ]

"""The services of the domain packages on a real database, for their tests."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet

from akmatori_server.alert_sources.at_hand import SourcesAtHand
from akmatori_server.alert_sources.service import AlertSourceService
from akmatori_server.alerts.ingest import Delivery, Gate, Ingest
from akmatori_server.alerts.intake import Limits
from akmatori_server.alerts.release import HeldAlerts
from akmatori_server.alerts.settlement import Receipt
from akmatori_server.audit import AuditTrail
from akmatori_server.correlation.service import RulesService
from akmatori_server.crypto import SecretBox
from akmatori_server.database import Database
from akmatori_server.deliveries.limiter import RateLimiter
from akmatori_server.deliveries.sealing import BodySeal
from akmatori_server.deliveries.service import DeliveryLog
from akmatori_server.engine.memory_engine import MemoryEngine
from akmatori_server.events import EventLog
from akmatori_server.http.call import Call, Caller, Scope
from akmatori_server.incidents.control import InvestigationControl
from akmatori_server.incidents.service import IncidentService
from akmatori_server.runbooks.service import RunbookService
from akmatori_server.silences.book import SilenceBook
from akmatori_server.silences.service import SilenceService

START = datetime(2026, 5, 15, 10, 0, tzinfo=UTC)


@attrs.define
class Clock:
    """A clock that a test moves."""

    now: datetime = START

    def __call__(self) -> datetime:
        """Return the present moment."""
        return self.now

    def tick(self, seconds: float = 1.0) -> datetime:
        """Let time pass, and return the moment after it."""
        self.now += timedelta(seconds=seconds)
        return self.now


@attrs.frozen
class Domain:
    """Every service of these packages on one database."""

    database: Database
    clock: Clock
    queue: MemoryEngine
    data_directory: Path
    secrets: SecretBox
    incidents: IncidentService
    control: InvestigationControl
    sources: AlertSourceService
    ingest: Ingest
    held: HeldAlerts
    rules: RulesService
    silences: SilenceService
    deliveries: DeliveryLog
    events: EventLog
    runbooks: RunbookService
    trail: AuditTrail

    def deliver(self, source_uuid: str, body: bytes, headers: Mapping[str, str] | None = None) -> Receipt:
        """Deliver, as the HTTP layer does."""
        delivery = Delivery(source_uuid=source_uuid, body=body, headers=headers or {}, remote="192.0.2.7")
        return asyncio.run(self.ingest.receive(delivery))

    def rows(self, query: sa.Select[*tuple[object, ...]]) -> list[tuple[object, ...]]:
        """Return what a query finds."""
        with self.database.read() as connection:
            return [tuple(row) for row in connection.execute(query)]


def make_domain(database: Database, data_directory: Path, *, limits: Limits | None = None) -> Domain:
    """Put the services together as the server does."""
    clock, queue = Clock(), MemoryEngine()
    secrets = SecretBox([Fernet.generate_key().decode()])
    incidents = IncidentService(database, queue=queue, data_directory=data_directory, now=clock)
    sources = AlertSourceService(database, secrets, now=clock)
    sources.seed_types()
    trail, events = AuditTrail(database, now=clock), EventLog()
    rules = RulesService(database, trail, file=None, now=clock)
    deliveries = DeliveryLog(database, BodySeal(secrets, now=clock), now=clock)
    return Domain(
        database=database,
        clock=clock,
        queue=queue,
        data_directory=data_directory,
        secrets=secrets,
        incidents=incidents,
        control=InvestigationControl(database, queue=queue, events=events, now=clock),
        sources=sources,
        ingest=Ingest(
            SourcesAtHand(sources),
            incidents,
            rules=rules,
            silences=SilenceBook(),
            events=events,
            gate=Gate(limiter=RateLimiter(), deliveries=deliveries),
            now=clock,
            limits=limits,
        ),
        held=HeldAlerts(sources, incidents, rules=rules, silences=SilenceBook(), events=events),
        rules=rules,
        silences=SilenceService(database, events, now=clock),
        deliveries=deliveries,
        events=events,
        runbooks=RunbookService(database, now=clock),
        trail=trail,
    )


def call(*, name: str = "admin", headers: dict[str, str] | None = None) -> Call:
    """One request of an authenticated caller."""
    return Call(
        caller=Caller(kind="user", name=name, scope=Scope.ADMIN),
        request_id="req-1",
        headers=headers or {},
        remote="127.0.0.1",
        base_url="https://akmatori.example.net",
    )


@pytest.fixture
def domain(database: Database, tmp_path: Path) -> Domain:
    """The services on that database."""
    return make_domain(database, tmp_path / "data")

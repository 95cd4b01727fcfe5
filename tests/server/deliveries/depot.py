"""A log of deliveries on a real database, with clocks that a test moves."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest
from cryptography.fernet import Fernet

from akmatori_server.alert_sources.models import AlertSource, AlertSourceType, NewAlertSource
from akmatori_server.alert_sources.service import AlertSourceService
from akmatori_server.crypto import SecretBox
from akmatori_server.database import Database
from akmatori_server.deliveries.flood import FloodGate
from akmatori_server.deliveries.sealing import BodySeal
from akmatori_server.deliveries.service import DeliveryLog
from akmatori_server.errors import ApiError, BadRequest, TooLarge, Unauthorized
from tests.support.databases import KINDS, copied_database

UNKNOWN = "0b1f6c1e-6a0f-4a53-9f0c-0f6f3c1b2a77"
BODY = b'{"alerts": [{"labels": {"password": "planted-secret"}}]}'


@attrs.define
class Clock:
    """Both clocks: the moment of day, and the seconds that buckets count."""

    now: datetime = datetime(2026, 5, 15, 10, 0, tzinfo=UTC)
    seconds: float = 1000.0

    def __call__(self) -> datetime:
        """Return the present moment."""
        return self.now

    def monotonic(self) -> float:
        """Return seconds since some moment."""
        return self.seconds

    def tick(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds


@attrs.define
class Depot:
    """The log, and what it is made of."""

    database: Database
    clock: Clock
    key: str
    sources: AlertSourceService
    log: DeliveryLog
    made: int = 0

    def source(self, kind: str = "alertmanager", **settings: object) -> AlertSource:
        """Add a source."""
        self.made += 1
        new = NewAlertSource(source_type_name=kind, name=f"source {self.made}", settings=settings or None)
        return self.sources.create(new)

    def refuse(
        self,
        source: AlertSource,
        body: bytes = BODY,
        *,
        error: ApiError | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        """Keep a refused delivery; time passes so that the next one is kept too."""
        self.log.refused(
            source,
            remote="192.0.2.10",
            headers=headers or {},
            body=body,
            size=len(body),
            error=error or BadRequest("alerts: must be an array."),
        )
        self.clock.tick(5)

    def warn(self, source: AlertSource, body: bytes = BODY) -> None:
        """Keep a delivery that was taken with two warnings."""
        self.log.warned(
            source, remote="192.0.2.10", headers={}, body=body, warnings=["One is odd.", "One more is odd."]
        )
        self.clock.tick(5)


def unauthorized() -> ApiError:
    """The refusal of a sender that proved nothing."""
    return Unauthorized("The secret of this alert source is missing or wrong.")


def too_large() -> ApiError:
    """The refusal of a body that nobody read."""
    return TooLarge("The body may hold 10485760 bytes at most.")


def stored_nowhere(
    *, kind: str = "alertmanager", uuid: str = UNKNOWN, settings: Mapping[str, Any] | None = None
) -> AlertSource:
    """Return a source that no database has."""
    now = Clock().now
    source_type = AlertSourceType(
        id=1,
        name=kind,
        display_name=kind,
        description="",
        default_field_mappings={},
        webhook_secret_header="",
        created_at=now,
        updated_at=now,
    )
    return AlertSource(
        id=1,
        uuid=uuid,
        type=source_type,
        name=kind,
        description="",
        sealed_secret=None,
        field_mappings=None,
        settings=settings,
        enabled=True,
        created_at=now,
        updated_at=now,
    )


def make_depot(database: Database) -> Depot:
    """Put the parts together as the server does."""
    clock, key = Clock(), Fernet.generate_key().decode()
    box = SecretBox([key])
    sources = AlertSourceService(database, box, now=clock)
    sources.seed_types()
    gate = FloodGate(clock=clock.monotonic)
    return Depot(
        database=database,
        clock=clock,
        key=key,
        sources=sources,
        log=DeliveryLog(database, BodySeal(box, now=clock), now=clock, gate=gate),
    )


@pytest.fixture(scope="module", params=KINDS)
def depot(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Depot]:
    """The log, once for each database; each test adds its own source."""
    directory = tmp_path_factory.mktemp("deliveries")
    with copied_database(request.param, directory, request) as url:
        database = Database.open(url)
        yield make_depot(database)
        database.close()

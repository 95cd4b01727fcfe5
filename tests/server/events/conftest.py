"""One database of each kind for all tests of events: making one takes longer than a test."""

from __future__ import annotations

from collections.abc import Generator

import pytest
import sqlalchemy as sa

from akmatori_server.database import Database
from tests.support.databases import KINDS, copied_database


@pytest.fixture(scope="package", params=KINDS)
def events_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The database's address."""
    with copied_database(request.param, tmp_path_factory.mktemp("events"), request) as url:
        yield url


@pytest.fixture
def database(events_url: str) -> Generator[Database]:
    """The database without any event, and as if there had never been one."""
    database = Database.open(events_url)
    with database.write() as connection:
        if database.is_sqlite:
            connection.execute(sa.text("DELETE FROM events"))
            connection.execute(sa.text("DELETE FROM sqlite_sequence WHERE name = 'events'"))
        else:
            connection.execute(sa.text("TRUNCATE events RESTART IDENTITY"))
    yield database
    database.close()

"""An office for these tests."""

from __future__ import annotations

import pytest

from akmatori_server.database import Database
from tests.server.proposals.office import Office, make_office


@pytest.fixture
def office(database: Database) -> Office:
    """One incident, one tool, and people who decide."""
    return make_office(database)

"""Rooms to investigate in."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from akmatori_server.database import Database
from tests.server.agent.room import AgentRoom, make_agent_room
from tests.support.databases import copied_database


@pytest.fixture
def room(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[AgentRoom]:
    """A room on SQLite: for what no database has a part in."""
    with copied_database("sqlite", tmp_path, request) as url:
        database = Database.open(url)
        yield make_agent_room(database, tmp_path)
        database.close()


@pytest.fixture
def rooms(database: Database, tmp_path: Path) -> AgentRoom:
    """A room on each database."""
    return make_agent_room(database, tmp_path)

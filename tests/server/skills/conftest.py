"""The services of these tests, on both databases."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from akmatori_server.database import Database, metadata
from akmatori_server.tools.tables import tool_types, tools
from tests.support.configured import START, TOKEN, Configured, configured, running


@pytest.fixture
def services(database: Database, tmp_path: Path) -> Configured:
    """The services, with two tools in the database."""
    return prepared(database, tmp_path / "data")


@pytest.fixture
def client(services: Configured) -> Generator[httpx.Client]:
    """An authenticated client of a running server."""
    with (
        running(services) as base_url,
        httpx.Client(base_url=base_url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=20) as client,
    ):
        yield client


def prepared(database: Database, data: Path) -> Configured:
    """Put the services together, with two tools in the database."""
    metadata.create_all(database.engine)
    times = {"created_at": START, "updated_at": START}
    kind = {"id": 1, "name": "ssh", "description": "", "offer": {}, "is_connector": False, "enabled": True}
    with database.write() as connection:
        if connection.execute(sa.select(tool_types.c.id).where(tool_types.c.id == 1)).first() is None:
            connection.execute(tool_types.insert().values(**kind, **times))
        rows = [
            {
                "id": number,
                "tool_type_id": 1,
                "name": f"Tool {number}",
                "logical_name": f"tool-{number}",
                "enabled": True,
            }
            for number in (1, 2)
        ]
        connection.execute(tools.insert(), [{**row, **times} for row in rows])
    return configured(database, data)

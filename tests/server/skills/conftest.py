"""The services of these tests, on both databases."""

from __future__ import annotations

import shutil
from collections.abc import Generator

import httpx
import pytest
import sqlalchemy as sa

from akmatori_server.database import Database
from akmatori_server.tools.tables import tool_types, tools
from tests.support.configured import START, TOKEN, Configured, configured, running
from tests.support.databases import KINDS, copied_database, empty


@pytest.fixture(scope="module", params=KINDS)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Configured]:
    """The services of all tests of a module: a server and its database take longer to start than a test."""
    directory = tmp_path_factory.mktemp("skills")
    with copied_database(request.param, directory, request) as url:
        database = Database.open(url)
        yield configured(database, directory / "data")
        database.close()


@pytest.fixture
def services(shop: Configured, request: pytest.FixtureRequest) -> Configured:
    """The services as they are at the first start, with two tools in the database."""
    empty(shop.database, request)
    shutil.rmtree(shop.data)
    shop.data.mkdir()
    shop.clock.now = START
    add_tools(shop.database)
    shop.skills.seed_system_skills()
    return shop


@pytest.fixture(scope="module")
def shop_url(shop: Configured) -> Generator[str]:
    """Where the services are served."""
    with running(shop) as base_url:
        yield base_url


@pytest.fixture
def client(services: Configured, shop_url: str) -> Generator[httpx.Client]:
    """An authenticated client of the running server."""
    del services  # they are as at the first start
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=shop_url, headers=headers, timeout=20) as client:
        yield client


def add_tools(database: Database) -> None:
    """Put two tools into the database."""
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

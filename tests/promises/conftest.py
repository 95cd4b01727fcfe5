"""What the promises share."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from tests.promises.serverprocess import Launcher
from tests.support.databases import postgres_database

# Its assertions tell what they compared, as those of test modules do.
pytest.register_assert_rewrite("tests.promises.accounts")


@pytest.fixture(scope="session")
def launcher() -> Generator[Launcher]:
    """The process that starts servers, for all of the tests."""
    with Launcher() as running:
        yield running


@pytest.fixture
def postgresql(postgres_url: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database."""
    with postgres_database(postgres_url) as url:
        yield url

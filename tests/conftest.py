"""Fixtures of the whole suite; each is explained where it is defined."""

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

from tests.contract.exchanges import EXCHANGES, checked
from tests.support.databases import (
    database,
    empty_database,
    postgres_template,
    postgres_url,
    sqlite_template,
)
from tests.support.site import admin, api_key, server, setup_site

__all__ = [
    "admin",
    "api_key",
    "database",
    "empty_database",
    "postgres_template",
    "postgres_url",
    "server",
    "setup_site",
    "sqlite_template",
]


# CI tries the same examples each time, so that a change is judged by what it changes; everybody else explores.
settings.register_profile("ci", derandomize=True, database=None)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.fixture(scope="session", autouse=True)
def _look_at_the_wire() -> Generator[None]:
    """See every HTTP exchange of the suite."""
    with checked(EXCHANGES):
        yield


@pytest.fixture(autouse=True)
def _every_exchange_keeps_the_contract() -> Generator[None]:
    """Fail the test in which an exchange broke the specification, even if the test itself did not look."""
    EXCHANGES.wrong.clear()
    yield
    if EXCHANGES.wrong:
        pytest.fail("Broke the specification:\n" + "\n".join(EXCHANGES.wrong), pytrace=False)

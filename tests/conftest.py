"""Fixtures of the whole suite; each is explained where it is defined."""

import os
import ssl
import sys
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import settings

from tests.contract.exchanges import EXCHANGES, checked
from tests.support.commands import own_process_settings
from tests.support.databases import (
    KINDS,
    database,
    empty_database,
    postgres_copies,
    postgres_url,
    sqlite_template,
)
from tests.support.site import admin, api_key, server, setup_site

__all__ = [
    "admin",
    "api_key",
    "database",
    "empty_database",
    "own_process_settings",
    "postgres_copies",
    "postgres_url",
    "server",
    "setup_site",
    "sqlite_template",
]


# Many images ask that no bytecode be written. Each worker, and each process that a test starts, would then compile
# the server anew, which takes longer than what it is started for; so they write it, but not between the sources.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):
    os.environ["PYTHONPYCACHEPREFIX"] = str(Path(__file__).parents[1] / ".pytest_cache" / "bytecode")
    sys.pycache_prefix = os.environ["PYTHONPYCACHEPREFIX"]
    sys.dont_write_bytecode = False


# CI tries the same examples each time, so that a change is judged by what it changes; everybody else explores.
settings.register_profile("ci", derandomize=True, database=None)
if os.environ.get("CI"):
    settings.load_profile("ci")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share a server or a database on one worker: on two, both would start it.

    What is started for SQLite and what is started for PostgreSQL has nothing in common, and may go apart.
    """
    _refuse_twins(items)
    for item in items:
        if _shares_fixtures(item) and item.get_closest_marker("xdist_group") is None:
            kind = next((kind for kind in KINDS if kind in item.name), "any")
            item.add_marker(pytest.mark.xdist_group(f"{item.nodeid.partition('::')[0]}-{kind}"))


def _refuse_twins(items: list[pytest.Item]) -> None:
    """Of several tests with one name pytest-xdist runs one, and says nothing."""
    # In the soak session, which is one process, Schemathesis names all operations alike.
    counted = Counter(item.nodeid for item in items if item.get_closest_marker("soak") is None)
    twins = sorted(name for name, number in counted.items() if number > 1)
    if twins:
        raise pytest.UsageError(f"Several tests have the same name: {', '.join(twins[:5])}.")


def _shares_fixtures(item: pytest.Item) -> bool:
    # pytest tells a test's fixtures by name only; their scopes are here.
    information: Any = getattr(item, "_fixtureinfo", None)
    if information is None:
        return False
    definitions: Iterable[Sequence[pytest.FixtureDef[Any]]] = information.name2fixturedefs.values()
    return any(found.scope in {"module", "package"} for several in definitions for found in several)


@pytest.fixture(scope="session", autouse=True)
def _certificates_are_read_once() -> Generator[None]:
    """Let clients share what they trust: each would read all authorities of the world, for 25 ms of CPU."""
    make = httpx.create_ssl_context

    @cache
    def made(verify: Any, cert: Any, trust_env: bool, _environment: tuple[str | None, ...]) -> ssl.SSLContext:
        return make(verify=verify, cert=cert, trust_env=trust_env)

    def shared(verify: Any = True, cert: Any = None, trust_env: bool = True) -> ssl.SSLContext:
        named = tuple(os.environ.get(name) for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"))
        return made(verify, cert, trust_env, named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", shared)
        yield


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

"""Fixtures of the whole suite; each is explained where it is defined."""

import os
import ssl
import sys
from collections import Counter
from collections.abc import Generator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

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
    """Look at what was collected before anything is run."""
    _refuse_twins(items)


class ByModule(LoadScopeScheduling):
    """Keeps the tests of a module on one worker: they share servers, which several workers would each start.

    What is started for SQLite and what is started for PostgreSQL has nothing in common, and may go apart. The groups
    of pytest-xdist 3.8 cannot say this: they are written into names that pytest 9.1 does not read any more.
    """

    def _split_scope(self, nodeid: str) -> str:
        path, _, name = nodeid.partition("::")
        return f"{path} {next((kind for kind in KINDS if kind in name), '')}"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByModule:
    """Hand out modules in their order: the long promises come early, where others fill the gaps behind them."""
    config.option.loadscopereorder = False
    return ByModule(config, log)


def _refuse_twins(items: list[pytest.Item]) -> None:
    """Of several tests with one name pytest-xdist runs one, and says nothing."""
    # In the soak session, which is one process, Schemathesis names all operations alike.
    counted = Counter(item.nodeid for item in items if item.get_closest_marker("soak") is None)
    twins = sorted(name for name, number in counted.items() if number > 1)
    if twins:
        raise pytest.UsageError(f"Several tests have the same name: {', '.join(twins[:5])}.")


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

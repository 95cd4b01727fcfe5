"""Fixtures: the scripted server, both flavours of client, a clock that does not wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.sdk.server import Scripted
from tests.sdk.support import StillClock


@pytest.fixture
def server() -> Iterator[Scripted]:
    """A scripted server that listens on a free port."""
    scripted = Scripted()
    thread = threading.Thread(target=scripted.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield scripted
    scripted.shutdown()
    scripted.server_close()
    thread.join()


@pytest.fixture(params=["sync", "async"])
def flavour(request: pytest.FixtureRequest) -> str:
    """Every test that asks for it runs against both loops."""
    return str(request.param)


@pytest.fixture
def still() -> StillClock:
    """Time that passes only by sleeping."""
    return StillClock()


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for prefix in ("AKMATORI", "AOTANAMI"):
        for name in ("HOST", "TOKEN", "API_KEY", "USERNAME", "PASSWORD"):
            monkeypatch.delenv(f"{prefix}_{name}", raising=False)

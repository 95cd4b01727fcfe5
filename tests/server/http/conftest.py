"""A made-up system under the real HTTP layer."""

from __future__ import annotations

from collections.abc import Generator

import attrs
import httpx
import pytest

from akmatori_server.http.application import build_application
from akmatori_server.http.call import Pending, Scope
from akmatori_server.http.failures import render_aotanami
from tests.support.running import serve
from tests.support.toy import BINDINGS, Keys, Things, toy_system

ORIGIN = "https://ops.example.org"


@attrs.define
class Toy:
    """The running toy, what its handlers stored, and its keys: r, w and a, each with one scope."""

    client: httpx.Client
    things: Things
    keys: Keys
    needs_setup: bool = False
    observed: list[tuple[str, int]] = attrs.field(factory=list[tuple[str, int]])

    def observe(self, *, operation: str, method: str, status: int, seconds: float) -> None:
        """Note what was reported."""
        self.observed.append((operation, status))


@pytest.fixture(scope="session")
def running_toy() -> Generator[Toy]:
    """The toy twice: at / in Akmatori's manner, and at /api/v1 with nothing but pending operations."""
    keys = Keys({"r": Scope.READ, "w": Scope.WRITE, "a": Scope.ADMIN})
    things = Things()
    pending = frozenset(binding.id for binding in BINDINGS)
    toy = Toy(httpx.Client(), things, keys)
    app = build_application(
        [
            toy_system(things),
            toy_system(
                Pending(), name="second", base_path="/api/v1", pending=pending, render_error=render_aotanami
            ),
        ],
        authenticator=keys,
        setup_required=lambda: False,
        observe=toy.observe,
        cors_origins=[ORIGIN],
        check_responses=True,
    )
    with serve(app) as url, httpx.Client(base_url=url, headers={"X-API-Key": "a"}, timeout=20) as client:
        toy.client.close()
        toy.client = client
        yield toy


@pytest.fixture
def toy(running_toy: Toy) -> Toy:
    """The running toy with nothing stored."""
    running_toy.things.stored.clear()
    running_toy.observed.clear()
    running_toy.keys.failure = None
    return running_toy

"""The SDK's documentation of streams, tried as it is printed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from akmatori_sdk import Akmatori, AsyncAkmatori
from akmatori_server.http.call import Scope
from tests.support.databases import copied_database
from tests.support.site import Site, running_site

DOCS = Path(__file__).parents[3] / "docs" / "sdk.md"


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Site]:
    """A running server."""
    directory = tmp_path_factory.mktemp("site")
    with copied_database("sqlite", directory, request) as url, running_site(url, directory) as site:
        yield site


def examples() -> list[str]:
    """Return the Python of the section."""
    section = DOCS.read_text().partition("## Following what happens")[2].partition("\n## ")[0]
    return re.findall(r"```python\n(.*?)```", section, re.DOTALL)


def test_the_examples_do_what_they_say(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """One after the other, with the client and the incident they speak of."""
    following, tailing = examples()
    with Akmatori(site.base_url, api_key=site.key(Scope.WRITE)) as client:
        names: dict[str, Any] = {"client": client}
        exec(following, names)  # noqa: S102 - our own documentation
        said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("incident.")]
        names["uuid"] = client.incidents.list().collect(1)[0].uuid
        exec(tailing, names)  # noqa: S102 - same
        log = capsys.readouterr().out

    assert said[0] == "incident.opened Why is db-1 slow?"
    assert said[-1] == "incident.completed Why is db-1 slow?"
    assert "API Incident Task:\nWhy is db-1 slow?" in log
    assert "\ncompleted " in log or "completed " in log


def test_a_log_is_followed_while_it_is_written(site: Site) -> None:
    """Piece by piece, and all of it."""
    with Akmatori(site.base_url, api_key=site.key(Scope.WRITE)) as client:
        with client.events.stream(kind="incident.completed") as events:
            uuid = client.incidents.create(task="Why?").uuid
            with client.incidents.tail(uuid, timeout=30) as tail:
                text = "".join(tail)
            assert next(events).incident_uuid == uuid
        assert tail.incident is not None
        assert text == tail.incident.full_log == client.incidents.get(uuid).full_log
        assert tail.incident.status == "completed"


def test_the_same_with_asyncio(site: Site) -> None:
    """In one task."""

    async def main() -> None:
        async with AsyncAkmatori(site.base_url, api_key=site.key(Scope.WRITE)) as client:
            async with client.events.stream(kind="incident.completed") as events:
                uuid = (await client.incidents.create(task="Why?")).uuid
                async with client.incidents.tail(uuid, timeout=30) as tail:
                    text = "".join([piece async for piece in tail])
                assert (await anext(events)).incident_uuid == uuid
            assert tail.incident is not None
            assert text == tail.incident.full_log

    asyncio.run(main())

"""Runbooks to find."""

from __future__ import annotations

from importlib.resources import files

import pytest

from tests.server.investigation.cases import Text


@pytest.fixture(scope="session")
def runbooks() -> list[Text]:
    """The runbooks that come with the server."""
    found: list[Text] = []
    directory = files("akmatori_server").joinpath("demo/runbooks")
    for number, entry in enumerate(sorted(directory.iterdir(), key=lambda entry: entry.name), start=1):
        heading, _, content = entry.read_text(encoding="utf-8").partition("\n")
        found.append(Text(number, heading.removeprefix("# ").strip(), content.strip()))
    return found

"""Slack, and the parts of notifications on a real database."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from akmatori_server.database import Database
from tests.server.notifications.office import Office, make_office
from tests.support.slack import SlackServer, slack_server


@pytest.fixture(scope="module")
def slack() -> Generator[SlackServer]:
    """A workspace."""
    with slack_server() as running:
        yield running


@pytest.fixture
def office(database: Database, tmp_path: Path, slack: SlackServer) -> Office:
    """Nothing is configured yet, and Slack is empty."""
    slack.reset()
    return make_office(database, tmp_path / "data", slack)

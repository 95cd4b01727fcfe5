"""Fixtures of the tests of correlation."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from akmatori_server.database import Database


@pytest.fixture
def unused(tmp_path: Path) -> Generator[Database]:
    """A database that is never asked: rules of a file need none."""
    database = Database.open(f"sqlite:///{tmp_path / 'unused.db'}")
    yield database
    database.close()

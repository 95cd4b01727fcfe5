"""What surrounds a write: who may refuse it, who notes it, and what becomes of a name that is taken meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeAlias, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from akmatori_server.database import Database
from akmatori_server.errors import Conflict

T = TypeVar("T")

Check: TypeAlias = Callable[[T], None]
"""Looks at what is stored before it is changed, and raises to refuse."""

Record: TypeAlias = Callable[[sa.Connection, T, T | None], None]
"""Notes a change inside its own transaction: what was stored, and what is stored now."""


def allow(_stored: object) -> None:
    """Refuse nothing."""


def unrecorded(_connection: sa.Connection, _before: object, _after: object) -> None:
    """Note nothing: for writes of the server itself."""


@contextmanager
def unique_write(database: Database, conflict: str) -> Generator[sa.Connection]:
    """Yield one write transaction; a name that another writer takes meanwhile is a Conflict with this sentence."""
    try:
        with database.write() as connection:
            yield connection
    except IntegrityError as error:
        raise Conflict(conflict) from error

"""SQL of runbooks."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from akmatori_server.database.conditions import has_id
from akmatori_server.runbooks.models import Runbook, RunbookText
from akmatori_server.runbooks.tables import runbooks

_NAMES = tuple(str(column.name) for column in runbooks.c)


def listed(connection: sa.Connection, *, offset: int = 0, limit: int | None = None) -> list[Runbook]:
    """Return runbooks by title."""
    query = sa.select(runbooks).order_by(runbooks.c.title, runbooks.c.id).offset(offset).limit(limit)
    return [_runbook(row) for row in connection.execute(query)]


def count(connection: sa.Connection) -> int:
    """Count the runbooks."""
    return connection.execute(sa.select(sa.func.count()).select_from(runbooks)).scalar_one()


def get(connection: sa.Connection, runbook_id: int, *, to_change: bool = False) -> Runbook | None:
    """Return the runbook with this id, or None; `to_change` keeps other writers away until the commit."""
    query = sa.select(runbooks).where(has_id(runbooks.c.id, runbook_id))
    row = connection.execute(query.with_for_update() if to_change else query).one_or_none()
    return None if row is None else _runbook(row)


def insert(connection: sa.Connection, text: RunbookText, *, now: datetime) -> Runbook:
    """Store a new runbook."""
    values = {"title": text.title, "content": text.content, "created_at": now, "updated_at": now}
    row = connection.execute(sa.insert(runbooks).values(values).returning(*runbooks.c)).one()
    return _runbook(row)


def update(connection: sa.Connection, runbook_id: int, text: RunbookText, *, now: datetime) -> Runbook:
    """Replace the text of a runbook that is there."""
    values = {"title": text.title, "content": text.content, "updated_at": now}
    statement = (
        sa.update(runbooks).where(has_id(runbooks.c.id, runbook_id)).values(values).returning(*runbooks.c)
    )
    return _runbook(connection.execute(statement).one())


def delete(connection: sa.Connection, runbook_id: int) -> bool:
    """Delete a runbook; return whether it was there."""
    deleted = connection.execute(
        sa.delete(runbooks).where(has_id(runbooks.c.id, runbook_id)).returning(runbooks.c.id)
    )
    return deleted.one_or_none() is not None


def _runbook(row: sa.Row[Any]) -> Runbook:
    return Runbook(**dict(zip(_NAMES, row, strict=True)))

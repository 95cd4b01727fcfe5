"""SQL of the audit trail."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from akmatori_server.audit.models import Entry, Filter
from akmatori_server.audit.tables import audit_entries

_NAMES = tuple(str(column.name) for column in audit_entries.c)
_ENTRIES = sa.select(*audit_entries.c).order_by(audit_entries.c.id.desc())


def insert(connection: sa.Connection, values: dict[str, Any]) -> None:
    """Add an entry."""
    connection.execute(sa.insert(audit_entries).values(values))


def count(connection: sa.Connection, wanted: Filter) -> int:
    """Count the entries that are wanted."""
    query = sa.select(sa.func.count()).select_from(audit_entries).where(*_conditions(wanted))
    return connection.execute(query).scalar_one()


def page(connection: sa.Connection, wanted: Filter, *, offset: int, limit: int) -> list[Entry]:
    """Return a slice of the entries that are wanted, the newest first."""
    query = _ENTRIES.where(*_conditions(wanted)).offset(offset).limit(limit)
    return [_entry(row) for row in connection.execute(query)]


def page_before(connection: sa.Connection, wanted: Filter, *, entry_id: int, limit: int) -> list[Entry]:
    """Return what follows an entry in the list; the cost does not grow with the depth."""
    query = _ENTRIES.where(*_conditions(wanted), audit_entries.c.id < entry_id).limit(limit)
    return [_entry(row) for row in connection.execute(query)]


def _conditions(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    columns = audit_entries.c
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.actor is not None:
        conditions.append(columns.actor == wanted.actor)
    if wanted.action is not None:
        below = columns.action.startswith(f"{wanted.action}:", autoescape=True)
        conditions.append(sa.or_(columns.action == wanted.action, below))
    if wanted.target is not None:
        conditions.append(columns.target == wanted.target)
    if wanted.since is not None:
        conditions.append(columns.created_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(columns.created_at <= wanted.until)
    return conditions


def _entry(row: sa.Row[Any]) -> Entry:
    return Entry(**dict(zip(_NAMES, row, strict=True)))

"""SQL of context files."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from akmatori_server.context_files.models import ContextFile
from akmatori_server.context_files.tables import context_files
from akmatori_server.database.conditions import has_id

_COLUMNS = tuple(column for column in context_files.c if column.name != "name_key")
_NAMES = tuple(str(column.name) for column in _COLUMNS)
# SQLite refuses statements with more values than this.
_MOST_VALUES = 500


def listed(connection: sa.Connection, *, offset: int = 0, limit: int | None = None) -> list[ContextFile]:
    """Return files by name."""
    query = sa.select(*_COLUMNS).order_by(context_files.c.filename, context_files.c.id)
    return [_file(row) for row in connection.execute(query.offset(offset).limit(limit))]


def count(connection: sa.Connection) -> int:
    """Count the files."""
    return totals(connection)[0]


def totals(connection: sa.Connection) -> tuple[int, int]:
    """Return how many files there are, and their bytes."""
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(context_files.c.size), 0))
    number, size = connection.execute(query.select_from(context_files)).one()
    return int(number), int(size)


def get(connection: sa.Connection, file_id: int) -> ContextFile | None:
    """Return the file with this id, or None."""
    row = connection.execute(sa.select(*_COLUMNS).where(has_id(context_files.c.id, file_id))).one_or_none()
    return None if row is None else _file(row)


def taken_as(connection: sa.Connection, filename: str) -> str | None:
    """Return the name of the file that stands in the way of one of this name, or None."""
    query = sa.select(context_files.c.filename).where(context_files.c.name_key == filename.lower())
    return connection.execute(query).scalar_one_or_none()


def existing(connection: sa.Connection, filenames: Collection[str]) -> set[str]:
    """Return those of the names that belong to a file."""
    names, found = list(filenames), set[str]()
    for begin in range(0, len(names), _MOST_VALUES):
        part = names[begin : begin + _MOST_VALUES]
        query = sa.select(context_files.c.filename).where(context_files.c.filename.in_(part))
        found.update(connection.execute(query).scalars())
    return found


def insert(connection: sa.Connection, values: Mapping[str, Any]) -> ContextFile:
    """Store a new file's row."""
    row = {**values, "name_key": str(values["filename"]).lower()}
    return _file(connection.execute(sa.insert(context_files).values(**row).returning(*_COLUMNS)).one())


def update(connection: sa.Connection, file_id: int, values: Mapping[str, Any]) -> None:
    """Change a row."""
    connection.execute(sa.update(context_files).where(has_id(context_files.c.id, file_id)).values(**values))


def delete(connection: sa.Connection, file_id: int) -> None:
    """Delete a row."""
    connection.execute(sa.delete(context_files).where(has_id(context_files.c.id, file_id)))


def _file(row: sa.Row[Any]) -> ContextFile:
    return ContextFile(**dict(zip(_NAMES, row, strict=True)))

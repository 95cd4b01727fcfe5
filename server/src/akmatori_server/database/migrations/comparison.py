"""Which parts of a database count when it is compared with our tables."""

from __future__ import annotations

from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext
from sqlalchemy.sql.schema import SchemaItem

from akmatori_server.database.schema import JSONText, Timestamp

Kind = Literal[
    "schema",
    "table",
    "column",
    "index",
    "unique_constraint",
    "foreign_key_constraint",
    "check_constraint",
]
# Made by hand in the migrations, because each database has its own kind.
FULL_TEXT_INDEX = "runbooks_fts"


def is_compared(
    _item: SchemaItem, name: str | None, kind: Kind, is_reflected: bool, other: SchemaItem | None
) -> bool:
    """Leave out what is not ours: the engine's tables, and the full-text index with its shadow tables."""
    is_foreign = kind == "table" and is_reflected and other is None
    return not is_foreign and not (name or "").startswith(FULL_TEXT_INDEX)


def rendered(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write our own column types by their short names, which each migration imports."""
    if kind == "type" and isinstance(item, (JSONText, Timestamp)):
        return f"{type(item).__name__}()"
    return False

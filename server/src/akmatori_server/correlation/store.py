"""SQL of the correlation rules: one row, on the caller's connection."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from akmatori_server.correlation.document import EMPTY
from akmatori_server.correlation.tables import correlation_rules
from akmatori_server.incidents.storable import JSON

ONLY_ROW = 1
# Of the row that is made before the first write, so that there is one to lock.
UNWRITTEN = 0

_QUERY = sa.select(
    correlation_rules.c.document, correlation_rules.c.version, correlation_rules.c.updated_at
).where(correlation_rules.c.id == ONLY_ROW)


@attrs.frozen(kw_only=True)
class StoredRules:
    """The row: the document as JSON, and how often it was written."""

    document: JSON
    version: int
    updated_at: datetime


def read(connection: sa.Connection) -> StoredRules | None:
    """Return what was stored by the API, or None when nothing was."""
    row = connection.execute(_QUERY).one_or_none()
    stored = None if row is None else _stored(row)
    return None if stored is None or stored.version == UNWRITTEN else stored


def lock(connection: sa.Connection, *, now: datetime) -> StoredRules:
    """Return the row, made when it is missing; other writers wait until the transaction ends."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    first = dialect.insert(correlation_rules).values(
        id=ONLY_ROW, document=EMPTY.as_json(), version=UNWRITTEN, created_at=now, updated_at=now
    )
    connection.execute(first.on_conflict_do_nothing())
    return _stored(connection.execute(_QUERY.with_for_update()).one())


def write(connection: sa.Connection, stored: StoredRules) -> None:
    """Replace the row."""
    connection.execute(
        sa.update(correlation_rules)
        .where(correlation_rules.c.id == ONLY_ROW)
        .values(document=stored.document, version=stored.version, updated_at=stored.updated_at)
    )


def _stored(row: Any) -> StoredRules:
    return StoredRules(document=row.document, version=row.version, updated_at=row.updated_at)

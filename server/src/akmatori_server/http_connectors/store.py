"""SQL of HTTP connectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from akmatori_server.database.conditions import has_id
from akmatori_server.http_connectors.models import HttpConnector
from akmatori_server.http_connectors.tables import http_connectors

_NAMES = tuple(str(column.name) for column in http_connectors.c)


def listed(connection: sa.Connection, *, offset: int = 0, limit: int | None = None) -> list[HttpConnector]:
    """Return connectors in the order of their creation."""
    query = sa.select(http_connectors).order_by(http_connectors.c.id).offset(offset).limit(limit)
    return [_connector(tuple(row)) for row in connection.execute(query)]


def count(connection: sa.Connection) -> int:
    """Count the connectors."""
    return connection.execute(sa.select(sa.func.count()).select_from(http_connectors)).scalar_one()


def get(connection: sa.Connection, connector_id: int, *, hold: bool = False) -> HttpConnector | None:
    """Return the connector with this id, or None; with `hold`, nobody else changes it in this transaction."""
    query = sa.select(http_connectors).where(has_id(http_connectors.c.id, connector_id))
    row = connection.execute(query.with_for_update() if hold else query).one_or_none()
    return None if row is None else _connector(tuple(row))


def named(connection: sa.Connection, name: str) -> HttpConnector | None:
    """Return the connector whose tools are of this type, or None."""
    query = sa.select(http_connectors).where(http_connectors.c.tool_type_name == name)
    row = connection.execute(query).one_or_none()
    return None if row is None else _connector(tuple(row))


def insert(connection: sa.Connection, values: Mapping[str, Any]) -> HttpConnector:
    """Store a new connector."""
    statement = sa.insert(http_connectors).values(**values).returning(*http_connectors.c)
    return _connector(tuple(connection.execute(statement).one()))


def update(connection: sa.Connection, connector_id: int, values: Mapping[str, Any]) -> HttpConnector:
    """Change a stored connector."""
    statement = (
        sa.update(http_connectors)
        .where(has_id(http_connectors.c.id, connector_id))
        .values(**values)
        .returning(*http_connectors.c)
    )
    return _connector(tuple(connection.execute(statement).one()))


def delete(connection: sa.Connection, connector_id: int) -> None:
    """Delete a connector."""
    connection.execute(sa.delete(http_connectors).where(has_id(http_connectors.c.id, connector_id)))


def _connector(row: tuple[Any, ...]) -> HttpConnector:
    return HttpConnector(**dict(zip(_NAMES, row, strict=True)))

"""SQL of MCP servers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from akmatori_server.database.conditions import has_id
from akmatori_server.mcp_servers.models import McpServer
from akmatori_server.mcp_servers.tables import mcp_servers

_NAMES = tuple(str(column.name) for column in mcp_servers.c)


def listed(connection: sa.Connection, *, offset: int = 0, limit: int | None = None) -> list[McpServer]:
    """Return servers in the order of their creation."""
    query = sa.select(mcp_servers).order_by(mcp_servers.c.id).offset(offset).limit(limit)
    return [_server(tuple(row)) for row in connection.execute(query)]


def count(connection: sa.Connection) -> int:
    """Count the servers."""
    return connection.execute(sa.select(sa.func.count()).select_from(mcp_servers)).scalar_one()


def get(connection: sa.Connection, server_id: int, *, hold: bool = False) -> McpServer | None:
    """Return the server with this id, or None; with `hold`, nobody else changes it in this transaction."""
    query = sa.select(mcp_servers).where(has_id(mcp_servers.c.id, server_id))
    row = connection.execute(query.with_for_update() if hold else query).one_or_none()
    return None if row is None else _server(tuple(row))


def with_prefix(connection: sa.Connection, prefix: str) -> McpServer | None:
    """Return the server with this prefix, or None."""
    query = sa.select(mcp_servers).where(mcp_servers.c.namespace_prefix == prefix)
    row = connection.execute(query).one_or_none()
    return None if row is None else _server(tuple(row))


def name_is_taken(connection: sa.Connection, name: str, *, except_id: int = 0) -> bool:
    """Whether another server has this name."""
    query = sa.select(mcp_servers.c.id).where(mcp_servers.c.name == name, mcp_servers.c.id != except_id)
    return connection.execute(query).first() is not None


def insert(connection: sa.Connection, values: Mapping[str, Any]) -> int:
    """Store a new server, and return its id."""
    statement = sa.insert(mcp_servers).values(**values).returning(mcp_servers.c.id)
    return int(connection.execute(statement).scalar_one())


def update(connection: sa.Connection, server_id: int, values: Mapping[str, Any]) -> McpServer:
    """Change a stored server."""
    statement = (
        sa.update(mcp_servers)
        .where(has_id(mcp_servers.c.id, server_id))
        .values(**values)
        .returning(*mcp_servers.c)
    )
    return _server(tuple(connection.execute(statement).one()))


def delete(connection: sa.Connection, server_id: int) -> None:
    """Delete a server."""
    connection.execute(sa.delete(mcp_servers).where(has_id(mcp_servers.c.id, server_id)))


def _server(row: tuple[Any, ...]) -> McpServer:
    return McpServer(**dict(zip(_NAMES, row, strict=True)))

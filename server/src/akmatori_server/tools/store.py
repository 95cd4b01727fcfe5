"""SQL of tools and tool types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from akmatori_server.database.conditions import has_id
from akmatori_server.tools import keys_store
from akmatori_server.tools.definition import ToolFunction, TypeDefinition
from akmatori_server.tools.models import SshKey, Tool, ToolType
from akmatori_server.tools.tables import tool_types, tools

_TYPE_NAMES = tuple(str(column.name) for column in tool_types.c)
_TOOL_NAMES = ("id", "name", "logical_name", "settings", "enabled", "created_at", "updated_at")
_WITH_TYPE = sa.select(
    *(tools.c[name] for name in _TOOL_NAMES), *(tool_types.c[name] for name in _TYPE_NAMES)
).join(tool_types, tools.c.tool_type_id == tool_types.c.id)


def types(connection: sa.Connection) -> list[ToolType]:
    """Return types in the order of their creation."""
    query = sa.select(tool_types).order_by(tool_types.c.id)
    return [_type(tuple(row)) for row in connection.execute(query)]


def get_type(connection: sa.Connection, type_id: int) -> ToolType | None:
    """Return the type with this id, or None. It cannot go until the transaction is over."""
    query = sa.select(tool_types).where(has_id(tool_types.c.id, type_id)).with_for_update(read=True)
    row = connection.execute(query).one_or_none()
    return None if row is None else _type(tuple(row))


def put_type(
    connection: sa.Connection,
    definition: TypeDefinition,
    *,
    now: datetime,
    old_name: str | None = None,
    is_connector: bool = False,
    enabled: bool = True,
) -> None:
    """Create the type, or bring what is published about it up to date; `old_name` when it is renamed."""
    published: dict[str, Any] = {
        "name": definition.name,
        "description": definition.description,
        "schema": dict(definition.settings),
        "offer": definition.as_stored(),
        "is_connector": is_connector,
        "enabled": enabled,
        "updated_at": now,
    }
    updated = connection.execute(
        sa.update(tool_types)
        .where(tool_types.c.name == (old_name or definition.name))
        .values(published)
        .returning(tool_types.c.id)
    ).one_or_none()
    if updated is None:
        connection.execute(sa.insert(tool_types).values(created_at=now, **published))


def delete_type(connection: sa.Connection, name: str) -> None:
    """Delete a type; no tool may be made of it any more."""
    connection.execute(sa.delete(tool_types).where(tool_types.c.name == name))


def names_of_type(connection: sa.Connection, type_name: str) -> list[str]:
    """Name the tools made of a type, which cannot get more until the transaction is over."""
    held = sa.select(tool_types.c.id).where(tool_types.c.name == type_name).with_for_update()
    type_id = connection.execute(held).scalar_one_or_none()
    query = sa.select(tools.c.name).where(tools.c.tool_type_id == type_id).order_by(tools.c.id)
    return list(connection.execute(query).scalars())


def listed(connection: sa.Connection, *, offset: int = 0, limit: int | None = None) -> list[Tool]:
    """Return tools with their keys, in the order of their creation."""
    return _tools(connection, _WITH_TYPE.order_by(tools.c.id).offset(offset).limit(limit))


def with_ids(connection: sa.Connection, ids: Sequence[int]) -> list[Tool]:
    """Return the tools with these ids that exist, in the order of their creation."""
    query = _WITH_TYPE.where(tools.c.id.in_([sa.literal(one, sa.BigInteger) for one in ids]))
    return _tools(connection, query.order_by(tools.c.id))


def count(connection: sa.Connection) -> int:
    """Count the tools."""
    return connection.execute(sa.select(sa.func.count()).select_from(tools)).scalar_one()


def get(connection: sa.Connection, tool_id: int) -> Tool | None:
    """Return the tool with this id, or None."""
    return next(iter(_tools(connection, _WITH_TYPE.where(has_id(tools.c.id, tool_id)))), None)


def hold(connection: sa.Connection, tool_id: int) -> Tool | None:
    """Return the tool with this id, or None; nobody else changes it or its keys until the transaction is over."""
    held = sa.select(tools.c.id).where(has_id(tools.c.id, tool_id)).with_for_update()
    if connection.execute(held).one_or_none() is None:
        return None
    return get(connection, tool_id)


def is_taken(connection: sa.Connection, column: str, value: str, *, except_id: int = 0) -> bool:
    """Whether another tool has this name, or this logical name."""
    query = sa.select(tools.c.id).where(tools.c[column] == value, tools.c.id != except_id)
    return connection.execute(query).first() is not None


def insert(connection: sa.Connection, values: Mapping[str, Any]) -> int:
    """Store a new tool, and return its id."""
    statement = sa.insert(tools).values(**values).returning(tools.c.id)
    return int(connection.execute(statement).scalar_one())


def update(connection: sa.Connection, tool_id: int, values: Mapping[str, Any]) -> None:
    """Change a stored tool."""
    connection.execute(sa.update(tools).where(tools.c.id == tool_id).values(**values))


def delete(connection: sa.Connection, tool_id: int) -> None:
    """Delete a tool with its keys."""
    connection.execute(sa.delete(tools).where(has_id(tools.c.id, tool_id)))


def _tools(connection: sa.Connection, query: sa.Select[Any]) -> list[Tool]:
    rows = [tuple(row) for row in connection.execute(query)]
    keys = keys_store.of_tools(connection, [int(row[0]) for row in rows])
    return [_tool(row, keys.get(row[0], ())) for row in rows]


def _tool(row: tuple[Any, ...], keys: tuple[SshKey, ...]) -> Tool:
    own = dict(zip(_TOOL_NAMES, row, strict=False))
    return Tool(**own, type=_type(row[len(_TOOL_NAMES) :]), keys=keys)


def _type(row: tuple[Any, ...]) -> ToolType:
    values = dict(zip(_TYPE_NAMES, row, strict=True))
    del values["is_connector"]
    offer: Mapping[str, Any] = values.pop("offer")
    functions = tuple(ToolFunction(**one) for one in offer["functions"])
    return ToolType(**values, version=offer["version"], functions=functions)

"""SQL of skills and their tools."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa

from akmatori_server.skills.models import Skill
from akmatori_server.skills.tables import skill_tools, skills

_NAMES = tuple(str(column.name) for column in skills.c)


def listed(connection: sa.Connection, *, offset: int = 0, limit: int | None = None) -> list[Skill]:
    """Return skills, the oldest first."""
    query = sa.select(skills).order_by(skills.c.id).offset(offset).limit(limit)
    return [_skill(row) for row in connection.execute(query)]


def count(connection: sa.Connection) -> int:
    """Count the skills."""
    return connection.execute(sa.select(sa.func.count()).select_from(skills)).scalar_one()


def get(connection: sa.Connection, name: str, *, to_change: bool = False) -> Skill | None:
    """Return the skill of a name, or None; `to_change` keeps others from changing it until the commit."""
    query = sa.select(skills).where(skills.c.name == name)
    row = connection.execute(query.with_for_update() if to_change else query).one_or_none()
    return None if row is None else _skill(row)


def insert(connection: sa.Connection, values: Mapping[str, Any]) -> Skill:
    """Store a new skill."""
    return _skill(connection.execute(sa.insert(skills).values(**values).returning(*skills.c)).one())


def update(connection: sa.Connection, skill_id: int, values: Mapping[str, Any]) -> Skill:
    """Change a skill that is there."""
    statement = sa.update(skills).where(skills.c.id == skill_id).values(**values).returning(*skills.c)
    return _skill(connection.execute(statement).one())


def delete(connection: sa.Connection, skill_id: int) -> None:
    """Delete a skill and its assignments."""
    connection.execute(sa.delete(skill_tools).where(skill_tools.c.skill_id == skill_id))
    connection.execute(sa.delete(skills).where(skills.c.id == skill_id))


def tool_ids(connection: sa.Connection, skill_ids: Collection[int]) -> dict[int, list[int]]:
    """Return the tools assigned to each of the skills, in the order of their ids."""
    found: dict[int, list[int]] = {skill_id: [] for skill_id in skill_ids}
    query = sa.select(skill_tools).where(skill_tools.c.skill_id.in_(list(skill_ids)))
    for row in connection.execute(query.order_by(skill_tools.c.tool_id)):
        found[row.skill_id].append(row.tool_id)
    return found


def replace_tools(connection: sa.Connection, skill_id: int, ids: Collection[int]) -> None:
    """Make these, and no others, the tools of a skill."""
    connection.execute(sa.delete(skill_tools).where(skill_tools.c.skill_id == skill_id))
    if ids:
        rows = [{"skill_id": skill_id, "tool_id": tool_id} for tool_id in sorted(set(ids))]
        connection.execute(sa.insert(skill_tools), rows)


def _skill(row: sa.Row[Any]) -> Skill:
    return Skill(**dict(zip(_NAMES, row, strict=True)))

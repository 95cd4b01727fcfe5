"""SQL of SSH keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from akmatori_server.tools.models import SshKey
from akmatori_server.tools.tables import ssh_keys

# The wire's identifier is the uuid; the number is the order of adding.
_COLUMNS: tuple[sa.Column[Any], ...] = (
    ssh_keys.c.uuid,
    ssh_keys.c.tool_id,
    ssh_keys.c.name,
    ssh_keys.c.private_key,
    ssh_keys.c.algorithm,
    ssh_keys.c.fingerprint,
    ssh_keys.c.is_default,
    ssh_keys.c.created_at,
)


def of_tools(connection: sa.Connection, tool_ids: Sequence[int]) -> dict[int, tuple[SshKey, ...]]:
    """Return the keys of tools, in the order of adding."""
    if not tool_ids:
        return {}
    query = sa.select(*_COLUMNS).where(ssh_keys.c.tool_id.in_(tool_ids)).order_by(ssh_keys.c.id)
    found: dict[int, tuple[SshKey, ...]] = {}
    for row in connection.execute(query):
        key = _key(row)
        found[key.tool_id] = (*found.get(key.tool_id, ()), key)
    return found


def insert(connection: sa.Connection, key: SshKey) -> None:
    """Store a new key; the tool must have no other default if this is one."""
    connection.execute(
        sa.insert(ssh_keys).values(
            uuid=key.id,
            tool_id=key.tool_id,
            name=key.name,
            private_key=key.sealed_key,
            algorithm=key.algorithm,
            fingerprint=key.fingerprint,
            is_default=key.is_default,
            created_at=key.created_at,
        )
    )


def rename(connection: sa.Connection, key_id: str, name: str) -> None:
    """Give a key another name."""
    connection.execute(sa.update(ssh_keys).where(ssh_keys.c.uuid == key_id).values(name=name))


def clear_default(connection: sa.Connection, tool_id: int) -> None:
    """Leave a tool without a default, to give it another."""
    connection.execute(sa.update(ssh_keys).where(ssh_keys.c.tool_id == tool_id).values(is_default=False))


def set_default(connection: sa.Connection, key_id: str) -> None:
    """Make a key the default of its tool, which must have none."""
    connection.execute(sa.update(ssh_keys).where(ssh_keys.c.uuid == key_id).values(is_default=True))


def delete(connection: sa.Connection, key_id: str) -> None:
    """Delete a key."""
    connection.execute(sa.delete(ssh_keys).where(ssh_keys.c.uuid == key_id))


def _key(row: sa.Row[Any]) -> SshKey:
    created_at: datetime = row.created_at
    return SshKey(
        id=row.uuid,
        tool_id=row.tool_id,
        name=row.name,
        sealed_key=row.private_key,
        algorithm=row.algorithm,
        fingerprint=row.fingerprint,
        is_default=row.is_default,
        created_at=created_at,
    )

"""SQL of the facts of the installation and of API keys."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from akmatori_server.auth.keys import ApiKey
from akmatori_server.auth.tables import api_keys, installation
from akmatori_server.errors import Conflict
from akmatori_server.http.call import Scope


def read_fact(connection: sa.Connection, name: str) -> str | None:
    """Return a fact of the installation, or None."""
    value: str | None = connection.execute(
        sa.select(installation.c.value).where(installation.c.name == name)
    ).scalar()
    return value


def write_fact(connection: sa.Connection, name: str, value: str, *, now: datetime) -> bool:
    """Store a fact unless it is there already; return whether it was stored."""
    values = {"name": name, "value": value, "updated_at": now}
    try:
        with connection.begin_nested():
            connection.execute(installation.insert().values(values))
    except IntegrityError:
        return False
    return True


def replace_fact(connection: sa.Connection, name: str, value: str, *, now: datetime) -> None:
    """Store a fact in place of what was there."""
    connection.execute(installation.delete().where(installation.c.name == name))
    write_fact(connection, name, value, now=now)


def insert_key(connection: sa.Connection, values: Mapping[str, Any]) -> int:
    """Store a key and return its id.

    Raises:
        Conflict: a key that is not revoked has the name.
    """
    try:
        identifier: int = connection.execute(
            api_keys.insert().values(dict(values)).returning(api_keys.c.id)
        ).scalar_one()
    except IntegrityError:
        raise Conflict("An API key with this name exists.") from None
    return identifier


def find_key(connection: sa.Connection, hashed: str) -> ApiKey | None:
    """Return the key with this hash unless it is revoked."""
    row = connection.execute(_usable().where(api_keys.c.hash == hashed)).one_or_none()
    return None if row is None else _key(row)


def list_keys(connection: sa.Connection, *, offset: int = 0, limit: int | None = None) -> list[ApiKey]:
    """Return the keys that are not revoked, oldest first."""
    rows = connection.execute(_usable().order_by(api_keys.c.id).offset(offset).limit(limit))
    return [_key(row) for row in rows]


def count_keys(connection: sa.Connection) -> int:
    """Count the keys that are not revoked."""
    return connection.execute(
        sa.select(sa.func.count()).select_from(api_keys).where(api_keys.c.revoked_at.is_(None))
    ).scalar_one()


def revoke_key(
    connection: sa.Connection, condition: sa.ColumnElement[bool], *, now: datetime
) -> ApiKey | None:
    """Revoke the key the condition names, and return it; None when there is none."""
    changed = connection.execute(
        api_keys.update()
        .where(condition, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(*(api_keys.c[name] for name in _SHOWN))
    )
    row = changed.one_or_none()
    return None if row is None else _key(row)


def touch_key(connection: sa.Connection, identifier: int, *, now: datetime) -> None:
    """Note that a key was used."""
    connection.execute(api_keys.update().where(api_keys.c.id == identifier).values(last_used_at=now))


_SHOWN = ("id", "name", "scope", "hint", "created_at", "last_used_at")


def _usable() -> sa.Select[Any]:
    columns = [api_keys.c[name] for name in _SHOWN]
    return sa.select(*columns).where(api_keys.c.revoked_at.is_(None))


def _key(row: sa.Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        scope=Scope(row.scope),
        hint=row.hint,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
    )

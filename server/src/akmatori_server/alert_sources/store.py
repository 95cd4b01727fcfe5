"""SQL of alert sources and their types."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from akmatori_server.alert_sources.models import AlertSource, AlertSourceType
from akmatori_server.alert_sources.tables import alert_source_types, alert_sources
from akmatori_server.alert_sources.types import SourceType

_TYPE_NAMES = tuple(str(column.name) for column in alert_source_types.c)
_SOURCE_NAMES = (
    "id",
    "uuid",
    "name",
    "description",
    "webhook_secret",
    "field_mappings",
    "settings",
    "enabled",
    "created_at",
    "updated_at",
)
_WITH_TYPE = sa.select(
    *(alert_sources.c[name] for name in _SOURCE_NAMES), *(alert_source_types.c[name] for name in _TYPE_NAMES)
).join(alert_source_types, alert_sources.c.alert_source_type_id == alert_source_types.c.id)


def types(connection: sa.Connection) -> list[AlertSourceType]:
    """Return every type, in the order in which they were seeded."""
    rows = connection.execute(sa.select(alert_source_types).order_by(alert_source_types.c.id))
    return [_type(tuple(row)) for row in rows]


def type_named(connection: sa.Connection, name: str) -> AlertSourceType | None:
    """Return the type with this name, or None."""
    query = sa.select(alert_source_types).where(alert_source_types.c.name == name)
    row = connection.execute(query).one_or_none()
    return None if row is None else _type(tuple(row))


def put_type(connection: sa.Connection, source_type: SourceType, *, now: datetime) -> None:
    """Create the type, or bring what is published about it up to date."""
    published: dict[str, Any] = {
        "display_name": source_type.display_name,
        "description": source_type.description,
        "default_field_mappings": dict(source_type.default_field_mappings),
        "webhook_secret_header": source_type.webhook_secret_header,
        "updated_at": now,
    }
    updated = connection.execute(
        sa.update(alert_source_types)
        .where(alert_source_types.c.name == source_type.name)
        .values(published)
        .returning(alert_source_types.c.id)
    ).one_or_none()
    if updated is None:
        connection.execute(
            sa.insert(alert_source_types).values(name=source_type.name, created_at=now, **published)
        )


def sources(connection: sa.Connection, *, offset: int = 0, limit: int | None = None) -> list[AlertSource]:
    """Return sources in the order of their creation."""
    query = _WITH_TYPE.order_by(alert_sources.c.id).offset(offset).limit(limit)
    return [_source(tuple(row)) for row in connection.execute(query)]


def count(connection: sa.Connection) -> int:
    """Count the sources."""
    return connection.execute(sa.select(sa.func.count()).select_from(alert_sources)).scalar_one()


def get(connection: sa.Connection, uuid: str, *, to_change: bool = False) -> AlertSource | None:
    """Return the source with this uuid, or None; `to_change` keeps other writers away until the commit."""
    query = _WITH_TYPE.where(alert_sources.c.uuid == uuid)
    if to_change:
        query = query.with_for_update(of=alert_sources)
    row = connection.execute(query).one_or_none()
    return None if row is None else _source(tuple(row))


def name_is_taken(connection: sa.Connection, name: str, *, except_uuid: str = "") -> bool:
    """Whether another source has this name."""
    query = sa.select(alert_sources.c.id).where(
        alert_sources.c.name == name, alert_sources.c.uuid != except_uuid
    )
    return connection.execute(query).first() is not None


def insert(connection: sa.Connection, values: Mapping[str, Any]) -> None:
    """Store a new source."""
    connection.execute(sa.insert(alert_sources).values(**values))


def update(connection: sa.Connection, uuid: str, values: Mapping[str, Any]) -> None:
    """Change a stored source."""
    connection.execute(sa.update(alert_sources).where(alert_sources.c.uuid == uuid).values(**values))


def delete(connection: sa.Connection, uuid: str) -> bool:
    """Delete a source; its alerts and incidents stay. Return whether it was there."""
    deleted = connection.execute(
        sa.delete(alert_sources).where(alert_sources.c.uuid == uuid).returning(alert_sources.c.id)
    )
    return deleted.one_or_none() is not None


def _type(row: tuple[Any, ...]) -> AlertSourceType:
    return AlertSourceType(**dict(zip(_TYPE_NAMES, row, strict=True)))


def _source(row: tuple[Any, ...]) -> AlertSource:
    own = dict(zip(_SOURCE_NAMES, row, strict=False))
    sealed_secret: str | None = own.pop("webhook_secret")
    return AlertSource(**own, sealed_secret=sealed_secret, type=_type(row[len(_SOURCE_NAMES) :]))

"""SQL of kept deliveries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from akmatori_server.database.conditions import has_id
from akmatori_server.deliveries.models import EVERYTHING, Delivery, Filter, Outcome
from akmatori_server.deliveries.room import MOST_ROWS, Held, kind_of
from akmatori_server.deliveries.tables import deliveries

_SHOWN = (
    "id",
    "received_at",
    "remote",
    "outcome",
    "status",
    "reason",
    "message",
    "headers",
    "size",
    "kept",
    "replayed_at",
    "replay_result",
)
# More than fit can be there when several servers keep deliveries at once; what is beyond goes the next time.
_MOST_LOOKED_AT = 2 * MOST_ROWS


def insert(connection: sa.Connection, values: Mapping[str, Any]) -> None:
    """Keep a delivery."""
    connection.execute(sa.insert(deliveries).values(**values))


def held(connection: sa.Connection, source_id: int) -> list[Held]:
    """Return what a source's deliveries take of its room, the newest first."""
    query = (
        sa.select(deliveries.c.id, deliveries.c.outcome, deliveries.c.status, deliveries.c.kept)
        .where(deliveries.c.alert_source_id == source_id)
        .order_by(deliveries.c.id.desc())
        .limit(_MOST_LOOKED_AT)
    )
    return [
        Held(row.id, kind_of(Outcome(row.outcome), row.status), row.kept) for row in connection.execute(query)
    ]


def delete(connection: sa.Connection, ids: Sequence[int]) -> None:
    """Delete deliveries."""
    connection.execute(sa.delete(deliveries).where(deliveries.c.id.in_(ids)))


def delete_before(connection: sa.Connection, moment: datetime, *, limit: int) -> int:
    """Delete deliveries received before a moment, and return how many there were."""
    old = sa.select(deliveries.c.id).where(deliveries.c.received_at < moment).limit(limit)
    deleted = connection.execute(
        sa.delete(deliveries).where(deliveries.c.id.in_(old)).returning(deliveries.c.id)
    )
    return len(deleted.all())


def listed(
    connection: sa.Connection,
    source_id: int,
    wanted: Filter = EVERYTHING,
    *,
    offset: int = 0,
    limit: int | None = None,
) -> list[Delivery]:
    """Return a source's deliveries, the newest first."""
    query = _matching(_shown(), source_id, wanted).order_by(deliveries.c.id.desc())
    return [_delivery(row) for row in connection.execute(query.offset(offset).limit(limit))]


def count(connection: sa.Connection, source_id: int, wanted: Filter = EVERYTHING) -> int:
    """Count a source's deliveries."""
    query = sa.select(sa.func.count()).select_from(deliveries)
    total: int = connection.execute(_matching(query, source_id, wanted)).scalar_one()
    return total


def get(
    connection: sa.Connection, source_id: int, identifier: int, *, to_change: bool = False
) -> Delivery | None:
    """Return a delivery of this source, or None; `to_change` keeps other writers away until the commit."""
    query = _shown().where(has_id(deliveries.c.id, identifier), deliveries.c.alert_source_id == source_id)
    row = connection.execute(query.with_for_update() if to_change else query).one_or_none()
    return None if row is None else _delivery(row)


def sealed_body(connection: sa.Connection, identifier: int) -> bytes | None:
    """Return a delivery's encrypted body, None when none of it is kept."""
    return connection.execute(sa.select(deliveries.c.body).where(deliveries.c.id == identifier)).scalar()


def set_replayed(connection: sa.Connection, identifier: int, *, at: datetime, result: str) -> None:
    """Note what taking a delivery in again came to."""
    connection.execute(
        sa.update(deliveries)
        .where(deliveries.c.id == identifier)
        .values(replayed_at=at, replay_result=result)
    )


def _shown() -> sa.Select[Any]:
    return sa.select(*(deliveries.c[name] for name in _SHOWN))


def _matching(query: sa.Select[Any], source_id: int, wanted: Filter) -> sa.Select[Any]:
    query = query.where(deliveries.c.alert_source_id == source_id)
    if wanted.outcome is not None:
        query = query.where(deliveries.c.outcome == wanted.outcome.value)
    if wanted.replayed is not None:
        moment = deliveries.c.replayed_at
        query = query.where(moment.is_not(None) if wanted.replayed else moment.is_(None))
    return query


def _delivery(row: sa.Row[Any]) -> Delivery:
    values = dict(zip(_SHOWN, row, strict=True))
    values["outcome"] = Outcome(values["outcome"])
    return Delivery(**values)

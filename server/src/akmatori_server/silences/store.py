"""SQL of silences."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import attrs
import orjson
import sqlalchemy as sa

from akmatori_server.alerts.models import AlertStatus
from akmatori_server.alerts.tables import alerts
from akmatori_server.matching import Matcher, Operator
from akmatori_server.silences.models import CountedSilence, Silence, SilenceState, SilenceText
from akmatori_server.silences.tables import silences

# How many lists of matchers are kept compiled.
COMPILED = 2048

_COLUMNS: tuple[sa.ColumnElement[Any], ...] = (
    silences.c.id,
    silences.c.uuid,
    # As the text it is stored as, which is what finds the compiled matchers.
    sa.type_coerce(silences.c.matchers, sa.Text).label("matchers"),
    silences.c.starts_at,
    silences.c.ends_at,
    silences.c.comment,
    silences.c.created_by,
    silences.c.created_at,
    silences.c.updated_at,
)
# Part of the same statement: a page of silences costs one query, and never disagrees with itself.
_SILENCED_COUNT = (
    sa.select(sa.func.count())
    .where(alerts.c.silence_id == silences.c.id, alerts.c.status == AlertStatus.FIRING.value)
    .correlate(silences)
    .scalar_subquery()
    .label("silenced_count")
)
_COUNTED: tuple[sa.ColumnElement[Any], ...] = (*_COLUMNS, _SILENCED_COUNT)


@attrs.frozen
class Due:
    """A silence with alerts to be looked at again."""

    silence: Silence
    # It is over, and its alerts were not looked at yet.
    is_first_time: bool


def listed(
    connection: sa.Connection,
    state: SilenceState | None,
    *,
    now: datetime,
    offset: int = 0,
    limit: int | None = None,
) -> list[CountedSilence]:
    """Return silences, the newest first."""
    query = sa.select(*_COUNTED).where(_is_in(state, now)).order_by(silences.c.id.desc())
    return [_counted(row) for row in connection.execute(query.offset(offset).limit(limit))]


def count(connection: sa.Connection, state: SilenceState | None, *, now: datetime) -> int:
    """Count the silences."""
    query = sa.select(sa.func.count()).select_from(silences).where(_is_in(state, now))
    return connection.execute(query).scalar_one()


def get(connection: sa.Connection, uuid: str, *, to_change: bool = False) -> CountedSilence | None:
    """Return the silence with this uuid, or None; `to_change` keeps other writers away until the commit."""
    query = sa.select(*_COUNTED).where(silences.c.uuid == uuid)
    if to_change:
        query = query.with_for_update(of=silences)
    row = connection.execute(query).one_or_none()
    return None if row is None else _counted(row)


def active(connection: sa.Connection, now: datetime) -> list[Silence]:
    """Return the silences that hold alerts now, the one that ends last before the others."""
    query = (
        sa.select(*_COLUMNS)
        .where(_is_in(SilenceState.ACTIVE, now))
        .order_by(silences.c.ends_at.desc(), silences.c.id)
    )
    return [_silence(row) for row in connection.execute(query)]


def insert(
    connection: sa.Connection, text: SilenceText, *, uuid: str, created_by: str, now: datetime
) -> Silence:
    """Store a new silence."""
    values = {"uuid": uuid, "created_by": created_by, "created_at": now, "updated_at": now, **_values(text)}
    row = connection.execute(sa.insert(silences).values(values).returning(*_COLUMNS)).one()
    return _silence(row)


def update(
    connection: sa.Connection,
    silence_id: int,
    text: SilenceText,
    *,
    now: datetime,
    look_again: bool = False,
) -> None:
    """Change a silence that is there; `look_again`: it may hold alerts that it is no longer about."""
    values = {**_values(text), "updated_at": now}
    if look_again:
        values["matchers_changed_at"] = now
    connection.execute(sa.update(silences).where(silences.c.id == silence_id).values(values))


def due(connection: sa.Connection, now: datetime, *, late: timedelta) -> list[Due]:
    """Return the silences with alerts to be looked at again.

    Those that are over are among them until `late` after their end: a delivery that began before the end may
    be committed after it.
    """
    is_over = _is_in(SilenceState.EXPIRED, now)
    is_first_time = sa.and_(is_over, silences.c.released_at.is_(None))
    ended_just_now = sa.and_(is_over, silences.c.ends_at > now - late)
    columns: tuple[sa.ColumnElement[Any], ...] = (*_COLUMNS, is_first_time.label("is_first_time"))
    query = (
        sa.select(*columns)
        .where(sa.or_(is_first_time, ended_just_now, silences.c.matchers_changed_at.is_not(None)))
        .order_by(silences.c.id)
    )
    return [Due(_silence(row), bool(row.is_first_time)) for row in connection.execute(query)]


def set_released(connection: sa.Connection, silence_id: int, *, now: datetime) -> bool:
    """Note that the alerts of a silence that is over were looked at; return whether this is the first note."""
    noted = connection.execute(
        sa.update(silences)
        .where(silences.c.id == silence_id, silences.c.released_at.is_(None), silences.c.ends_at <= now)
        .values(released_at=now)
        .returning(silences.c.id)
    )
    return noted.one_or_none() is not None


def forget_change(connection: sa.Connection, silence_id: int, *, before: datetime) -> None:
    """Note that the alerts need not be looked at for a change of matchers from before this moment."""
    connection.execute(
        sa.update(silences)
        .where(silences.c.id == silence_id, silences.c.matchers_changed_at <= before)
        .values(matchers_changed_at=None)
    )


def delete_expired_before(connection: sa.Connection, cutoff: datetime) -> int:
    """Remove the silences that ended before this moment and hold nothing any more; return how many."""
    deleted = connection.execute(
        sa.delete(silences).where(silences.c.ends_at < cutoff, silences.c.released_at.is_not(None))
    )
    return deleted.rowcount


def _is_in(state: SilenceState | None, now: datetime) -> sa.ColumnElement[bool]:
    """Return the condition that `Silence.state_at` decides in Python."""
    if state is SilenceState.EXPIRED:
        return silences.c.ends_at <= now
    if state is SilenceState.ACTIVE:
        return sa.and_(silences.c.starts_at <= now, silences.c.ends_at > now)
    if state is SilenceState.PENDING:
        return sa.and_(silences.c.starts_at > now, silences.c.ends_at > now)
    return sa.true()


def _values(text: SilenceText) -> dict[str, Any]:
    return {
        "matchers": [
            {"name": matcher.name, "operator": matcher.operator.value, "value": matcher.value}
            for matcher in text.matchers
        ],
        "starts_at": text.starts_at,
        "ends_at": text.ends_at,
        "comment": text.comment,
    }


@lru_cache(maxsize=COMPILED)
def _compiled(stored: str) -> tuple[Matcher, ...]:
    """Return the matchers of a stored text; a delivery asks for the same ones again and again."""
    members: list[dict[str, str]] = orjson.loads(stored)
    return tuple(Matcher(one["name"], Operator(one["operator"]), one["value"]) for one in members)


def _silence(row: sa.Row[Any]) -> Silence:
    return Silence(
        id=row.id,
        uuid=row.uuid,
        matchers=_compiled(row.matchers),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        comment=row.comment,
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _counted(row: sa.Row[Any]) -> CountedSilence:
    return CountedSilence(_silence(row), row.silenced_count)

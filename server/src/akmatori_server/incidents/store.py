"""SQL of incidents. Every function works on the caller's connection, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from akmatori_server.database import Timestamp
from akmatori_server.incidents.log import LogLine, assemble
from akmatori_server.incidents.models import CreatedBetween, Incident, Position, Status
from akmatori_server.incidents.storable import storable_text
from akmatori_server.incidents.tables import incident_log, incidents

LONGEST_KEY = 200

# Names as plain strings: SQLAlchemy's own are a subclass that some encoders refuse.
_INTERNAL = frozenset({"fence", "run_fence", "open_key", "alert_source_id"})
_NAMES = tuple(str(column.name) for column in incidents.c if column.name not in _INTERNAL)
_COLUMNS = tuple(incidents.c[name] for name in _NAMES)
# Built once: building it costs more than running it.
_INSERT = sa.insert(incidents).returning(incidents.c.id, sort_by_parameter_order=True)
_NEWEST_FIRST = (incidents.c.created_at.desc(), incidents.c.id.desc())


def insert(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> list[int]:
    """Store new incidents and return their ids, in the same order."""
    return [int(number) for number in connection.execute(_INSERT, rows).scalars()]


def get(connection: sa.Connection, uuid: str, *, to_change: bool = False) -> Incident | None:
    """Return the incident with this uuid, or None; `to_change` keeps others from changing it until the commit."""
    query = sa.select(*_COLUMNS).where(incidents.c.uuid == uuid)
    row = connection.execute(query.with_for_update() if to_change else query).one_or_none()
    return None if row is None else _incident(row)


def alert_source_of(connection: sa.Connection, incident_id: int) -> int | None:
    """Return the alert source of an incident, None when it came another way."""
    query = sa.select(incidents.c.alert_source_id).where(incidents.c.id == incident_id)
    number: int | None = connection.execute(query).scalar_one()
    return number


def count(connection: sa.Connection, bounds: CreatedBetween) -> int:
    """Count the incidents within the bounds."""
    query = sa.select(sa.func.count()).select_from(incidents).where(*_within(bounds))
    return connection.execute(query).scalar_one()


def page(connection: sa.Connection, bounds: CreatedBetween, *, offset: int, limit: int) -> list[Incident]:
    """Return a slice of the list, newest first.

    The inner query walks the index alone; only the rows that are answered are read. On a deep page that is a
    quarter of the time.
    """
    ids = (
        sa.select(incidents.c.id)
        .where(*_within(bounds))
        .order_by(*_NEWEST_FIRST)
        .limit(limit)
        .offset(offset)
        .subquery()
    )
    query = sa.select(*_COLUMNS).join(ids, incidents.c.id == ids.c.id).order_by(*_NEWEST_FIRST)
    return [_incident(row) for row in connection.execute(query)]


def page_after(
    connection: sa.Connection, bounds: CreatedBetween, *, position: Position, limit: int
) -> list[Incident]:
    """Return what follows `position` in the list; the cost does not grow with the depth."""
    here = sa.tuple_(incidents.c.created_at, incidents.c.id)
    there = sa.tuple_(sa.literal(position.created_at, Timestamp), sa.literal(position.id, sa.BigInteger))
    query = sa.select(*_COLUMNS).where(*_within(bounds), here < there).order_by(*_NEWEST_FIRST).limit(limit)
    return [_incident(row) for row in connection.execute(query)]


def logs(connection: sa.Connection, ids: Sequence[int]) -> dict[int, str]:
    """Return the whole logs of several incidents, read together; one without a log is left out."""
    query = (
        sa.select(incident_log.c.incident_id, incident_log.c.kind, incident_log.c.text)
        .where(incident_log.c.incident_id.in_(ids))
        .order_by(incident_log.c.incident_id, incident_log.c.id)
    )
    rows = groupby(connection.execute(query), key=lambda row: int(row.incident_id))
    return {incident_id: assemble((row.kind, row.text) for row in lines) for incident_id, lines in rows}


def add_log_lines(connection: sa.Connection, lines: Sequence[tuple[int, LogLine]], now: datetime) -> None:
    """Add lines to the logs of incidents; one whose key is there already is left as it is."""
    rows = [
        {
            "incident_id": incident_id,
            "key": line.key[:LONGEST_KEY],
            "kind": line.kind.value,
            "text": storable_text(line.text),
            "created_at": now,
        }
        for incident_id, line in lines
    ]
    if rows:
        insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        statement = insert(incident_log).on_conflict_do_nothing(index_elements=["incident_id", "key"])
        connection.execute(statement, rows)


def close(
    connection: sa.Connection, incident_id: int, status: Status, response: str, now: datetime
) -> Incident:
    """Close an incident for everybody: whoever works on it can write no more."""
    return _changed(
        connection, incident_id, now, {"status": status.value, "response": response, "completed_at": now}
    )


def begin_run(connection: sa.Connection, incident_id: int, now: datetime) -> Incident:
    """Make an incident that is over wait for another run; whoever worked on the last one can write no more."""
    values = {
        "status": Status.PENDING.value,
        "completed_at": None,
        "run": incidents.c.run + 1,
        "run_fence": incidents.c.fence + 1,
    }
    return _changed(connection, incident_id, now, values)


def _changed(
    connection: sa.Connection, incident_id: int, now: datetime, values: Mapping[str, object]
) -> Incident:
    query = (
        sa.update(incidents)
        .where(incidents.c.id == incident_id)
        .values(fence=incidents.c.fence + 1, updated_at=now, **values)
        .returning(*_COLUMNS)
    )
    return _incident(connection.execute(query).one())


def _within(bounds: CreatedBetween) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if bounds.earliest is not None:
        conditions.append(incidents.c.created_at >= bounds.earliest)
    if bounds.latest is not None:
        conditions.append(incidents.c.created_at <= bounds.latest)
    return conditions


def _incident(row: sa.Row[Any]) -> Incident:
    return Incident(**dict(zip(_NAMES, row, strict=True)))

"""SQL of calls."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa

from akmatori_server.incidents.storable import JSON
from akmatori_server.toolbox.models import CallResult, Outcome
from akmatori_server.toolbox.tables import tool_calls


@attrs.frozen(kw_only=True)
class Begun:
    """A call that is about to be made. Everything in it is masked."""

    key: str
    tool_id: int
    tool_name: str
    tool_type: str
    function: str
    arguments: Mapping[str, JSON]
    access: str
    purpose: str


def ended(connection: sa.Connection, incident_id: int, key: str) -> CallResult | None:
    """Return what a call gave, None when it was never made or did not end."""
    query = sa.select(tool_calls).where(tool_calls.c.incident_id == incident_id, tool_calls.c.key == key)
    row = connection.execute(query).one_or_none()
    if row is None or row.outcome is None:
        return None
    return CallResult(
        outcome=Outcome(row.outcome),
        text=row.output,
        value=row.value,
        is_truncated=row.is_truncated,
        is_cached=row.is_cached,
        duration_ms=row.duration_ms,
        call_id=key,
    )


def begin(connection: sa.Connection, incident_id: int, call: Begun, now: datetime) -> None:
    """Store that a call is about to be made; again, when it was begun before."""
    again = (
        sa.update(tool_calls)
        .where(tool_calls.c.incident_id == incident_id, tool_calls.c.key == call.key)
        .values(attempts=tool_calls.c.attempts + 1, started_at=now)
        .returning(tool_calls.c.id)
    )
    if connection.execute(again).one_or_none() is None:
        values: dict[str, Any] = attrs.asdict(call, recurse=False)
        values["arguments"] = dict(call.arguments)
        connection.execute(sa.insert(tool_calls).values(incident_id=incident_id, started_at=now, **values))


def end(connection: sa.Connection, incident_id: int, key: str, result: CallResult, now: datetime) -> None:
    """Store what a call gave."""
    connection.execute(
        sa.update(tool_calls)
        .where(tool_calls.c.incident_id == incident_id, tool_calls.c.key == key)
        .values(
            outcome=result.outcome.value,
            output=result.text,
            value=result.value,
            is_truncated=result.is_truncated,
            is_cached=result.is_cached,
            duration_ms=result.duration_ms,
            ended_at=now,
        )
    )


def count(connection: sa.Connection, incident_id: int, prefix: str) -> int:
    """Count the calls of an incident whose key begins so."""
    query = sa.select(sa.func.count()).where(
        tool_calls.c.incident_id == incident_id, tool_calls.c.key.startswith(prefix, autoescape=True)
    )
    return connection.execute(query).scalar_one()

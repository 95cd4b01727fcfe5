"""SQL of proposals. Every function works on the caller's connection, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from akmatori_server.incidents.tables import incidents
from akmatori_server.proposals.models import Proposal, ProposalState, Wanted
from akmatori_server.proposals.tables import proposals

_INTERNAL = frozenset({"id", "sealed"})
_NAMES = tuple(str(column.name) for column in proposals.c if column.name not in _INTERNAL)
_COLUMNS = (incidents.c.uuid.label("incident_uuid"), *(proposals.c[name] for name in _NAMES))
_FROM = proposals.join(incidents, incidents.c.id == proposals.c.incident_id)


def insert(connection: sa.Connection, row: Mapping[str, Any]) -> None:
    """Store a new proposal."""
    connection.execute(sa.insert(proposals).values(**row))


def uuid_of(connection: sa.Connection, incident_id: int, key: str) -> str | None:
    """Return the proposal that a call became, None when it became none."""
    query = sa.select(proposals.c.uuid).where(proposals.c.incident_id == incident_id, proposals.c.key == key)
    return connection.execute(query).scalar_one_or_none()


def get(connection: sa.Connection, uuid: str, *, to_change: bool = False) -> Proposal | None:
    """Return a proposal, or None; `to_change` keeps others from changing it until the commit."""
    query = sa.select(*_COLUMNS).select_from(_FROM).where(proposals.c.uuid == uuid)
    if to_change:
        query = query.with_for_update(of=proposals)
    row = connection.execute(query).one_or_none()
    return None if row is None else _proposal(row)


def sealed(connection: sa.Connection, uuid: str) -> str | None:
    """Return the encrypted arguments of a proposal, None when they are no longer kept."""
    query = sa.select(proposals.c.sealed).where(proposals.c.uuid == uuid)
    return connection.execute(query).scalar_one_or_none()


def page(
    connection: sa.Connection, wanted: Wanted, now: datetime, *, offset: int, limit: int
) -> tuple[list[Proposal], int]:
    """Return a slice of the list, the newest first, and how many there are in all."""
    conditions = _conditions(wanted, now)
    count = sa.select(sa.func.count()).select_from(_FROM).where(*conditions)
    total: int = connection.execute(count).scalar_one()
    # The offset may be larger than the database's integers.
    if offset >= total:
        return [], total
    query = (
        sa.select(*_COLUMNS)
        .select_from(_FROM)
        .where(*conditions)
        .order_by(proposals.c.id.desc())
        .offset(offset)
        .limit(limit)
    )
    return [_proposal(row) for row in connection.execute(query)], total


def pending_of_run(connection: sa.Connection, incident_id: int, run: int, now: datetime) -> list[Proposal]:
    """Return what waits for a decision of one run of an investigation, in its order."""
    query = (
        sa.select(*_COLUMNS)
        .select_from(_FROM)
        .where(
            proposals.c.incident_id == incident_id,
            proposals.c.run == run,
            proposals.c.state == ProposalState.PENDING.value,
            proposals.c.expires_at > now,
        )
        .order_by(proposals.c.id)
    )
    return [_proposal(row) for row in connection.execute(query)]


def change(
    connection: sa.Connection, uuid: str, states: Iterable[ProposalState], values: Mapping[str, Any]
) -> bool:
    """Change a proposal that is in one of these states; say whether it was."""
    query = (
        sa.update(proposals)
        .where(proposals.c.uuid == uuid, proposals.c.state.in_([state.value for state in states]))
        .values(**values)
    )
    return connection.execute(query).rowcount == 1


def overdue(
    connection: sa.Connection, state: ProposalState, column: str, before: datetime, *, limit: int
) -> list[str]:
    """Return proposals that are in a state, and have been since before a moment."""
    query = (
        sa.select(proposals.c.uuid)
        .where(proposals.c.state == state.value, proposals.c[column] <= before)
        .order_by(proposals.c.id)
        .limit(limit)
    )
    return [str(uuid) for uuid in connection.execute(query).scalars()]


def _conditions(wanted: Wanted, now: datetime) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.incident_uuid is not None:
        conditions.append(incidents.c.uuid == wanted.incident_uuid)
    if wanted.state is None:
        return conditions
    # As `Proposal.state_at` has it.
    is_late = sa.and_(proposals.c.state == ProposalState.PENDING.value, proposals.c.expires_at <= now)
    is_in_it = proposals.c.state == wanted.state.value
    if wanted.state is ProposalState.PENDING:
        is_in_it = sa.and_(is_in_it, proposals.c.expires_at > now)
    if wanted.state is ProposalState.EXPIRED:
        is_in_it = sa.or_(is_in_it, is_late)
    return [*conditions, is_in_it]


def _proposal(row: sa.Row[Any]) -> Proposal:
    return Proposal(**dict(zip(("incident_uuid", *_NAMES), row, strict=True)))

"""Reading what an investigation asked its tools."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa

from akmatori_server.database import Database
from akmatori_server.errors import NotFound
from akmatori_server.incidents.storable import JSON
from akmatori_server.incidents.tables import incidents
from akmatori_server.pagination import PageRequest
from akmatori_server.proposals.tables import proposals
from akmatori_server.toolbox.tables import tool_calls


@attrs.frozen(kw_only=True)
class MadeCall:
    """A call as it is stored; everything in it is masked."""

    id: int
    key: str
    tool_name: str
    tool_type: str
    function: str
    arguments: Mapping[str, JSON]
    access: str
    purpose: str
    # None: begun, and not known to be over.
    outcome: str | None
    output: str
    is_truncated: bool
    is_cached: bool
    attempts: int
    duration_ms: int
    started_at: datetime
    ended_at: datetime | None
    # What it became when it would have changed something.
    proposal_uuid: str | None


# The value beside the text is not read: it may be large.
_NAMES = tuple(str(name) for name in attrs.fields_dict(MadeCall) if name != "proposal_uuid")
_COLUMNS = (*(tool_calls.c[name] for name in _NAMES), proposals.c.uuid.label("proposal_uuid"))
_FROM = tool_calls.outerjoin(
    proposals,
    sa.and_(proposals.c.incident_id == tool_calls.c.incident_id, proposals.c.key == tool_calls.c.key),
)


class CallHistory:
    """The calls of all investigations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_incident(self, identifier: str, request: PageRequest) -> tuple[list[MadeCall], int]:
        """Return one page of an incident's calls in their order, and how many there are in all.

        Raises:
            NotFound: no incident has this uuid.
        """
        with self._database.read() as connection:
            incident_id = connection.execute(
                sa.select(incidents.c.id).where(incidents.c.uuid == identifier)
            ).scalar_one_or_none()
            if incident_id is None:
                raise NotFound("No incident has this uuid.")
            is_of_it = tool_calls.c.incident_id == incident_id
            total: int = connection.execute(
                sa.select(sa.func.count()).select_from(tool_calls).where(is_of_it)
            ).scalar_one()
            # The offset may be larger than the database's integers.
            if request.offset >= total:
                return [], total
            query = (
                sa.select(*_COLUMNS)
                .select_from(_FROM)
                .where(is_of_it)
                .order_by(tool_calls.c.id)
                .offset(request.offset)
                .limit(request.size)
            )
            return [_made(row) for row in connection.execute(query)], total


def _made(row: sa.Row[Any]) -> MadeCall:
    return MadeCall(**dict(zip((*_NAMES, "proposal_uuid"), row, strict=True)))

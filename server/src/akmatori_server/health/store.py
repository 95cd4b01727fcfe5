"""SQL of what is counted for the metrics."""

from __future__ import annotations

import sqlalchemy as sa

from akmatori_server.incidents.tables import incidents


def incidents_by_status(connection: sa.Connection) -> dict[str, int]:
    """Count incidents by status."""
    rows = connection.execute(
        sa.select(incidents.c.status, sa.func.count().label("number")).group_by(incidents.c.status)
    )
    return {row.status: row.number for row in rows}

"""SQL of marks: how often things had happened when they were read last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from akmatori_server.kubernetes.incidents.tables import k8s_incident_marks

# The server writes them down again only now and then.
REFRESH = timedelta(hours=6)
KEEP = timedelta(days=2)


def load_marks(connection: sa.Connection, target: str) -> tuple[dict[str, int], dict[str, datetime]]:
    """Return the marks of a cluster, and when each was written."""
    table = k8s_incident_marks
    marks: dict[str, int] = {}
    seen: dict[str, datetime] = {}
    query = sa.select(table.c.identity, table.c.number, table.c.seen_at).where(table.c.target == target)
    for identity, number, seen_at in connection.execute(query):
        marks[identity], seen[identity] = number, seen_at
    return marks, seen


def put_marks(
    connection: sa.Connection,
    target: str,
    marks: Mapping[str, int],
    known: tuple[Mapping[str, int], Mapping[str, datetime]],
    now: datetime,
    *,
    all_read: bool,
) -> None:
    """Store how often things had happened, and forget what is no longer shown.

    Args:
        connection: The transaction.
        target: The cluster.
        marks: Of everything that the reading showed.
        known: What `load_marks` returned.
        now: The moment of the reading.
        all_read: Whether everything was read; else what was not shown may still be there.
    """
    table = k8s_incident_marks
    rows = [
        {"target": target, "identity": identity, "number": number, "seen_at": now}
        for identity, number in marks.items()
        if known[0].get(identity) != number or now - known[1][identity] > REFRESH
    ]
    if rows:
        insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        statement = insert(table)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["target", "identity"],
                set_={"number": statement.excluded.number, "seen_at": statement.excluded.seen_at},
            ),
            rows,
        )
    if all_read:
        connection.execute(sa.delete(table).where(table.c.target == target, table.c.seen_at < now - KEEP))

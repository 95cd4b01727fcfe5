"""SQL of alerts. Every function works on the caller's connection."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from akmatori_server.alerts.ledger import AlertRow
from akmatori_server.alerts.models import AlertStatus
from akmatori_server.alerts.tables import alerts
from akmatori_server.incidents.storable import storable_text

LONGEST_NAME = 255
# Both databases limit the parameters of one statement.
CHUNK = 500

_READ = (
    alerts.c.id,
    alerts.c.incident_id,
    alerts.c.fingerprint,
    alerts.c.status,
    alerts.c.started_at,
    alerts.c.resolved_at,
    alerts.c.first_seen_at,
    alerts.c.last_seen_at,
    alerts.c.deliveries,
)


def newest_rows(
    connection: sa.Connection, source_id: int, fingerprints: Iterable[str]
) -> dict[str, AlertRow]:
    """Return the newest row of each fingerprint, locked until the transaction ends.

    Two deliveries of the same alerts then take turns instead of counting over each other.
    """
    rows: dict[str, AlertRow] = {}
    for some in _chunks(sorted(set(fingerprints))):
        newest = (
            sa.select(sa.func.max(alerts.c.id))
            .where(alerts.c.alert_source_id == source_id, alerts.c.fingerprint.in_(some))
            .group_by(alerts.c.fingerprint)
        )
        # Always in one order, so that two deliveries never wait for each other in a circle.
        query = sa.select(*_READ).where(alerts.c.id.in_(newest)).order_by(alerts.c.id).with_for_update()
        for row in connection.execute(query):
            rows[row.fingerprint] = _row(row)
    return rows


def update_rows(connection: sa.Connection, rows: Iterable[AlertRow]) -> None:
    """Write what a delivery changed about known alerts."""
    changes = [
        {
            "row_id": row.id,
            "new_status": row.status.value,
            "new_resolved_at": row.resolved_at,
            "new_last_seen_at": row.last_seen_at,
            "new_deliveries": row.deliveries,
        }
        for row in rows
    ]
    if changes:
        statement = (
            sa.update(alerts)
            .where(alerts.c.id == sa.bindparam("row_id"))
            .values(
                status=sa.bindparam("new_status"),
                resolved_at=sa.bindparam("new_resolved_at"),
                last_seen_at=sa.bindparam("new_last_seen_at"),
                deliveries=sa.bindparam("new_deliveries"),
            )
        )
        connection.execute(statement, changes)


def insert_rows(connection: sa.Connection, source_id: int, rows: Sequence[AlertRow]) -> None:
    """Store the alerts a delivery opened; each knows its incident by now.

    Raises:
        sqlalchemy.exc.IntegrityError: another delivery opened one of them at the same time.
    """
    values = [_values(source_id, row) for row in sorted(rows, key=lambda row: row.fingerprint)]
    if values:
        connection.execute(sa.insert(alerts), values)


def _values(source_id: int, row: AlertRow) -> dict[str, Any]:
    if row.alert is None:
        raise ValueError("Only an alert that a delivery opened can be stored.")
    return {
        "uuid": str(uuid.uuid4()),
        "alert_source_id": source_id,
        "incident_id": row.incident_id,
        "fingerprint": row.fingerprint,
        "status": row.status.value,
        "alert_name": storable_text(row.alert.alert_name, LONGEST_NAME),
        "severity": row.alert.severity.value,
        "payload": row.alert.as_json(),
        "started_at": row.started_at,
        "resolved_at": row.resolved_at,
        "first_seen_at": row.first_seen_at,
        "last_seen_at": row.last_seen_at,
        "deliveries": row.deliveries,
    }


def _row(row: Any) -> AlertRow:
    return AlertRow(
        id=row.id,
        incident_id=row.incident_id,
        fingerprint=row.fingerprint,
        status=AlertStatus(row.status),
        started_at=row.started_at,
        resolved_at=row.resolved_at,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        deliveries=row.deliveries,
    )


def _chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), CHUNK):
        yield texts[start : start + CHUNK]

"""SQL of taking alerts in. Every function works on the caller's connection, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

import sqlalchemy as sa

from akmatori_server.alert_sources.tables import alert_sources
from akmatori_server.alerts.homes import OpenIncident
from akmatori_server.alerts.ledger import AlertRow, Identity
from akmatori_server.alerts.models import AlertStatus
from akmatori_server.alerts.tables import alerts
from akmatori_server.incidents.storable import storable_text
from akmatori_server.incidents.tables import incidents

LONGEST_NAME = 255
# Both databases limit the parameters of one statement.
CHUNK = 500
STORM = "storm"

T = TypeVar("T")

_READ = (
    alerts.c.id,
    alerts.c.uuid,
    alerts.c.incident_id,
    alerts.c.silence_id,
    alerts.c.fingerprint,
    alerts.c.status,
    alerts.c.started_at,
    alerts.c.resolved_at,
    alerts.c.first_seen_at,
    alerts.c.last_seen_at,
    alerts.c.deliveries,
    alerts.c.episodes,
)
_INCIDENT = (
    incidents.c.id,
    incidents.c.uuid,
    incidents.c.kind,
    incidents.c.status,
    incidents.c.title,
    incidents.c.open_key,
    incidents.c.alert_source_id,
    incidents.c.alert_count,
    incidents.c.firing_count,
    incidents.c.last_alert_at,
    incidents.c.resolved_at,
)
# Built once: building a statement costs more than running it.
_REPEAT = (
    sa.update(alerts)
    .where(alerts.c.id == sa.bindparam("row_id"))
    .values(last_seen_at=sa.bindparam("new_last_seen_at"), deliveries=sa.bindparam("new_deliveries"))
)
_CHANGE = (
    sa.update(alerts)
    .where(alerts.c.id == sa.bindparam("row_id"))
    .values(
        incident_id=sa.bindparam("new_incident_id"),
        silence_id=sa.bindparam("new_silence_id"),
        status=sa.bindparam("new_status"),
        started_at=sa.bindparam("new_started_at"),
        resolved_at=sa.bindparam("new_resolved_at"),
        last_seen_at=sa.bindparam("new_last_seen_at"),
        deliveries=sa.bindparam("new_deliveries"),
        episodes=sa.bindparam("new_episodes"),
    )
)
_DECIDE = (
    sa.update(alerts)
    .where(alerts.c.id == sa.bindparam("row_id"))
    .values(decision=sa.bindparam("new_decision"))
)
_INSERT = sa.insert(alerts)
_COUNT = (
    sa.update(incidents)
    .where(incidents.c.id == sa.bindparam("incident"))
    .values(
        alert_count=sa.bindparam("alerts_now"),
        firing_count=sa.bindparam("firing_now"),
        last_alert_at=sa.bindparam("last_alert"),
        resolved_at=sa.bindparam("resolved"),
        updated_at=sa.bindparam("moment"),
    )
)
_NEWEST = (
    sa.select(*_READ)
    .where(
        alerts.c.id.in_(
            sa.select(sa.func.max(alerts.c.id))
            .where(
                alerts.c.alert_source_id == sa.bindparam("source_id"),
                alerts.c.fingerprint.in_(sa.bindparam("fingerprints", expanding=True)),
            )
            .group_by(alerts.c.fingerprint)
        )
    )
    .order_by(alerts.c.id)
    .with_for_update()
)
_BY_ID = (
    sa.select(*_INCIDENT)
    .where(incidents.c.id.in_(sa.bindparam("wanted", expanding=True)))
    .order_by(incidents.c.id)
    .with_for_update()
)
_BY_KEY = (
    sa.select(*_INCIDENT)
    .where(incidents.c.open_key.in_(sa.bindparam("wanted", expanding=True)))
    .order_by(incidents.c.id)
    .with_for_update()
)


def newest_rows(connection: sa.Connection, identities: Iterable[Identity]) -> dict[Identity, AlertRow]:
    """Return the newest row of each alert, locked until the transaction ends.

    Two servers that take the same alerts in then take turns instead of counting over each other.
    """
    by_source: dict[int, set[str]] = {}
    for source_id, fingerprint in identities:
        by_source.setdefault(source_id, set()).add(fingerprint)
    rows: dict[Identity, AlertRow] = {}
    # Always in one order, so that two transactions never wait for each other in a circle.
    for source_id in sorted(by_source):
        for some in _chunks(sorted(by_source[source_id])):
            for row in connection.execute(_NEWEST, {"source_id": source_id, "fingerprints": some}):
                rows[source_id, row.fingerprint] = _row(source_id, row)
    return rows


def held_rows(
    connection: sa.Connection, silence_id: int, *, after: int, limit: int
) -> list[tuple[AlertRow, Any]]:
    """Return alerts that fire under a silence, from a row on and locked, each with its stored payload."""
    query = (
        sa.select(*_READ, alerts.c.alert_source_id, alerts.c.payload)
        .where(
            alerts.c.silence_id == silence_id,
            alerts.c.id > after,
            alerts.c.status == AlertStatus.FIRING.value,
            alerts.c.incident_id.is_(None),
            alerts.c.alert_source_id.is_not(None),
        )
        .order_by(alerts.c.id)
        .limit(limit)
        .with_for_update()
    )
    return [(_row(row.alert_source_id, row), row.payload) for row in connection.execute(query)]


def source_uuids(connection: sa.Connection, ids: Iterable[int]) -> list[str]:
    """Return the uuids of the sources with these numbers."""
    query = sa.select(alert_sources.c.uuid).where(alert_sources.c.id.in_(sorted(set(ids))))
    return list(connection.execute(query).scalars())


def incidents_to_join(
    connection: sa.Connection, *, ids: Iterable[int], keys: Iterable[str]
) -> list[OpenIncident]:
    """Return incidents by their numbers and by their open keys, locked until the transaction ends."""
    found: dict[int, OpenIncident] = {}
    queries = [(_BY_ID, some) for some in _chunks(sorted(set(ids)))]
    for query, wanted in [*queries, *((_BY_KEY, some) for some in _chunks(sorted(set(keys))))]:
        for row in connection.execute(query, {"wanted": wanted}):
            if row.id not in found:
                found[row.id] = _incident(row)
    return list(found.values())


def opened_since(connection: sa.Connection, source_id: int, since: datetime, *, most: int) -> int:
    """Count the incidents a source opened since then, `most` of them at most."""
    some = (
        sa.select(incidents.c.id)
        .where(
            incidents.c.alert_source_id == source_id,
            incidents.c.created_at >= since,
            incidents.c.kind != STORM,
        )
        .limit(most)
        .subquery()
    )
    return connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()


def update_rows(connection: sa.Connection, rows: Iterable[AlertRow]) -> None:
    """Write what a batch changed about known alerts."""
    changed = list(rows)
    # Most are told again and nothing else, which touches no index.
    repeats = [row for row in changed if row.is_repeat]
    if repeats:
        connection.execute(
            _REPEAT,
            [
                {"row_id": row.id, "new_last_seen_at": row.last_seen_at, "new_deliveries": row.deliveries}
                for row in repeats
            ],
        )
    others = [row for row in changed if not row.is_repeat]
    if others:
        connection.execute(
            _CHANGE,
            [
                {
                    "row_id": row.id,
                    "new_incident_id": row.incident_id,
                    "new_silence_id": row.silence_id,
                    "new_status": row.status.value,
                    "new_started_at": row.started_at,
                    "new_resolved_at": row.resolved_at,
                    "new_last_seen_at": row.last_seen_at,
                    "new_deliveries": row.deliveries,
                    "new_episodes": row.episodes,
                }
                for row in others
            ],
        )


def update_decisions(connection: sa.Connection, rows: Iterable[AlertRow]) -> None:
    """Write what decided about known alerts; few of a batch are decided about anew."""
    changes = [{"row_id": row.id, "new_decision": row.decision} for row in rows]
    if changes:
        connection.execute(_DECIDE, changes)


def insert_rows(connection: sa.Connection, rows: Iterable[AlertRow]) -> None:
    """Store the alerts a batch opened, in the order of their arrival; each knows its incident or its silence.

    Raises:
        sqlalchemy.exc.IntegrityError: another server opened one of them at the same time.
    """
    values = [_values(row) for row in rows]
    if values:
        connection.execute(_INSERT, values)


def retire_keys(connection: sa.Connection, ids: Sequence[int]) -> None:
    """Take their open keys from incidents that nothing may join any more."""
    if ids:
        connection.execute(sa.update(incidents).where(incidents.c.id.in_(ids)).values(open_key=None))


def update_counts(connection: sa.Connection, changed: Iterable[OpenIncident], now: datetime) -> None:
    """Write the counts of incidents whose alerts changed."""
    changes = [
        {
            "incident": incident.id,
            "alerts_now": incident.alert_count,
            "firing_now": incident.firing_count,
            "last_alert": incident.last_alert_at,
            "resolved": incident.resolved_at,
            "moment": now,
        }
        for incident in sorted(changed, key=lambda incident: incident.id or 0)
    ]
    if changes:
        connection.execute(_COUNT, changes)


def _values(row: AlertRow) -> dict[str, Any]:
    if row.alert is None:
        raise ValueError("Only an alert that a delivery opened can be stored.")
    return {
        "uuid": row.uuid,
        "alert_source_id": row.source_id,
        "incident_id": row.incident_id,
        "silence_id": row.silence_id,
        "fingerprint": row.fingerprint,
        "status": row.status.value,
        "alert_name": storable_text(row.alert.alert_name, LONGEST_NAME),
        "severity": row.alert.severity.value,
        "payload": row.alert.as_stored(),
        "started_at": row.started_at,
        "resolved_at": row.resolved_at,
        "first_seen_at": row.first_seen_at,
        "last_seen_at": row.last_seen_at,
        "deliveries": row.deliveries,
        "episodes": row.episodes,
        "decision": row.decision,
    }


def _row(source_id: int, row: Any) -> AlertRow:
    status = AlertStatus(row.status)
    return AlertRow(
        source_id=source_id,
        id=row.id,
        uuid=row.uuid,
        incident_id=row.incident_id,
        silence_id=row.silence_id,
        fingerprint=row.fingerprint,
        status=status,
        started_at=row.started_at,
        resolved_at=row.resolved_at,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        deliveries=row.deliveries,
        episodes=row.episodes,
        was_firing=status is AlertStatus.FIRING,
    )


def _incident(row: Any) -> OpenIncident:
    return OpenIncident(
        id=row.id,
        uuid=row.uuid,
        is_storm=row.kind == STORM,
        status=row.status,
        title=row.title,
        key=row.open_key,
        source_id=row.alert_source_id or 0,
        alert_count=row.alert_count,
        firing_count=row.firing_count,
        last_alert_at=row.last_alert_at,
        resolved_at=row.resolved_at,
    )


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]

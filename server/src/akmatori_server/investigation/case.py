"""The case: all that is stored about an incident when its investigation begins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa

from akmatori_server.alerts.tables import alerts
from akmatori_server.incidents.storable import JSON
from akmatori_server.incidents.tables import incidents

# An alert storm may attach thousands; this many are enough to see the pattern.
ALERTS_SHOWN = 50


@attrs.frozen(kw_only=True)
class AttachedAlert:
    """One alert of the incident."""

    name: str
    severity: str
    status: str
    payload: Mapping[str, JSON]
    started_at: datetime | None
    deliveries: int


@attrs.frozen(kw_only=True)
class Case:
    """An incident as an investigator gets it."""

    incident_id: int
    uuid: str
    source: str
    title: str
    context: Mapping[str, JSON]
    created_at: datetime
    alerts: tuple[AttachedAlert, ...] = ()
    alerts_total: int = 0


def read_case(connection: sa.Connection, incident_id: int) -> Case:
    """Read an incident and the first of its alerts."""
    row = connection.execute(sa.select(incidents).where(incidents.c.id == incident_id)).one()
    of_incident = alerts.c.incident_id == incident_id
    total = connection.execute(sa.select(sa.func.count()).select_from(alerts).where(of_incident)).scalar_one()
    attached = connection.execute(
        sa.select(alerts).where(of_incident).order_by(alerts.c.id).limit(ALERTS_SHOWN)
    )
    return Case(
        incident_id=incident_id,
        uuid=row.uuid,
        source=row.source,
        title=row.title,
        context=_members(row.context),
        created_at=row.created_at,
        alerts=tuple(_alert(alert) for alert in attached),
        alerts_total=total,
    )


def _alert(row: sa.Row[Any]) -> AttachedAlert:
    return AttachedAlert(
        name=row.alert_name,
        severity=row.severity,
        status=row.status,
        payload=_members(row.payload),
        started_at=row.started_at,
        deliveries=row.deliveries,
    )


def _members(value: Any) -> Mapping[str, JSON]:
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]  # stored by us from JSON

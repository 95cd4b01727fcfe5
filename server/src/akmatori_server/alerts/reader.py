"""Reading alerts back, and saying what decided about them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import attrs
import sqlalchemy as sa

from akmatori_server.alert_sources.tables import alert_source_types, alert_sources
from akmatori_server.alerts.fields import fields_of
from akmatori_server.alerts.models import from_stored
from akmatori_server.alerts.ports import Rules
from akmatori_server.alerts.tables import alerts
from akmatori_server.correlation.rules import Consideration
from akmatori_server.cursors import CursorPage, Cursors, read_cursor_page
from akmatori_server.database import Database
from akmatori_server.errors import NotFound
from akmatori_server.incidents.storable import JSON
from akmatori_server.incidents.tables import incidents
from akmatori_server.pagination import PageRequest
from akmatori_server.silences.tables import silences

# Counting goes no further: the first page of a million alerts must not cost more than that of a thousand.
MOST_COUNTED = 1000
# How many alerts of an incident are answered to those who ask for no page.
MOST_BARE = 1000

_CURSORS = Cursors("alert-list", ">Q")
_JOINED = (
    alerts.outerjoin(incidents, incidents.c.id == alerts.c.incident_id)
    .outerjoin(alert_sources, alert_sources.c.id == alerts.c.alert_source_id)
    .outerjoin(silences, silences.c.id == alerts.c.silence_id)
)
_ALERTS = sa.select(
    alerts,
    incidents.c.uuid.label("incident_uuid"),
    incidents.c.title.label("incident_title"),
    alert_sources.c.uuid.label("source_uuid"),
    alert_sources.c.name.label("source_name"),
    alert_sources.c.alert_source_type_id,
    silences.c.uuid.label("silence_uuid"),
    silences.c.comment.label("silence_comment"),
    silences.c.created_by.label("silence_author"),
    silences.c.ends_at.label("silence_ends_at"),
)


@attrs.frozen(kw_only=True)
class Alert:
    """One stored alert."""

    id: int
    uuid: str
    incident_uuid: str | None
    incident_title: str | None
    silence_uuid: str | None
    # Who silenced it, why and until when, for a sentence.
    silence_comment: str
    silence_author: str
    silence_ends_at: datetime | None
    source_uuid: str | None
    source_name: str
    status: str
    fingerprint: str
    alert_name: str
    severity: str
    # The normalised alert, as the delivery that opened the row told it.
    payload: Mapping[str, JSON] = attrs.field(repr=False)
    fired_at: datetime
    resolved_at: datetime | None
    first_seen_at: datetime
    last_seen_at: datetime
    deliveries: int
    episodes: int
    decision: Mapping[str, JSON] | None = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class Wanted:
    """Which alerts of the list are wanted; None is no condition."""

    status: str | None = None
    source_uuid: str | None = None
    silenced: bool | None = None


EVERYTHING = Wanted()


@attrs.frozen(kw_only=True)
class Explanation:
    """What decided about an alert, and what the rules of today say to it."""

    alert: Alert
    considered: tuple[Consideration, ...]


class AlertReader:
    """Lists, reads and explains alerts."""

    def __init__(self, database: Database, rules: Rules) -> None:
        self._database = database
        self._rules = rules

    def page(
        self, request: PageRequest, *, cursor: str | None = None, wanted: Wanted = EVERYTHING
    ) -> CursorPage[Alert]:
        """Return one page of the list, newest first: by its number, or what follows `cursor`.

        Raises:
            BadRequest: the cursor is not one of ours.
        """
        position = None if cursor is None else _CURSORS.read(cursor)[0]
        with self._database.read() as connection:
            conditions = _conditions(connection, wanted)
            some = sa.select(alerts.c.id).where(*conditions).limit(MOST_COUNTED).subquery()
            total = connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()
            ids = sa.select(alerts.c.id).where(*conditions).order_by(alerts.c.id.desc())
            return read_cursor_page(
                request,
                total,
                numbered=lambda offset, limit: _read(
                    connection, ids.offset(offset).limit(limit), newest_first=True
                ),
                following=None
                if position is None
                else lambda limit: _read(
                    connection, ids.where(alerts.c.id < position).limit(limit), newest_first=True
                ),
                cursor_of=lambda alert: _CURSORS.write(alert.id),
            )

    def get(self, uuid: str) -> Alert:
        """Return one alert.

        Raises:
            NotFound: there is none with this uuid.
        """
        with self._database.read() as connection:
            query = sa.select(alerts.c.id).where(alerts.c.uuid == uuid)
            found = _read(connection, query)
        if not found:
            raise NotFound("No alert has this uuid.")
        return found[0]

    def first_of_incident(self, incident_uuid: str) -> list[Alert]:
        """Return the oldest alerts of an incident.

        Raises:
            NotFound: there is no such incident.
        """
        with self._database.read() as connection:
            incident_id, _ = _incident(connection, incident_uuid)
            query = sa.select(alerts.c.id).where(alerts.c.incident_id == incident_id)
            return _read(connection, query.order_by(alerts.c.id).limit(MOST_BARE))

    def of_incident(self, incident_uuid: str, request: PageRequest) -> tuple[list[Alert], int]:
        """Return a page of the alerts of an incident, the oldest first, and how many it has.

        Raises:
            NotFound: there is no such incident.
        """
        with self._database.read() as connection:
            incident_id, total = _incident(connection, incident_uuid)
            if request.offset >= total:
                return [], total
            query = (
                sa.select(alerts.c.id)
                .where(alerts.c.incident_id == incident_id)
                .order_by(alerts.c.id)
                .offset(request.offset)
                .limit(request.size)
            )
            return _read(connection, query), total

    def explain(self, uuid: str) -> Explanation:
        """Return what decided about an alert.

        Raises:
            NotFound: there is no alert with this uuid.
        """
        alert = self.get(uuid)
        with self._database.read() as connection:
            source_type = _source_type(connection, alert.source_uuid)
        normalised = from_stored(alert.payload, fingerprint=alert.fingerprint)
        fields = fields_of(normalised, source=alert.source_name, source_type=source_type)
        return Explanation(alert=alert, considered=self._rules.current().consider(fields))


def _conditions(connection: sa.Connection, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if wanted.status is not None:
        conditions.append(alerts.c.status == wanted.status)
    if wanted.source_uuid is not None:
        query = sa.select(alert_sources.c.id).where(alert_sources.c.uuid == wanted.source_uuid)
        conditions.append(alerts.c.alert_source_id == (connection.execute(query).scalar_one_or_none() or 0))
    if wanted.silenced is not None:
        held = alerts.c.silence_id.is_not(None)
        conditions.append(held if wanted.silenced else ~held)
    return conditions


def _read(
    connection: sa.Connection, ids: sa.Select[tuple[int]], *, newest_first: bool = False
) -> list[Alert]:
    """Read the alerts with these ids; the inner query walks an index alone."""
    wanted = ids.subquery()
    order = alerts.c.id.desc() if newest_first else alerts.c.id
    query = _ALERTS.select_from(_JOINED).join(wanted, wanted.c.id == alerts.c.id).order_by(order)
    return [_alert(row) for row in connection.execute(query)]


def _incident(connection: sa.Connection, uuid: str) -> tuple[int, int]:
    query = sa.select(incidents.c.id, incidents.c.alert_count).where(incidents.c.uuid == uuid)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("No incident has this uuid.")
    return row.id, row.alert_count


def _source_type(connection: sa.Connection, source_uuid: str | None) -> str:
    query = (
        sa.select(alert_source_types.c.name)
        .join(alert_sources, alert_sources.c.alert_source_type_id == alert_source_types.c.id)
        .where(alert_sources.c.uuid == source_uuid)
    )
    return str(connection.execute(query).scalar_one_or_none() or "")


def _alert(row: Any) -> Alert:
    return Alert(
        id=row.id,
        uuid=row.uuid,
        incident_uuid=row.incident_uuid,
        incident_title=row.incident_title,
        silence_uuid=row.silence_uuid,
        silence_comment=row.silence_comment or "",
        silence_author=row.silence_author or "",
        silence_ends_at=row.silence_ends_at,
        source_uuid=row.source_uuid,
        source_name=row.source_name or "",
        status=row.status,
        fingerprint=row.fingerprint,
        alert_name=row.alert_name,
        severity=row.severity,
        payload=_members(row.payload) or {},
        fired_at=row.started_at or row.first_seen_at,
        resolved_at=row.resolved_at,
        first_seen_at=row.first_seen_at,
        last_seen_at=row.last_seen_at,
        deliveries=row.deliveries,
        episodes=row.episodes,
        decision=_members(row.decision),
    )


def _members(value: object) -> dict[str, JSON] | None:
    # Stored by us, from JSON objects.
    return cast("dict[str, JSON]", value) if isinstance(value, dict) else None

"""SQL of the cleanup."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import attrs
import sqlalchemy as sa

from akmatori_server.alerts.models import AlertStatus
from akmatori_server.alerts.tables import alerts
from akmatori_server.incidents.models import FINISHED
from akmatori_server.incidents.tables import incident_log, incidents
from akmatori_server.retention.tables import retention_runs

_FINISHED = sorted(status.value for status in FINISHED)
# A cleanup that has not ended by then is taken for dead.
LONGEST_RUN = timedelta(hours=1)


@attrs.frozen
class Finished:
    """An incident that is to be deleted."""

    id: int
    directory: Path


@attrs.frozen
class Deleted:
    """How many rows a deletion took."""

    incidents: int
    alerts: int
    log_lines: int


def finished_before(connection: sa.Connection, cutoff: datetime, *, limit: int) -> list[Finished]:
    """Return the incidents that finished longest ago, locked; what another transaction holds is left out.

    One whose alerts go on firing is no past: without it, the next repeat would open another one.
    """
    still_fires = sa.exists().where(
        alerts.c.incident_id == incidents.c.id,
        alerts.c.status == AlertStatus.FIRING.value,
        alerts.c.last_seen_at >= cutoff,
    )
    query = (
        sa.select(incidents.c.id, incidents.c.working_dir)
        .where(incidents.c.completed_at < cutoff, incidents.c.status.in_(_FINISHED), ~still_fires)
        .order_by(incidents.c.completed_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [Finished(int(row.id), Path(row.working_dir)) for row in connection.execute(query)]


def delete(connection: sa.Connection, ids: Sequence[int]) -> Deleted:
    """Delete incidents with their alerts and logs."""
    gone_alerts = connection.execute(sa.delete(alerts).where(alerts.c.incident_id.in_(ids)))
    gone_lines = connection.execute(sa.delete(incident_log).where(incident_log.c.incident_id.in_(ids)))
    gone_incidents = connection.execute(sa.delete(incidents).where(incidents.c.id.in_(ids)))
    return Deleted(gone_incidents.rowcount, gone_alerts.rowcount, gone_lines.rowcount)


def delete_silenced(connection: sa.Connection, cutoff: datetime, *, limit: int) -> int:
    """Delete alerts without an incident that are over and were last heard of before a moment; return how many."""
    old = (
        sa.select(alerts.c.id)
        .where(
            alerts.c.incident_id.is_(None),
            # Of a source that is gone nobody will ever say that it is resolved.
            sa.or_(alerts.c.status == AlertStatus.RESOLVED.value, alerts.c.alert_source_id.is_(None)),
            alerts.c.last_seen_at < cutoff,
        )
        .limit(limit)
    )
    return connection.execute(sa.delete(alerts).where(alerts.c.id.in_(old))).rowcount


def known_uuids(connection: sa.Connection, names: Sequence[str]) -> set[str]:
    """Return those of the names that are the uuid of an incident."""
    query = sa.select(incidents.c.uuid).where(incidents.c.uuid.in_(names))
    return set(connection.execute(query).scalars())


def last_run(connection: sa.Connection, *, now: datetime) -> datetime | None:
    """Return when the latest cleanup began that ended, or may still be at work."""
    counts = sa.or_(
        retention_runs.c.finished_at.is_not(None), retention_runs.c.started_at > now - LONGEST_RUN
    )
    latest = retention_runs.c.started_at.desc()
    query = sa.select(retention_runs.c.started_at).where(counts).order_by(latest).limit(1)
    found: datetime | None = connection.execute(query).scalar_one_or_none()
    return found


def begin(connection: sa.Connection, *, now: datetime) -> int:
    """Note that a cleanup begins, and return its number."""
    statement = sa.insert(retention_runs).values(started_at=now).returning(retention_runs.c.id)
    return int(connection.execute(statement).scalar_one())


def finish(connection: sa.Connection, run_id: int, *, finished_at: datetime, forget_before: datetime) -> None:
    """Note that a cleanup ended, and forget the old ones."""
    connection.execute(
        sa.update(retention_runs).where(retention_runs.c.id == run_id).values(finished_at=finished_at)
    )
    connection.execute(sa.delete(retention_runs).where(retention_runs.c.started_at < forget_before))

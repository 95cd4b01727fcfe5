"""The incidents of Kubernetes clusters that notifications are about, as they are when one is sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa

from akmatori_server.kubernetes.incidents.tables import k8s_incident_events, k8s_incidents
from akmatori_server.notifications.models import Notification

# Members of a notification's metadata: the one incident it is about, or all of them, the worst first.
ONE, SEVERAL, NOTE, CLUSTER = "incident", "incidents", "note", "cluster"
MOST_SHOWN = 10
MOST_EVENTS_SHOWN = 3
MOST_EVENTS_READ = 50
PART = 500
PREFIX = "INC-"
_RANKS = {"critical": 0, "high": 1, "medium": 2, "low": 3, "info": 4}


@attrs.frozen(kw_only=True)
class ClusterIncident:
    """One incident, in short."""

    number: int
    cluster: str
    status: str
    severity: str
    title: str
    namespace: str
    kind: str
    name: str
    root_cause: str
    event_count: int
    acknowledged_by: str
    resolved_at: datetime | None
    # Where Slack was told of it first, and whether that message is about others as well.
    slack_place: tuple[str, str]
    slack_is_shared: bool
    # The gravest of its events, a line each.
    events: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """What the API calls it."""
        return f"{PREFIX}{self.number:06d}"


@attrs.frozen
class ClusterNews:
    """What one notification is about: an incident, or several with the worst of them."""

    incidents: tuple[ClusterIncident, ...]
    is_bundle: bool

    @property
    def one(self) -> ClusterIncident | None:
        """The only incident, if it is about one."""
        return self.incidents[0] if self.incidents and not self.is_bundle else None


def read_news(connection: sa.Connection, notification: Notification) -> ClusterNews:
    """Read what a notification is about."""
    numbers, is_bundle = _numbers(notification), ONE not in notification.metadata
    shown = numbers[:MOST_SHOWN]
    query = sa.select(k8s_incidents).where(k8s_incidents.c.id.in_(shown))
    found = {row.id: _incident(row) for row in connection.execute(query)}
    incidents = [found[number] for number in shown if number in found]
    if incidents and not is_bundle:
        incidents[0] = attrs.evolve(incidents[0], events=_events(connection, incidents[0].number))
    return ClusterNews(tuple(incidents), is_bundle)


def note_place(connection: sa.Connection, notification: Notification, channel_id: str, ts: str) -> None:
    """Write down in which message of Slack's the incidents of a notification were told of first."""
    numbers = _numbers(notification)
    for start in range(0, len(numbers), PART):
        connection.execute(
            sa.update(k8s_incidents)
            .where(
                k8s_incidents.c.id.in_(numbers[start : start + PART]), k8s_incidents.c.slack_message_ts == ""
            )
            .values(
                slack_channel_id=channel_id[:64],
                slack_message_ts=ts[:64],
                slack_is_shared=ONE not in notification.metadata,
            )
        )


def _numbers(notification: Notification) -> Sequence[int]:
    several = notification.metadata.get(SEVERAL)
    ids: Iterable[object] = several if isinstance(several, list) else [notification.metadata.get(ONE)]
    return [
        int(one.removeprefix(PREFIX))
        for one in ids
        if isinstance(one, str) and one.removeprefix(PREFIX).isdecimal()
    ]


def _incident(row: sa.Row[Any]) -> ClusterIncident:
    return ClusterIncident(
        number=row.id,
        cluster=row.target,
        status=row.status,
        severity=row.severity,
        title=row.title,
        namespace=row.namespace,
        kind=row.kind,
        name=row.name,
        root_cause=row.root_cause,
        event_count=row.event_count,
        acknowledged_by=row.acknowledged_by or "",
        resolved_at=row.resolved_at,
        slack_place=(row.slack_channel_id, row.slack_message_ts),
        slack_is_shared=row.slack_is_shared,
    )


def _events(connection: sa.Connection, number: int) -> tuple[str, ...]:
    table = k8s_incident_events.c
    query = (
        sa.select(table.severity, table.reason, table.resource_kind, table.resource_name, table.message)
        .where(table.incident_id == number)
        .order_by(table.last_at.desc(), table.id)
        .limit(MOST_EVENTS_READ)
    )
    found = sorted(connection.execute(query), key=lambda row: _RANKS.get(row.severity, len(_RANKS)))
    return tuple(
        f"{row.reason} ({row.resource_kind} {row.resource_name}): {row.message}".removesuffix(": ")
        for row in found[:MOST_EVENTS_SHOWN]
    )

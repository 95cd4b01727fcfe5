"""Noting what people are to be told, in the transaction that makes it true; sending is for the queue."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import attrs
import sqlalchemy as sa
import structlog

from akmatori_server.events.models import EventKind, NewEvent
from akmatori_server.incidents.models import Kind
from akmatori_server.incidents.tables import incidents
from akmatori_server.notifications import store
from akmatori_server.notifications.channels import Channel, Channels
from akmatori_server.notifications.models import NewNotification, NotificationKind
from akmatori_server.toolbox.ports import Propose, WriteRequest

_log = structlog.stdlib.get_logger("akmatori_server.notifications")

TASK = "notify"
# Whether an incident is over is told a little later: alerts that end and begin again within it are one message.
SETTLE = timedelta(seconds=10)
# Incidents are read in parts: a database takes so many parameters and no more.
PART = 500

_KINDS = {
    EventKind.INCIDENT_OPENED: NotificationKind.INCIDENT_OPENED,
    EventKind.INCIDENT_COMPLETED: NotificationKind.INVESTIGATION_FINISHED,
    EventKind.INCIDENT_RESOLVED: NotificationKind.INCIDENT_RESOLVED,
    EventKind.INCIDENT_REOPENED: NotificationKind.INCIDENT_REOPENED,
}
# Of these there is one for each run of the investigation.
_OF_RUN = {NotificationKind.INVESTIGATION_STARTED, NotificationKind.INVESTIGATION_FINISHED}


class Tasks(Protocol):
    """The queue."""

    def submit(self, connection: sa.Connection, name: str, key: str, *, delay_seconds: float = 0) -> None:
        """Queue a task as part of the caller's transaction."""
        ...


@attrs.frozen(kw_only=True)
class Approval:
    """Something that a person has to approve."""

    uuid: str
    title: str
    summary: str
    # In the words of whoever asked, which are not to be believed.
    purpose: str = ""
    incident_id: int | None = None


@attrs.frozen
class _News:
    kind: NotificationKind
    incident_uuid: str
    at: datetime


class Announcer:
    """Hears of every change, and stores what is to be told about it."""

    def __init__(self, channels: Channels, tasks: Tasks, *, settle: timedelta = SETTLE) -> None:
        self._channels = channels
        self._tasks = tasks
        self._settle = settle

    def hear(self, connection: sa.Connection, events: Sequence[NewEvent]) -> None:
        """Store what these events mean for people, as part of the transaction that records them.

        Never raises: a change must not fail because it cannot be told. Where nothing is to be told, there is
        no statement.
        """
        news = [one for event in events if (one := _news(event)) is not None]
        if not news:
            return
        try:
            # On its own savepoint: a failing statement would spoil the whole transaction.
            channels = self._channels.known()
            if channels is None:
                with connection.begin_nested():
                    channels = self._channels.read(connection)
            if channels:
                with connection.begin_nested():
                    self._store(connection, _of_incidents(connection, news, channels, self._settle))
        except Exception:  # noqa: BLE001  whatever it is, the alert counts more than its announcement
            _log.exception("notification_not_stored", news=len(news))

    def approval_needed(self, connection: sa.Connection, approval: Approval, *, now: datetime) -> None:
        """Store that something awaits approval, as part of the transaction that proposes it. Never raises."""
        try:
            with connection.begin_nested():
                channels = self._channels.known()
                if channels is None:
                    channels = self._channels.read(connection)
                wanted = [one for one in channels if NotificationKind.APPROVAL_NEEDED in one.kinds]
                if wanted:
                    uuid_of = sa.select(incidents.c.uuid).where(incidents.c.id == approval.incident_id)
                    incident = connection.execute(uuid_of).scalar_one_or_none()
                    new = [_of_approval(approval, incident, channel, now) for channel in wanted]
                    self._store(connection, new)
        except Exception:  # noqa: BLE001  the proposal counts more than its announcement
            _log.exception("notification_not_stored", proposal=approval.uuid)

    def tell(
        self, connection: sa.Connection, make: Callable[[Channel], Iterable[NewNotification]], *, about: str
    ) -> None:
        """Store what `make` returns for each channel, as part of the caller's transaction. Never raises.

        Args:
            connection: the transaction that makes it true.
            make: what a channel is to be told; only of the kinds that the channel has.
            about: what it is about, for the log when it cannot be stored.
        """
        try:
            with connection.begin_nested():
                channels = self._channels.known()
                if channels is None:
                    channels = self._channels.read(connection)
                self._store(connection, [one for channel in channels for one in make(channel)])
        except Exception:  # noqa: BLE001  what has happened counts more than its announcement
            _log.exception("notification_not_stored", about=about)

    def telling(self, propose: Propose, *, now: Callable[[], datetime]) -> Propose:
        """Return a `propose` that also tells people of what it stores."""

        def propose_and_tell(connection: sa.Connection, request: WriteRequest) -> str:
            identifier = propose(connection, request)
            approval = Approval(
                uuid=identifier,
                title=" ".join(request.shown_summary.split()),
                summary=request.shown_summary,
                purpose=request.purpose,
                incident_id=request.incident_id,
            )
            self.approval_needed(connection, approval, now=now())
            return identifier

        return propose_and_tell

    def _store(self, connection: sa.Connection, new: Sequence[NewNotification]) -> None:
        if not new or not store.add(connection, new):
            return
        delays = {(one.not_before - one.created_at).total_seconds() for one in new}
        # One task, however many there are: it goes on until nothing is left.
        for delay in sorted(delays):
            self._tasks.submit(connection, TASK, str(uuid.uuid4()), delay_seconds=delay)


def _news(event: NewEvent) -> _News | None:
    kind = NotificationKind.INVESTIGATION_STARTED if event.begins_run else _KINDS.get(event.kind)
    if kind is None or event.incident_uuid is None:
        return None
    return _News(kind, event.incident_uuid, event.at)


def _of_incidents(
    connection: sa.Connection, news: Sequence[_News], channels: Sequence[Channel], settle: timedelta
) -> list[NewNotification]:
    wanted = frozenset[NotificationKind]().union(*(channel.kinds for channel in channels))
    if NotificationKind.INCIDENT_STORM in wanted:
        # Which of the two it is, only the incident tells.
        wanted |= {NotificationKind.INCIDENT_OPENED}
    told = [one for one in news if one.kind in wanted]
    found = _incidents(connection, {one.incident_uuid for one in told})
    new: list[NewNotification] = []
    for one in told:
        row = found.get(one.incident_uuid)
        # Who asked for an investigation waits for it where it was asked for.
        if row is None or row.kind == Kind.TASK:
            continue
        kind = one.kind
        if kind is NotificationKind.INCIDENT_OPENED and row.kind == Kind.STORM:
            kind = NotificationKind.INCIDENT_STORM
        new += (
            _of_incident(kind, one, row, channel, settle) for channel in channels if kind in channel.kinds
        )
    return new


def _of_incident(
    kind: NotificationKind, news: _News, row: Any, channel: Channel, settle: timedelta
) -> NewNotification:
    key = f"{channel.name}:{kind}:{row.uuid}"
    if kind in _OF_RUN:
        key += f":{row.run}"
    elif kind.is_state:
        key += f":{news.at.isoformat()}"
    return NewNotification(
        kind=kind,
        channel=channel.name,
        channel_type=channel.type,
        dedup_key=key,
        incident_id=row.id,
        incident_uuid=row.uuid,
        lane=f"{channel.name}:{row.uuid}",
        title=row.title,
        source="incident",
        created_at=news.at,
        not_before=news.at + settle if kind.is_state else news.at,
    )


def _of_approval(
    approval: Approval, incident_uuid: str | None, channel: Channel, now: datetime
) -> NewNotification:
    return NewNotification(
        kind=NotificationKind.APPROVAL_NEEDED,
        channel=channel.name,
        channel_type=channel.type,
        dedup_key=f"{channel.name}:{NotificationKind.APPROVAL_NEEDED}:{approval.uuid}",
        incident_id=approval.incident_id,
        incident_uuid=incident_uuid,
        lane=f"{channel.name}:{incident_uuid or approval.uuid}",
        title=approval.title,
        source="proposal",
        created_at=now,
        not_before=now,
        metadata={
            "proposal": approval.uuid,
            "summary": approval.summary[:2000],
            "purpose": approval.purpose[:2000],
        },
    )


def _incidents(connection: sa.Connection, uuids: Iterable[str]) -> dict[str, Any]:
    wanted = sorted(uuids)
    query = sa.select(incidents.c.id, incidents.c.uuid, incidents.c.kind, incidents.c.title, incidents.c.run)
    return {
        row.uuid: row
        for start in range(0, len(wanted), PART)
        for row in connection.execute(query.where(incidents.c.uuid.in_(wanted[start : start + PART])))
    }

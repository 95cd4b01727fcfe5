"""The operation on notifications."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.aotanami import models
from akmatori_server.database import Database
from akmatori_server.http.call import Call
from akmatori_server.kubernetes.notifications import store
from akmatori_server.kubernetes.paging import Page
from akmatori_server.notifications.cluster_incidents import ONE, SEVERAL
from akmatori_server.notifications.models import State

# How Apprise calls them; whatever else there is, is a webhook in the end.
_CHANNELS: Mapping[str, models.ChannelType] = {
    "slack": models.ChannelType.SLACK,
    "msteams": models.ChannelType.MSTEAMS,
    "workflow": models.ChannelType.MSTEAMS,
    "workflows": models.ChannelType.MSTEAMS,
    "pagerduty": models.ChannelType.PAGERDUTY,
    "tgram": models.ChannelType.TELEGRAM,
    "telegram": models.ChannelType.TELEGRAM,
    "whatsapp": models.ChannelType.WHATSAPP,
    "mailto": models.ChannelType.EMAIL,
    "mailtos": models.ChannelType.EMAIL,
    "email": models.ChannelType.EMAIL,
}
LONGEST_FACT = 2000
MOST_FACTS = 100
ROOM_FOR_REST = 30


class NotificationHandlers:
    """Handlers of the tag `notifications`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_notifications(
        self,
        _call: Call,
        /,
        *,
        page: int | Unset,
        page_size: int | Unset,
        channel: list[str] | Unset,
        status: list[models.DeliveryStatus] | Unset,
        severity: list[models.Severity] | Unset,
        since: datetime | Unset,
        until: datetime | Unset,
    ) -> models.NotificationPage:
        """List what was sent, or tried to be, the newest first."""
        wanted = store.Wanted(
            channels=frozenset() if channel is UNSET else frozenset(channel),
            statuses=frozenset() if status is UNSET else frozenset(status),
            severities=frozenset() if severity is UNSET else frozenset(severity),
            since=None if since is UNSET else since,
            until=None if until is UNSET else until,
        )
        asked = Page.asked(page, page_size)
        with self._database.read() as connection:
            rows, total = store.page(connection, wanted, offset=asked.offset, limit=asked.size)
        return models.NotificationPage(data=[_entry(row) for row in rows], metadata=asked.metadata(total))


def _entry(row: sa.Row[Any]) -> models.NotificationEntry:
    facts = _facts(row.metadata)
    return models.NotificationEntry(
        id=row.uuid,
        timestamp=row.created_at,
        channel=models.NotificationChannel(
            name=row.channel, type=_CHANNELS.get(row.channel_type, models.ChannelType.WEBHOOK)
        ),
        status=models.DeliveryStatus(row.outcome),
        severity=models.Severity(row.told_severity),
        title=row.title,
        message=row.message or UNSET,
        source=row.source or UNSET,
        resource_kind=row.resource_kind or UNSET,
        resource_name=row.resource_name or UNSET,
        namespace=row.namespace or UNSET,
        dedup_key=row.dedup_key,
        metadata=facts or UNSET,
        attempts=row.attempts,
        error=row.error[:LONGEST_FACT] or UNSET,
        next_try_at=row.next_try_at if row.state == State.FAILED.value else UNSET,
        http_status=UNSET if row.http_status is None else row.http_status,
        aggregated_count=row.aggregated_count,
        incident_id=facts.get(ONE) or row.incident_uuid or UNSET,
    )


def _facts(metadata: object) -> dict[str, str]:
    if not isinstance(metadata, dict):
        return {}
    members = cast("dict[str, object]", metadata)
    # Nested values have no place among facts that are texts; a list of incidents is written as one.
    plain = {name: value for name, value in members.items() if isinstance(value, str | int | float | bool)}
    several = members.get(SEVERAL)
    if isinstance(several, list):
        plain[SEVERAL] = _listed([str(one) for one in cast("list[object]", several)])
    return {name: _text(value)[:LONGEST_FACT] for name, value in list(plain.items())[:MOST_FACTS]}


def _listed(names: list[str]) -> str:
    """Return as many names as a fact has room for, and how many there are besides."""
    text = " ".join(names)
    if len(text) <= LONGEST_FACT:
        return text
    shown = text[: LONGEST_FACT - ROOM_FOR_REST].rsplit(" ", 1)[0].split(" ")
    return f"{' '.join(shown)} and {len(names) - len(shown)} more"


def _text(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

"""Answers the operation of the tag `events`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import structlog

from akmatori_sdk._core.errors import DecodeError
from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.events.hub import EventHub
from akmatori_server.events.models import Event, EventFilter, EventKind
from akmatori_server.events.subscription import Delivered, Subscription
from akmatori_server.http.call import Call, StreamAnswer, StreamMessage
from akmatori_server.http.optional import given

# Milliseconds that readers wait before they connect again.
RECONNECT = 1000
_log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


class EventHandlers:
    """The stream of events over HTTP."""

    def __init__(self, hub: EventHub) -> None:
        self._hub = hub

    async def stream_events(
        self,
        _call: Call,
        /,
        *,
        incident: str | Unset,
        kind: models.EventKind | Unset,
        last_event_id: str | Unset,
        last_event_id_header: str | Unset,
    ) -> StreamAnswer[models.Event]:
        """Tell of changes as they happen."""
        # The header is newer: a browser sends it when it connects again, by the address it began with.
        resume = last_event_id if last_event_id_header is UNSET else last_event_id_header
        wanted = EventFilter(incident_uuid=given(incident), kind=None if kind is UNSET else kind.value)
        subscription = await self._hub.subscribe(wanted, None if resume is UNSET else int(resume))
        return StreamAnswer(
            messages=_messages(subscription),
            close=subscription.close,
            patience=self._hub.limits.patience,
        )


async def _messages(subscription: Subscription) -> AsyncIterator[StreamMessage[models.Event]]:
    # At once, so that even a reader that gets no event knows where to resume.
    retry: int | None = RECONNECT
    async for delivered in subscription.deliveries():
        shown = _shown(delivered)
        yield StreamMessage(
            id=str(delivered.position),
            event=None if shown is None else shown.kind.value,
            data=shown,
            retry=retry,
            comment="" if shown is None else None,
        )
        retry = None


def _shown(delivered: Delivered) -> models.Event | None:
    if delivered.is_reset:
        return models.Event(
            id=str(delivered.position),
            kind=models.EventKind(EventKind.RESET.value),
            incident_uuid=None,
            alert_uuid=None,
            data=models.EventData(),
            at=datetime.now(UTC),
        )
    return None if delivered.event is None else event_model(delivered.event)


def event_model(event: Event) -> models.Event:
    """Return the event as the API shows it."""
    return models.Event(
        id=str(event.id),
        kind=models.EventKind(event.kind),
        incident_uuid=event.incident_uuid,
        alert_uuid=event.alert_uuid,
        data=_data(event),
        at=event.at,
    )


def _data(event: Event) -> models.EventData:
    try:
        return codec.decode_event_data(dict(event.data))
    except DecodeError as error:
        # Whoever reads the stream still learns that something changed; one wrong member must not end it.
        _log.error("event_data_wrong", event_id=event.id, kind=event.kind, member=error.path)
        return models.EventData()

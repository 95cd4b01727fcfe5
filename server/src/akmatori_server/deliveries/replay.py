"""Taking a kept delivery in again, once what it was refused for is mended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TypeAlias

from akmatori_server.alerts.settlement import Receipt
from akmatori_server.audit import Action, AuditTrail
from akmatori_server.database import Database
from akmatori_server.deliveries import store
from akmatori_server.deliveries.headers import sent_headers
from akmatori_server.deliveries.models import Delivery
from akmatori_server.deliveries.service import DeliveryLog, Opened, found
from akmatori_server.errors import ApiError, Conflict
from akmatori_server.http.call import Call

LONGEST_RESULT = 600

Replay: TypeAlias = Callable[[str, bytes, Mapping[str, str]], Receipt]
"""Takes a delivery in by its source's uuid, body and headers: neither who sent it nor how often is looked at."""


class ReplayService:
    """Replays deliveries. Doing it again is harmless: an alert is known by its identity."""

    def __init__(
        self,
        database: Database,
        log: DeliveryLog,
        replay: Replay,
        trail: AuditTrail,
        *,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._log = log
        self._replay = replay
        self._trail = trail
        self._now = now

    def replay(self, call: Call, source_uuid: str, identifier: int) -> Receipt:
        """Take a delivery in again, and note what came of it.

        The alerts are stored first. Should the server stop before the note is, the replay has happened without
        one; the operator, who got no answer, does it again.

        Raises:
            NotFound: there is no such source, or it has no such delivery.
            Conflict: its body is not kept, or not all of it.
            ApiError: it is refused again; the refusal is noted too.
        """
        opened = self._log.open(source_uuid, identifier)
        body = _whole_body(opened)
        try:
            receipt = self._replay(source_uuid, body, sent_headers(opened.delivery.headers))
        except ApiError as error:
            # What passes with time (5xx) is no result: the delivery is as it was.
            if error.status < 500:
                self._note(call, source_uuid, identifier, f"{error.status} {error.code}: {error.message}")
            raise
        self._note(call, source_uuid, identifier, result_of(receipt))
        return receipt

    def _note(self, call: Call, source_uuid: str, identifier: int, result: str) -> None:
        source = self._log.source(source_uuid)
        with self._database.write() as connection:
            before = found(store.get(connection, source.id, identifier, to_change=True))
            store.set_replayed(connection, identifier, at=self._now(), result=result[:LONGEST_RESULT])
            after = found(store.get(connection, source.id, identifier))
            self._trail.record(
                connection,
                call,
                Action.DELIVERY_REPLAYED,
                f"delivery:{identifier}",
                _audited(source_uuid, before),
                _audited(source_uuid, after),
            )


def result_of(receipt: Receipt) -> str:
    """Return what is noted about a replay that was taken."""
    alerts = "1 alert" if receipt.alerts == 1 else f"{receipt.alerts} alerts"
    opened = len(receipt.incidents)
    incidents = "1 new incident" if opened == 1 else f"{opened} new incidents"
    return f"Received {alerts}; {incidents}."


def _whole_body(opened: Opened) -> bytes:
    delivery = opened.delivery
    if delivery.kept == 0 < delivery.size:
        raise Conflict("The body of this delivery is not kept: it was refused unread. Have it sent again.")
    if not delivery.is_whole:
        raise Conflict(
            f"Only {delivery.kept} of the {delivery.size} bytes of this delivery are kept. Have it sent again."
        )
    if opened.body is None:
        raise Conflict("The body of this delivery was encrypted with a key that is gone. Have it sent again.")
    return opened.body


def _audited(source_uuid: str, delivery: Delivery) -> dict[str, object]:
    return {
        "id": delivery.id,
        "alert_source_uuid": source_uuid,
        "received_at": delivery.received_at,
        "outcome": delivery.outcome.value,
        "status": delivery.status,
        "reason": delivery.reason,
        "message": delivery.message,
        "replayed_at": delivery.replayed_at,
        "replay_result": delivery.replay_result,
    }

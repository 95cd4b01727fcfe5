"""Answers the operations of the tag `deliveries`."""

from __future__ import annotations

import base64
import codecs

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.akmatori import models
from akmatori_server.deliveries.models import Delivery, Filter, Outcome
from akmatori_server.deliveries.replay import ReplayService
from akmatori_server.deliveries.service import DeliveryLog, Opened
from akmatori_server.http.call import Call, Scope
from akmatori_server.pagination import pagination_of, requested_page

_MAY_SEE_BODIES = frozenset({Scope.WRITE, Scope.ADMIN})


class DeliveryHandlers:
    """Kept deliveries over HTTP."""

    def __init__(self, log: DeliveryLog, replays: ReplayService) -> None:
        self._log = log
        self._replays = replays

    def list_deliveries(
        self,
        _call: Call,
        /,
        *,
        uuid: str,
        page: int | Unset,
        per_page: int | Unset,
        outcome: models.DeliveryOutcome | Unset,
        replayed: bool | Unset,
    ) -> models.DeliveryList:
        """List a source's deliveries, the newest first."""
        wanted = Filter(
            outcome=None if outcome is UNSET else Outcome(outcome.value),
            replayed=None if replayed is UNSET else replayed,
        )
        request = requested_page(page, per_page)
        if request is None:
            items, _total = self._log.page(uuid, wanted)
            return [_model(delivery) for delivery in items]
        items, total = self._log.page(uuid, wanted, offset=request.offset, limit=request.size)
        return models.DeliveryPage(
            data=[_model(delivery) for delivery in items], pagination=pagination_of(request, total)
        )

    def get_delivery(self, call: Call, /, *, uuid: str, id: int) -> models.DeliveryDetails:  # noqa: A002  the contract's name
        """Read one delivery, with its body for those who may write."""
        if call.caller.scope in _MAY_SEE_BODIES:
            opened = self._log.open(uuid, id)
            body, written = _shown_body(opened)
            return _details(opened.delivery, body, written)
        return _details(self._log.get(uuid, id), "", models.DeliveryBodyFormat.WITHHELD)

    def replay_delivery(self, call: Call, /, *, uuid: str, id: int) -> models.DeliveryReceipt:  # noqa: A002  the contract's name
        """Take one delivery in again."""
        receipt = self._replays.replay(call, uuid, id)
        return models.DeliveryReceipt(
            alerts=receipt.alerts, incidents=list(receipt.incidents), warnings=list(receipt.warnings)
        )


def _shown_body(opened: Opened) -> tuple[str, models.DeliveryBodyFormat]:
    if opened.body is None:
        return "", models.DeliveryBodyFormat.MISSING
    try:
        # A body that is cut off may end inside of a character.
        text = codecs.getincrementaldecoder("utf-8")().decode(opened.body, final=opened.delivery.is_whole)
    except UnicodeDecodeError:
        return base64.b64encode(opened.body).decode(), models.DeliveryBodyFormat.BASE64
    return text, models.DeliveryBodyFormat.TEXT


def _model(delivery: Delivery) -> models.Delivery:
    return models.Delivery(
        id=delivery.id,
        received_at=delivery.received_at,
        remote=delivery.remote,
        outcome=models.DeliveryOutcome(delivery.outcome.value),
        status=delivery.status,
        reason=delivery.reason,
        message=delivery.message,
        size=delivery.size,
        kept=delivery.kept,
        replayable=delivery.is_whole,
        replayed_at=delivery.replayed_at,
        replay_result=delivery.replay_result,
    )


def _details(delivery: Delivery, body: str, written: models.DeliveryBodyFormat) -> models.DeliveryDetails:
    return models.DeliveryDetails(
        id=delivery.id,
        received_at=delivery.received_at,
        remote=delivery.remote,
        outcome=models.DeliveryOutcome(delivery.outcome.value),
        status=delivery.status,
        reason=delivery.reason,
        message=delivery.message,
        size=delivery.size,
        kept=delivery.kept,
        replayable=delivery.is_whole,
        replayed_at=delivery.replayed_at,
        replay_result=delivery.replay_result,
        headers=dict(delivery.headers),
        body=body,
        body_format=written,
    )

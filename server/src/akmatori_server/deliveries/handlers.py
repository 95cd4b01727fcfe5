"""Answers the operations of the tag `deliveries`."""

from __future__ import annotations

import base64
import codecs

import attrs

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.akmatori import models
from akmatori_server.deliveries.models import Delivery, Filter, Outcome
from akmatori_server.deliveries.replay import ReplayService
from akmatori_server.deliveries.service import DeliveryLog, Opened
from akmatori_server.http.call import Call, Scope
from akmatori_server.http.optional import given
from akmatori_server.pagination import requested_page

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
            replayed=given(replayed),
        )
        return self._log.listing(uuid, wanted).answer(
            requested_page(page, per_page), _model, models.DeliveryPage
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
    # All that the list shows of it, and more.
    return models.DeliveryDetails(
        **attrs.asdict(_model(delivery), recurse=False),
        headers=dict(delivery.headers),
        body=body,
        body_format=written,
    )

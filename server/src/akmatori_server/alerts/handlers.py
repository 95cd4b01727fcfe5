"""Answers the operations of the tags `webhooks` and `alerts`."""

from __future__ import annotations

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.akmatori import models
from akmatori_server.alerts.ingest import Delivery, Ingest
from akmatori_server.alerts.reader import AlertReader, Wanted
from akmatori_server.alerts.view import alert_model, explanation_model
from akmatori_server.errors import ApiError
from akmatori_server.http.call import Call
from akmatori_server.http.optional import given
from akmatori_server.pagination import PageRequest, pagination_of, requested_page


class WebhookHandlers:
    """Deliveries over HTTP."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest

    async def receive_alert(self, call: Call, /, *, uuid: str, body: bytes) -> str:
        """Take the alerts of a monitoring system; what is answered for is stored."""
        receipt = await self._ingest.receive(
            Delivery(source_uuid=uuid, body=body, headers=call.headers, remote=call.remote)
        )
        return f"Received {receipt.alerts} alerts"

    def receive_alert_too_large(self, call: Call, error: ApiError, /, *, size: int, uuid: str) -> None:
        """Keep that a body was too large to be read; the HTTP layer calls this in place of the other."""
        delivery = Delivery(source_uuid=uuid, body=b"", headers=call.headers, remote=call.remote)
        self._ingest.too_large(delivery, size=size, error=error)


class AlertHandlers:
    """Alerts over HTTP."""

    def __init__(self, alerts: AlertReader) -> None:
        self._alerts = alerts

    def list_alerts(
        self,
        _call: Call,
        /,
        *,
        page: int | Unset,
        per_page: int | Unset,
        cursor: str | Unset,
        status: models.AlertStatus | Unset,
        source: str | Unset,
        silenced: bool | Unset,
    ) -> models.AlertPage:
        """List alerts, the newest first."""
        request = requested_page(page, per_page) or PageRequest()
        found = self._alerts.page(
            request,
            cursor=given(cursor),
            wanted=Wanted(
                status=None if status is UNSET else status.value,
                source_uuid=given(source),
                silenced=given(silenced),
            ),
        )
        return models.AlertPage(
            data=[alert_model(alert) for alert in found.items],
            pagination=pagination_of(request, found.total, next_cursor=found.next_cursor),
        )

    def get_alert(self, _call: Call, /, *, uuid: str) -> models.Alert:
        """Read one alert."""
        return alert_model(self._alerts.get(uuid))

    def get_alert_explanation(self, _call: Call, /, *, uuid: str) -> models.AlertExplanation:
        """Say why an alert is in its incident."""
        return explanation_model(self._alerts.explain(uuid))

    def list_incident_alerts(
        self, _call: Call, /, *, uuid: str, page: int | Unset, per_page: int | Unset
    ) -> models.AlertPage | list[models.Alert]:
        """List the alerts of an incident, the oldest first."""
        request = requested_page(page, per_page)
        if request is None:
            return [alert_model(alert) for alert in self._alerts.first_of_incident(uuid)]
        items, total = self._alerts.of_incident(uuid, request)
        return models.AlertPage(
            data=[alert_model(alert) for alert in items], pagination=pagination_of(request, total)
        )

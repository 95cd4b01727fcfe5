"""Answers the operation of the tag `webhooks`."""

from __future__ import annotations

from akmatori_server.alerts.ingest import Ingest
from akmatori_server.http.call import Call


class WebhookHandlers:
    """Deliveries over HTTP."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest

    def receive_alert(self, call: Call, /, *, uuid: str, body: bytes) -> str:
        """Take the alerts of a monitoring system; what is answered for is stored."""
        receipt = self._ingest.receive(uuid, body, call.headers)
        return f"Received {receipt.alerts} alerts"

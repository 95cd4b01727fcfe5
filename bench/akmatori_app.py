"""Our application as the server command builds it, but with an engine that never begins to work.

Investigations would burn CPU beside the requests that are measured; everything else is the real thing.
"""

from __future__ import annotations

import os
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from akmatori_server import app as akmatori_app
from akmatori_server.alerts.handlers import WebhookHandlers
from akmatori_server.app import create_app
from akmatori_server.config import Options, load_settings
from akmatori_server.http.call import Call
from bench.akmatori_engine import IdleEngine

CONSTANT = "/bench/constant"


class WithConstant:
    """The application, and beside it a webhook that does nothing: what any answer of this server costs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the constant takes the way of a webhook up to its handler."""
        if scope["type"] == "http" and scope["path"] == CONSTANT:
            scope = {**scope, "path": "/webhook/alert/00000000-0000-4000-8000-000000000000"}
        await self._app(scope, receive, send)


class Constant(WebhookHandlers):
    """Answers the uuid of no source with a constant."""

    async def receive_alert(self, call: Call, /, *, uuid: str, body: bytes) -> str:
        """Answer at once, or take the alerts in."""
        if uuid.startswith("00000000-"):
            return "Received 1 alerts"
        return await super().receive_alert(call, uuid=uuid, body=body)


vars(akmatori_app)["WebhookHandlers"] = Constant
app = WithConstant(
    create_app(load_settings(options=Options(data_dir=Path(os.environ["BENCH_DATA"]))), engine=IdleEngine())
)

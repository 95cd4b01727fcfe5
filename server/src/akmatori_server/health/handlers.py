"""HTTP out of liveness, readiness and metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from akmatori_sdk._generated.akmatori import models
from akmatori_server.errors import Unavailable
from akmatori_server.http.call import Call
from akmatori_server.http.gates import read_only, send_bytes
from akmatori_server.metrics import CONTENT_TYPE, Metrics

Check = Callable[[], str | None]
"""Looks at one thing the server needs; returns None, or a sentence on what is wrong with it."""

RETRY_SECONDS = 5
_log = structlog.stdlib.get_logger("akmatori_server.health")


class HealthHandlers:
    """Answers the tag `health`."""

    def __init__(self, *, version: str, checks: Mapping[str, Check]) -> None:
        self._version = version
        self._checks = checks

    def get_health(self, _call: Call, /) -> models.Health:
        """Say that the process runs."""
        return models.Health(status="ok", version=self._version)

    def get_readiness(self, _call: Call, /) -> models.Readiness:
        """Run every check.

        Raises:
            Unavailable: one fails; `details` says which and why.
        """
        wrong = {name: sentence for name, check in self._checks.items() if (sentence := _run(name, check))}
        if wrong:
            raise Unavailable(
                "The server is not ready.", code="not_ready", details=wrong, retry_after=RETRY_SECONDS
            )
        return models.Readiness(status="ready", checks=dict.fromkeys(self._checks, "ok"))


class MetricsPage:
    """Serves `/metrics`, which is in no specification."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request."""
        read_only(scope)
        # Counting incidents asks the database.
        body = await run_in_threadpool(self._metrics.render)
        await send_bytes(scope, send, body, [(b"content-type", CONTENT_TYPE.encode())])


def _run(name: str, check: Check) -> str | None:
    try:
        return check()
    except Exception as error:  # noqa: BLE001  whatever it is, the thing that was looked at does not work
        _log.warning("readiness_check_failed", check=name, error=type(error).__name__)
        return f"The {name} does not answer."

"""Waiting for a scan, over HTTP and in both flavours."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import pytest

from akmatori_sdk import Aotanami, AsyncAotanami, NotFoundError, WaitTimeoutError
from tests.sdk.server import Reply, Scripted
from tests.sdk.support import StillClock

ID = "scan-01jq8r6w3v5t2m9k4h7d0c1b8a"
ITEM = f"/api/v1/scans/{ID}"


def state(phase: str, **more: Any) -> Reply:
    return Reply(
        json={"data": {"id": ID, "phase": phase, **more}, "metadata": {"page": 1, "pageSize": 1, "total": 1}}
    )


def run(flavour: str, server: Scripted, still: StillClock, action: Callable[[Any], Any]) -> Any:
    if flavour == "sync":
        with Aotanami(server.url, token="t", clock=still.clock) as client:
            return action(client)

    async def main() -> Any:
        async with AsyncAotanami(server.url, token="t", clock=still.clock) as client:
            result = action(client)
            return await result if inspect.isawaitable(result) else result

    return asyncio.run(main())


@pytest.mark.parametrize("end", ["Completed", "Failed", "Degraded"])
def test_it_returns_the_end(server: Scripted, flavour: str, still: StillClock, end: str) -> None:
    server.on(
        "GET", ITEM, state("Pending"), state("Running"), state("Verifying"), state(end, findingsCount=3)
    )
    scan = run(flavour, server, still, lambda client: client.scans.wait(ID))
    assert (scan.phase, scan.findings_count) == (end, 3)
    assert len(server.seen) == 4
    assert still.sleeps == sorted(still.sleeps)


def test_it_gives_up_with_the_last_state(server: Scripted, flavour: str, still: StillClock) -> None:
    server.on("GET", ITEM, *[state("Running")] * 100)
    with pytest.raises(
        WaitTimeoutError, match=rf"^{ID} has not ended within 3 s, its phase is Running$"
    ) as given:
        run(flavour, server, still, lambda client: client.scans.wait(ID, timeout=3))
    assert given.value.last.phase == "Running"  # type: ignore[attr-defined]


def test_a_poll_that_fails_is_repeated_and_a_wrong_id_is_told(
    server: Scripted, flavour: str, still: StillClock
) -> None:
    busy = Reply(status=503, json={"error": {"code": 503, "message": "Busy."}})
    server.on("GET", ITEM, busy, busy, busy, busy, state("Completed"))
    assert run(flavour, server, still, lambda client: client.scans.wait(ID)).phase == "Completed"
    server.on("GET", ITEM, Reply(status=404, json={"error": {"code": 404, "message": "No scan."}}))
    with pytest.raises(NotFoundError):
        run(flavour, server, still, lambda client: client.scans.wait(ID))

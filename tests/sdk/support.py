"""What the SDK's tests share: a clock that does not wait, both clients behind one call, sample data."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

import attrs

from akmatori_sdk import Akmatori, AsyncAkmatori, Clock

UUID = "0b1f6c1e-6a0f-4a53-9f0c-0f6f3c1b2a77"


@attrs.define
class StillClock:
    """Time that passes only by sleeping; notes every sleep."""

    now: float = 1000.0
    chance: float = 1.0
    sleeps: list[float] = attrs.field(factory=list[float])

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(round(seconds, 6))
        self.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)
        await asyncio.sleep(0)

    @property
    def clock(self) -> Clock:
        return Clock(
            monotonic=lambda: self.now,
            wall=lambda: 1_800_000_000.0 + self.now,
            sleep=self.sleep,
            asleep=self.asleep,
            random=lambda: self.chance,
        )


def run(flavour: str, base_url: str, action: Callable[[Any], Any], **options: Any) -> Any:
    """Do one thing with a client of a flavour; for the async one, await what comes back."""
    if not {"token", "api_key", "username"} & options.keys():
        options["token"] = "test-token"
    if flavour == "sync":
        with Akmatori(base_url, **options) as client:
            return action(client)

    async def main() -> Any:
        async with AsyncAkmatori(base_url, **options) as client:
            result = action(client)
            return await result if inspect.isawaitable(result) else result

    return asyncio.run(main())


def incident(**changes: Any) -> dict[str, Any]:
    """Return the JSON of an incident."""
    return {
        "id": 1,
        "uuid": UUID,
        "source": "api",
        "source_id": "api-1",
        "title": "Checkout is slow",
        "status": "running",
        "context": {"task": "Why?"},
        "session_id": "",
        "working_dir": "/akmatori/incidents/1",
        "full_log": "",
        "response": "",
        "tokens_used": 0,
        "execution_time_ms": 0,
        "started_at": "2026-05-15T10:00:00Z",
        "created_at": "2026-05-15T10:00:00Z",
        "updated_at": "2026-05-15T10:00:00Z",
        "slack_channel_id": "",
        "slack_message_ts": "",
        **changes,
    }


def page(items: list[Any], **info: Any) -> dict[str, Any]:
    """Return the JSON of a page."""
    return {"data": items, "pagination": info}

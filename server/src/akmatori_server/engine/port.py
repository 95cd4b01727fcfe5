"""What the server needs from a durable engine, and nothing about how it is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import sqlalchemy as sa

Handler = Callable[[int, int], Awaitable[None]]
"""Works on one incident, by its id and the number of the run: 1, and one more each time it is done again.

Called again for the same two after a crash; cancelled by `cancel`.
"""

Job = Callable[[], None]
"""Something done on a schedule. Must bear being done twice: a crash may come before it is recorded."""


class Engine(Protocol):
    """The queue of incidents and the clock of scheduled jobs.

    The engine owns queueing, claiming, recovery, schedule and cancellation. The state of an incident is in
    our own tables; the engine knows ids only.
    """

    def prepare(self) -> None:
        """Make `enqueue` and `cancel` work in a process that never calls `run`."""
        ...

    def enqueue(self, connection: sa.Connection, incident_id: int, run: int = 1) -> None:
        """Put an incident in the queue as part of the caller's transaction: both commit, or neither.

        Doing it again for the same run of the incident changes nothing, even when that run is over.
        """
        ...

    def cancel(self, incident_id: int, run: int = 1) -> None:
        """Take a run of an incident out of the queue, or cancel the handler working on it; nothing if it is done.

        Call it outside any transaction: it commits by itself.
        """
        ...

    def schedule(self, name: str, cron: str, fn: Job) -> None:
        """Declare a job to run at the times of `cron` (five fields, or six with seconds first), in UTC.

        Of several workers one runs it. Declare every schedule before `run`.
        """
        ...

    def run(self, handler: Handler, concurrency: int) -> None:
        """Begin to work: recover what this worker left, then handle up to `concurrency` incidents at once.

        Returns when the engine is working.
        """
        ...

    def adopt_dead(self, ttl: float) -> int:
        """Queue again what workers unseen for `ttl` seconds left behind; return how many incidents."""
        ...

    def stop(self) -> None:
        """Stop working. What was interrupted is taken up again by the next `run`."""
        ...

"""What the server needs from a durable engine, and nothing about how it is done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import sqlalchemy as sa

Entry = tuple[int, int]
"""A run of an incident: the incident's id, and the number of the run."""

Handler = Callable[[int, int], Awaitable[None]]
"""Works on one incident, by its id and the number of the run: 1, and one more each time it is done again.

Called again for the same two after a crash; cancelled by `cancel`.
"""

TaskHandler = Callable[[str], Awaitable[None]]
"""Does one task, by its key. May be called again for the same key after a crash, and must bear it.

It runs in an event loop that all tasks share, and leaves what blocks to threads.
"""

Job = Callable[[], None]
"""Something done on a schedule. Must bear being done twice: a crash may come before it is recorded."""


class Schedule(Protocol):
    """The clock of scheduled jobs."""

    def schedule(self, name: str, cron: str, fn: Job) -> None:
        """Declare a job to run at the times of `cron` (five fields, or six with seconds first), in UTC.

        Of several workers one runs it. Declare every schedule before `run`.
        """
        ...


class Engine(Schedule, Protocol):
    """The queue of incidents, the queue of tasks, and the clock of scheduled jobs.

    The engine owns queueing, claiming, recovery, schedule and cancellation. The state of an incident is in
    our own tables; the engine knows ids only.
    """

    def prepare(self) -> None:
        """Make `enqueue`, `submit` and `cancel` work in a process that never calls `run`."""
        ...

    def enqueue(self, connection: sa.Connection, incident_id: int, run: int = 1, *, group: str = "") -> None:
        """Put an incident in the queue as part of the caller's transaction: both commit, or neither.

        Doing it again for the same run of the incident changes nothing, even when that run is over. Incidents
        of one group share the places that `run` gives to a group.
        """
        ...

    def lost(self, entries: Sequence[Entry]) -> list[Entry]:
        """Return those of these runs that nobody works on, nor will: never queued, or over for the engine."""
        ...

    def enqueue_again(self, incident_id: int, run: int, *, group: str = "") -> None:
        """Queue a run that was lost. Call it outside any transaction: it commits by itself."""
        ...

    def cancel(self, incident_id: int, run: int = 1) -> None:
        """Take a run of an incident out of the queue, or cancel the handler working on it; nothing if it is done.

        Call it outside any transaction: it commits by itself.
        """
        ...

    def task(self, name: str, handler: TaskHandler) -> None:
        """Declare who does the tasks of this name. Declare every one before `run`.

        A handler that raises is called again later, in any working process, waiting longer each time.
        """
        ...

    def submit(self, connection: sa.Connection, name: str, key: str, *, delay_seconds: float = 0) -> None:
        """Queue a task as part of the caller's transaction: both commit, or neither.

        Doing it again for the same name and key changes nothing, for a week after the task is over. Any working
        process does it; one that only serves requests may submit without declaring a handler. Tasks have
        places of their own, eight in each process, and are done no sooner than `delay_seconds` from now.
        """
        ...

    def run(self, handler: Handler, concurrency: int, *, per_group: int | None = None) -> None:
        """Begin to work: recover what this worker left, then handle up to `concurrency` incidents at once.

        Of one group it handles `per_group` at once at most; what is more waits, and other groups go before it.
        Returns when the engine is working.
        """
        ...

    def adopt_dead(self, ttl: float) -> int:
        """Queue again what workers unseen for `ttl` seconds left behind; return how many incidents."""
        ...

    def stop(self) -> None:
        """Stop working. What was interrupted is taken up again by the next `run`."""
        ...

"""The queue of incidents on DBOS: an entry for each run, and so many places for each group of them.

The queue is partitioned by group, so that a worker claims no more of a group than it may work on at once: a
burst waits in the queue, where other workers find it, and not in the memory of one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import sqlalchemy as sa
import structlog
from dbos import DBOS, DBOSClient, EnqueueOptions

from akmatori_server.database import Database
from akmatori_server.engine.dbos_tasks import APPLICATION, APPLICATION_VERSION, Active
from akmatori_server.engine.port import Entry, Handler

QUEUE = "incidents"
WORKFLOW = "investigate"
# A partitioned queue takes no entry without a partition.
NO_GROUP = "-"
_PREFIX = "incident-"

# Waits between two tries of a handler that raised: the database is away, most likely.
RETRY_FIRST_SECONDS = 1.0
RETRY_LONGEST_SECONDS = 60.0
LIVE = frozenset({"ENQUEUED", "DELAYED", "PENDING"})

log = structlog.get_logger(__name__)


class DBOSIncidents:
    """Queues runs of incidents and has a handler work on them, beside an engine that owns the process's DBOS."""

    def __init__(self, database: Database, client: DBOSClient) -> None:
        self._database = database
        self._client = client
        self.active = Active()

    def enqueue(self, connection: sa.Connection, incident_id: int, run: int, group: str) -> None:
        """Put a run in the queue as part of the caller's transaction."""
        options: EnqueueOptions = {
            "workflow_name": WORKFLOW,
            "queue_name": QUEUE,
            "queue_partition_key": group or NO_GROUP,
            "workflow_id": workflow_id(incident_id, run),
            "app_version": APPLICATION_VERSION,
            "application_name": APPLICATION,
        }
        self._client.enqueue_in_transaction(connection, options, incident_id, run)

    def cancel(self, incident_id: int, run: int) -> None:
        """Take a run out of the queue, or cancel the handler working on it."""
        self._client.cancel_workflows([workflow_id(incident_id, run)])

    def lost(self, entries: Sequence[Entry]) -> list[Entry]:
        """Return the runs that have no entry, or one that is over."""
        found = self._client.list_workflows(
            workflow_ids=[workflow_id(*entry) for entry in entries], load_input=False, load_output=False
        )
        live = {workflow.workflow_id for workflow in found if workflow.status in LIVE}
        return [entry for entry in entries if workflow_id(*entry) not in live]

    def enqueue_again(self, incident_id: int, run: int, group: str) -> None:
        """Queue a run anew. Between the two steps it has no entry, and is found lost again."""
        self._client.delete_workflows([workflow_id(incident_id, run)])
        with self._database.write() as connection:
            self.enqueue(connection, incident_id, run, group)

    def launch(self, handler: Handler, *, places: int, places_per_group: int, polling_seconds: float) -> None:
        """Register the queue and the workflow; to be called between DBOS's making and its launch."""
        self._client.register_queue(
            QUEUE,
            worker_concurrency=places,
            partition_worker_concurrency=places_per_group,
            polling_interval_sec=polling_seconds,
            on_conflict="always_update",
            application_name=APPLICATION,
        )
        DBOS.workflow(name=WORKFLOW, max_recovery_attempts=None)(_workflow(handler, self.active))


def workflow_id(incident_id: int, run: int) -> str:
    """Return the name of a run's entry."""
    # An id is never run twice, not even after its end; so each run has its own.
    return f"{_PREFIX}{incident_id}" if run == 1 else f"{_PREFIX}{incident_id}-run-{run}"


def is_incident(name: str) -> bool:
    """Whether an entry is of a run of an incident."""
    return name.startswith(_PREFIX)


def _workflow(handler: Handler, active: Active) -> Callable[[int, int], Awaitable[None]]:
    async def attempt(incident_id: int, run: int) -> None:
        wait = RETRY_FIRST_SECONDS
        while True:
            try:
                await handler(incident_id, run)
            except Exception:
                log.exception("engine_handler_failed", incident_id=incident_id, retry_in_seconds=wait)
                await asyncio.sleep(wait)
                wait = min(2 * wait, RETRY_LONGEST_SECONDS)
            else:
                return

    # An entry that an older version of ours queued has no number, and is of the first run.
    async def investigate(incident_id: int, run: int = 1) -> None:
        with active.while_working(workflow_id(incident_id, run)):
            # One step, and preemptible: a step can be cancelled in its middle, a workflow only between two steps.
            await DBOS.run_step_async({"name": "attempt", "preemptible": True}, attempt, incident_id, run)

    return investigate

"""Incidents as values: what is needed to open one, and one as it is stored."""

from __future__ import annotations

import enum
from datetime import datetime
from pathlib import Path

import attrs

from akmatori_server.incidents.storable import JSON


class Status(enum.StrEnum):
    """Where the investigation stands."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    DIAGNOSED = "diagnosed"


OPEN = frozenset({Status.PENDING, Status.RUNNING})
FINISHED = frozenset({Status.COMPLETED, Status.FAILED, Status.DIAGNOSED})


class Kind(enum.StrEnum):
    """What it was opened for."""

    TASK = "task"
    ALERT = "alert"
    STORM = "storm"


@attrs.frozen(kw_only=True)
class NewIncident:
    """What opens an incident; identifiers, times and the working directory are added when it is stored."""

    source: str
    source_id: str
    title: str
    context: dict[str, JSON]
    kind: Kind = Kind.TASK
    alert_source_id: int | None = None
    # What further alerts must have in common with it to join.
    open_key: str | None = None


@attrs.frozen(kw_only=True)
class OpenedIncident:
    """An incident that was just stored and queued."""

    id: int
    uuid: str
    working_dir: Path


@attrs.frozen(kw_only=True)
class Incident:
    """One stored incident. Its log is kept in rows of its own and is not part of this."""

    id: int
    uuid: str
    source: str
    source_id: str
    title: str
    status: str
    context: dict[str, JSON] | None
    session_id: str
    working_dir: str
    response: str
    tokens_used: int
    execution_time_ms: int
    started_at: datetime
    completed_at: datetime | None
    created_at: datetime
    updated_at: datetime
    slack_channel_id: str
    slack_message_ts: str
    kind: str
    alert_count: int
    firing_count: int
    last_alert_at: datetime | None
    resolved_at: datetime | None
    # How often its investigation was asked for.
    run: int


@attrs.frozen(kw_only=True)
class CreatedBetween:
    """Bounds on the moment of creation, both inclusive; None is no bound."""

    earliest: datetime | None = None
    latest: datetime | None = None


@attrs.frozen(order=True)
class Position:
    """Where a page ends in the list's order: the newest first, the higher id first among equals."""

    created_at: datetime
    id: int

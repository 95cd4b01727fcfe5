"""What incidents need from the rest of the server."""

from __future__ import annotations

from typing import Protocol

import sqlalchemy as sa


class Queue(Protocol):
    """The part of the engine that takes incidents in."""

    def enqueue(self, connection: sa.Connection, incident_id: int, run: int = 1, *, group: str = "") -> None:
        """Queue the investigation inside the caller's transaction: both are stored, or neither."""
        ...


class RevocableQueue(Queue, Protocol):
    """One that lets go of them, too."""

    def cancel(self, incident_id: int, run: int = 1) -> None:
        """End the work on a run of the incident, or take it out of the queue; outside any transaction."""
        ...

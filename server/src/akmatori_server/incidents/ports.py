"""What incidents need from the rest of the server."""

from __future__ import annotations

from typing import Protocol

import sqlalchemy as sa


class Queue(Protocol):
    """The part of the engine that takes incidents in."""

    def enqueue(self, connection: sa.Connection, incident_id: int) -> None:
        """Queue the investigation inside the caller's transaction: both are stored, or neither."""
        ...

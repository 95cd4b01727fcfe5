"""What taking alerts in needs from the rest of the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

import sqlalchemy as sa

from akmatori_server.alert_sources.models import AlertSource
from akmatori_server.correlation.rules import RuleBook
from akmatori_server.errors import ApiError
from akmatori_server.events.models import NewEvent
from akmatori_server.incidents.service import Opening
from akmatori_server.silences.book import ActiveSilences


class Sources(Protocol):
    """Where a delivery's source is looked up."""

    def is_at_hand(self, uuid: str, /) -> bool:
        """Whether it can be returned without waiting for the database."""
        ...

    def for_delivery(self, uuid: str, /) -> tuple[AlertSource, str]:
        """Return the source and its secret ("" when it has none), or raise NotFound."""
        ...


class Incidents(Protocol):
    """Where incidents are opened."""

    def opening(self) -> AbstractContextManager[Opening]:
        """Yield one write transaction in which incidents may be opened."""
        ...


class Rules(Protocol):
    """Where the rules of today are."""

    def current(self) -> RuleBook:
        """Return them."""
        ...


class Silences(Protocol):
    """Where the silences in effect are."""

    def active(self, connection: sa.Connection, now: datetime, /) -> ActiveSilences:
        """Return them."""
        ...


class Events(Protocol):
    """Where changes are told to those who watch."""

    def record(self, connection: sa.Connection, events: Sequence[NewEvent], /) -> None:
        """Add events to a write transaction, as the last thing in it."""
        ...

    def wake(self) -> None:
        """Have the watchers look, after the commit."""
        ...


class Limiter(Protocol):
    """What keeps a source from sending more than it may."""

    def take(self, source: AlertSource, /) -> None:
        """Count one delivery, or raise TooManyRequests or Unavailable."""
        ...


class Deliveries(Protocol):
    """Where an operator finds what was refused."""

    def refused(
        self,
        source: AlertSource,
        /,
        *,
        remote: str,
        headers: Mapping[str, str],
        body: bytes,
        size: int,
        error: ApiError,
    ) -> None:
        """Keep a delivery that was refused. Never raises."""
        ...

    def warned(
        self,
        source: AlertSource,
        /,
        *,
        remote: str,
        headers: Mapping[str, str],
        body: bytes,
        warnings: Sequence[str],
    ) -> None:
        """Keep a delivery that was taken, though something about it wants attention. Never raises."""
        ...

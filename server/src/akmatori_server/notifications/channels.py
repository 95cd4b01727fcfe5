"""Where notifications go at the moment, asked for with every change and therefore remembered for a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import attrs
import sqlalchemy as sa

from akmatori_server.crypto import SecretBox
from akmatori_server.notifications import settings_store
from akmatori_server.notifications.models import SLACK, LeastSeverity, NotificationKind
from akmatori_server.settings import store as server_settings

# Seconds for which the answer of the database counts: a change made by another process is seen after them.
REMEMBERED = 1.0


@attrs.frozen
class Channel:
    """One place that is told, and what it is told."""

    name: str
    type: str
    kinds: frozenset[NotificationKind]
    min_severity: LeastSeverity = LeastSeverity.INFO


class Channels:
    """The places that are told."""

    def __init__(self, box: SecretBox, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._box = box
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[Channel, ...] = ()
        self._until = 0.0

    def known(self) -> tuple[Channel, ...] | None:
        """Return them when that needs no look into the database, else None."""
        with self._lock:
            return self._known if self._clock() < self._until else None

    def read(self, connection: sa.Connection) -> tuple[Channel, ...]:
        """Read them on the caller's connection: waiting for another one could be for ever."""
        # From before the look: what is changed during it is seen a second later at most.
        until = self._clock() + REMEMBERED
        found = read_channels(connection, self._box)
        with self._lock:
            self._known, self._until = found, until
        return found

    def forget(self) -> None:
        """Ask the database the next time: the settings were changed."""
        with self._lock:
            self._until = 0.0


def read_channels(connection: sa.Connection, box: SecretBox) -> tuple[Channel, ...]:
    """Read where notifications go; what is told nothing is left out."""
    settings, slack = settings_store.read(connection, box), server_settings.slack(connection, box)
    found = [
        Channel(target.name, target.scheme, target.kinds, target.min_severity)
        for target in settings.targets
        if target.enabled and target.url.is_set
    ]
    if slack.is_active and slack.alerts_channel.strip():
        found.insert(0, Channel(SLACK, SLACK, settings.slack_kinds, settings.slack_min_severity))
    return tuple(channel for channel in found if channel.kinds)

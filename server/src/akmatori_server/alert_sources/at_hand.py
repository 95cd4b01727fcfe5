"""Sources kept at hand for deliveries: found without asking the database each time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import attrs

from akmatori_server.alert_sources.models import AlertSource
from akmatori_server.alert_sources.service import AlertSourceService

# How long a change made by another process may go unseen; one made by this process counts at once.
LONGEST_KEPT_SECONDS = 2.0
MOST_KEPT = 10_000


@attrs.frozen
class _Kept:
    source: AlertSource
    secret: str = attrs.field(repr=False)
    version: int
    at: float


class SourcesAtHand:
    """Looks sources up for deliveries, and remembers them with their secrets for a moment."""

    def __init__(self, sources: AlertSourceService, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._sources = sources
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()

    def is_at_hand(self, uuid: str) -> bool:
        """Whether a source can be returned without asking the database."""
        return self._find(uuid) is not None

    def for_delivery(self, uuid: str) -> tuple[AlertSource, str]:
        """Return the source a delivery is addressed to, and its secret ("" when it has none).

        Raises:
            NotFound: there is none with this uuid.
            Unavailable: the secret cannot be read.
        """
        kept = self._find(uuid)
        if kept is not None:
            return kept.source, kept.secret
        # Read before the source: a change in between then makes what is kept outdated at once.
        version = self._sources.version
        source, secret = self._sources.for_delivery(uuid)
        with self._lock:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[uuid] = _Kept(source, secret, version, self._clock())
        return source, secret

    def _find(self, uuid: str) -> _Kept | None:
        kept = self._kept.get(uuid)
        if kept is None or kept.version != self._sources.version:
            return None
        return kept if self._clock() - kept.at < LONGEST_KEPT_SECONDS else None

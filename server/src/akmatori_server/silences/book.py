"""Whether an alert is silenced."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs
import sqlalchemy as sa

from akmatori_server.silences import store
from akmatori_server.silences.models import Silence


@attrs.frozen
class ActiveSilences:
    """The silences that hold alerts at one moment."""

    silences: tuple[Silence, ...] = ()

    def first(self, fields: Mapping[str, str]) -> Silence | None:
        """Return the silence that holds the alert with these fields, or None; of several, the one that ends last.

        An alert is then looked at again as seldom as possible.
        """
        for silence in self.silences:
            if all(matcher.matches(fields) for matcher in silence.matchers):
                return silence
        return None


class SilenceBook:
    """The silences, for those who take alerts in."""

    def active(self, connection: sa.Connection, now: datetime) -> ActiveSilences:
        """Return the silences that hold alerts at this moment, as the caller's transaction sees them.

        They are read each time, so that a new one counts in every process at once; what is dear, compiling
        the matchers, is done once.
        """
        return ActiveSilences(tuple(store.active(connection, now)))

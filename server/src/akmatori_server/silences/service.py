"""Managing silences."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial

import attrs
import sqlalchemy as sa

from akmatori_server.database import Database
from akmatori_server.errors import NotFound
from akmatori_server.events import EventKind, EventLog
from akmatori_server.listing import Listing
from akmatori_server.silences import store
from akmatori_server.silences.changes import Change, change
from akmatori_server.silences.models import CountedSilence, SilenceState
from akmatori_server.silences.rules import WrittenSilence, changed_silence, new_silence
from akmatori_server.writes import Check, allow, unrecorded

LONGEST_AUTHOR = 255

Record = Callable[[sa.Connection, CountedSilence, CountedSilence], None]
"""Notes a change inside its own transaction: what was stored, and what is stored now."""


class SilenceService:
    """Creates, reads, changes and ends silences."""

    def __init__(self, database: Database, events: EventLog, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._events = events
        self.now = now

    def listing(self, state: SilenceState | None, *, now: datetime) -> Listing[CountedSilence]:
        """Return the list of the silences in this state at `now`, or of every one; the newest first."""
        return Listing(
            self._database,
            partial(store.count, state=state, now=now),
            partial(store.listed, state=state, now=now),
        )

    def get(self, identifier: str) -> CountedSilence:
        """Return one silence.

        Raises:
            NotFound: there is none with this uuid.
        """
        with self._database.read() as connection:
            return _found(store.get(connection, identifier))

    def change(self) -> AbstractContextManager[Change]:
        """Open a transaction for `create_in`."""
        return change(self._database, self._events)

    def create_in(self, write: Change, written: WrittenSilence, *, created_by: str) -> CountedSilence:
        """Store a new silence as part of the caller's transaction.

        Raises:
            BadRequest: it breaks a rule.
        """
        now = self.now()
        text = new_silence(written, now=now)
        silence = store.insert(
            write.connection,
            text,
            uuid=str(uuid.uuid4()),
            created_by=created_by[:LONGEST_AUTHOR],
            now=now,
        )
        write.tell(EventKind.SILENCE_CREATED, silence, now=now)
        return CountedSilence(silence, 0)

    def update(
        self,
        identifier: str,
        written: WrittenSilence,
        *,
        check: Check[CountedSilence] = allow,
        record: Record = unrecorded,
    ) -> CountedSilence:
        """Change what was written.

        Raises:
            NotFound: there is none with this uuid.
            BadRequest: the change breaks a rule.
            Conflict: the silence is over, or `check` refused.
        """
        with self.change() as write:
            before = _found(store.get(write.connection, identifier, to_change=True))
            # Not before the row is ours: another writer may have ended it while we waited.
            now = self.now()
            check(before)
            text = changed_silence(before.silence, written, now=now)
            look_again = text.matchers != before.silence.matchers and before.silence.starts_at <= now
            store.update(write.connection, before.silence.id, text, now=now, look_again=look_again)
            after = _found(store.get(write.connection, identifier))
            record(write.connection, before, after)
            write.tell(EventKind.SILENCE_UPDATED, after.silence, now=now)
        return after

    def end(self, identifier: str, *, record: Record = unrecorded) -> None:
        """End a silence now; one that is over stays as it is.

        Raises:
            NotFound: there is none with this uuid.
        """
        with self.change() as write:
            before = _found(store.get(write.connection, identifier, to_change=True))
            now = self.now()
            if before.silence.state_at(now) is SilenceState.EXPIRED:
                return
            # One that has not begun has no time at all then.
            starts_at = min(before.silence.starts_at, now)
            text = attrs.evolve(before.silence, starts_at=starts_at, ends_at=now)
            store.update(write.connection, before.silence.id, text, now=now)
            after = _found(store.get(write.connection, identifier))
            record(write.connection, before, after)
            write.tell(EventKind.SILENCE_ENDED, after.silence, now=now)


def _found(silence: CountedSilence | None) -> CountedSilence:
    if silence is None:
        raise NotFound("No silence has this uuid.")
    return silence

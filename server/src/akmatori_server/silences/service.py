"""Managing silences."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

import attrs
import sqlalchemy as sa

from akmatori_server.database import Database
from akmatori_server.errors import NotFound
from akmatori_server.events import EventKind, EventLog
from akmatori_server.silences import store
from akmatori_server.silences.changes import Change, change
from akmatori_server.silences.models import CountedSilence, SilenceState
from akmatori_server.silences.rules import WrittenSilence, changed_silence, new_silence

LONGEST_AUTHOR = 255

Check = Callable[[CountedSilence], None]
"""Looks at a silence before it is changed, and raises to refuse."""


Record = Callable[[sa.Connection, CountedSilence, CountedSilence], None]
"""Notes a change inside its own transaction: what was stored, and what is stored now."""


def allow(_silence: CountedSilence) -> None:
    """Refuse nothing."""


def unrecorded(_connection: sa.Connection, _before: CountedSilence, _after: CountedSilence) -> None:
    """Note nothing: for writes of the server itself."""


class SilenceService:
    """Creates, reads, changes and ends silences."""

    def __init__(self, database: Database, events: EventLog, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._events = events
        self.now = now

    def all(self, state: SilenceState | None, *, now: datetime) -> list[CountedSilence]:
        """Return every silence in this state at `now`, or every one; the newest first."""
        with self._database.read() as connection:
            return store.listed(connection, state, now=now)

    def page(
        self, state: SilenceState | None, *, now: datetime, offset: int, limit: int
    ) -> tuple[list[CountedSilence], int]:
        """Return a part of that list, and how long all of it is."""
        with self._database.read() as connection:
            total = store.count(connection, state, now=now)
            # Beyond the end nothing is read; the offset may be larger than the database's integers.
            if offset >= total:
                return [], total
            return store.listed(connection, state, now=now, offset=offset, limit=limit), total

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
        check: Check = allow,
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

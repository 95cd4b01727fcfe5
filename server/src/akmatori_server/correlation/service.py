"""The rules of the installation: from the operator's file, else as the API stored them, else none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import attrs
import structlog

from akmatori_sdk._core.model import Unset
from akmatori_server.audit import Action, AuditTrail
from akmatori_server.config import ConfigurationError
from akmatori_server.correlation import store
from akmatori_server.correlation.document import RulesDocument
from akmatori_server.correlation.nodes import RulesError
from akmatori_server.correlation.reading import read_document
from akmatori_server.correlation.rules import RuleBook
from akmatori_server.correlation.rules_file import first_state, next_state
from akmatori_server.correlation.state import NOTHING_STORED, Origin, RulesState, stored_etag
from akmatori_server.database import Database
from akmatori_server.errors import Conflict
from akmatori_server.etag import require_match
from akmatori_server.http.call import Call
from akmatori_server.incidents.storable import JSON

_log = structlog.stdlib.get_logger("akmatori_server.correlation")

# Seconds for which what was read is taken for current; a change by another process shows within a second.
FRESH_SECONDS = 0.5
WATCH_SECONDS = 2.0
TARGET = "correlation_rules"


class RulesService:
    """The rules, always at hand, and never much older than their source."""

    def __init__(
        self,
        database: Database,
        audit: AuditTrail,
        *,
        file: Path | None,
        now: Callable[[], datetime],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the database, and the operator's file when there is one.

        Args:
            database: where the API stores rules.
            audit: where writes are recorded.
            file: the operator's file, which then decides alone.
            now: the time of writes.
            clock: seconds that only go forward.
        """
        self._database = database
        self._audit = audit
        self._file = file
        self._now = now
        self._clock = clock
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        # What was read last, and when.
        self._held: tuple[RulesState, float] | None = None

    def load(self) -> None:
        """Read the rules at the start.

        Raises:
            ConfigurationError: the operator's file cannot be used.
        """
        if self._file is None:
            return
        try:
            state = first_state(self._file)
        except RulesError as error:
            raise ConfigurationError(f"AKMATORI_RULES_FILE {self._file}: {error}") from None
        with self._lock:
            self._held = (state, self._clock())

    def watch(self, every: float = WATCH_SECONDS) -> None:
        """Look at the operator's file by the clock too, until `stop`.

        Whoever asks gets fresh rules without it; but on a day without alerts nobody asks, and a broken file should be
        in the log when its author looks there.
        """
        if self._file is not None:
            threading.Thread(target=self._watch, args=(every,), name="rules-file", daemon=True).start()

    def stop(self) -> None:
        """End the watch."""
        self._stopped.set()

    def current(self) -> RuleBook:
        """Return the rules that hold now; cheap enough to ask for every delivery."""
        held = self._held
        if held is not None and self._clock() - held[1] < FRESH_SECONDS:
            return held[0].book
        return self.state().book

    def state(self) -> RulesState:
        """Look at the source, and return what holds."""
        with self._lock:
            # Before the look: what changes meanwhile is found by the next one.
            looked_at = self._clock()
            state = self._look(None if self._held is None else self._held[0])
            self._held = (state, looked_at)
            return state

    def replace(self, call: Call, document: RulesDocument, *, if_match: str | Unset) -> RulesState:
        """Store a whole document in place of the one that is stored.

        Raises:
            Conflict: the rules come from a file, or have changed since they were read.
        """
        if self._file is not None:
            raise Conflict(
                f"The correlation rules come from the file {self._file}; change them there.",
                code="rules_in_file",
            )
        now, after = self._now(), document.as_json()
        with self._database.write() as connection:
            before = store.lock(connection, now=now)
            require_match(if_match, stored_etag(str(before.version)))
            written = store.StoredRules(document=after, version=before.version + 1, updated_at=now)
            store.write(connection, written)
            self._audit.record(
                connection, call, Action.CORRELATION_RULES_UPDATED, TARGET, _members(before.document), after
            )
        with self._lock:
            # Whoever read the row before the commit has put down what it found by now.
            self._held = None
        return _state(written, document)

    def _watch(self, every: float) -> None:
        while not self._stopped.wait(every):
            self.state()

    def _look(self, before: RulesState | None) -> RulesState:
        if self._file is not None:
            return first_state(self._file) if before is None else next_state(before, self._file)
        with self._database.read() as connection:
            stored = store.read(connection)
        if stored is None:
            return NOTHING_STORED
        if before is not None and before.version == str(stored.version):
            return before
        try:
            return _state(stored, read_document(stored.document))
        except RulesError as error:
            # Written by a newer server; alerts are taken in all the same.
            _log.error("stored_rules_unreadable", error=str(error))
            sentence = f"The stored rules cannot be read by this version of the server: {error}"
            return attrs.evolve(before or NOTHING_STORED, version=str(stored.version), error=sentence)


def _state(stored: store.StoredRules, document: RulesDocument) -> RulesState:
    return RulesState(
        origin=Origin.API, document=document, version=str(stored.version), updated_at=stored.updated_at
    )


def _members(document: JSON) -> dict[str, JSON]:
    return document if isinstance(document, dict) else {}

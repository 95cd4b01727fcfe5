"""Recording writes, in the transaction of the write, and reading what was recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import cast

import orjson
import sqlalchemy as sa

from akmatori_server.audit import store
from akmatori_server.audit.actions import Action
from akmatori_server.audit.cursor import decode_cursor, encode_cursor
from akmatori_server.audit.models import EVERYTHING, Entry, Filter
from akmatori_server.audit.tables import ACTOR_LENGTH, REMOTE_LENGTH, REQUEST_ID_LENGTH, TARGET_LENGTH
from akmatori_server.cursors import CursorPage, read_cursor_page
from akmatori_server.database import Database
from akmatori_server.http.call import Call
from akmatori_server.pagination import PageRequest

SYSTEM = "system"
# A prompt or a runbook may hold a megabyte, and a page 200 entries; the trail tells that it changed.
LONGEST_TEXT = 4096
# As the HTTP layer writes timestamps.
DUMP_OPTIONS = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


class AuditTrail:
    """The record of every write."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def record(
        self,
        connection: sa.Connection,
        call: Call | None,
        action: Action,
        target: str,
        before: Mapping[str, object] | None,
        after: Mapping[str, object] | None,
    ) -> None:
        """Add an entry as part of the caller's transaction: there is never the write without it, or it alone.

        Args:
            connection: the transaction of the write.
            call: who writes, from where; None when the server does it by itself.
            action: what is done.
            target: what it is done to, as `kind:id`: `runbook:7`, `skill:linux-basics`, `settings:proxy`.
            before: the thing as the API showed it, secrets masked; None when it is new.
            after: the thing as the API shows it now, secrets masked; None when it is gone.
        """
        store.insert(
            connection,
            {
                "created_at": self._now(),
                "actor_kind": SYSTEM if call is None else call.caller.kind,
                "actor": SYSTEM if call is None else call.caller.name[:ACTOR_LENGTH],
                "action": action.value,
                "target": target[:TARGET_LENGTH],
                "remote": "" if call is None else call.remote[:REMOTE_LENGTH],
                "request_id": "" if call is None else call.request_id[:REQUEST_ID_LENGTH],
                "before": _as_shown(before),
                "after": _as_shown(after),
            },
        )

    def page(
        self, request: PageRequest, *, cursor: str | None = None, wanted: Filter = EVERYTHING
    ) -> CursorPage[Entry]:
        """Return one page of the trail, the newest first: by its number, or what follows `cursor`.

        Raises:
            BadRequest: the cursor is not one of ours.
        """
        position = None if cursor is None else decode_cursor(cursor)
        with self._database.read() as connection:
            return read_cursor_page(
                request,
                store.count(connection, wanted),
                numbered=lambda offset, limit: store.page(connection, wanted, offset=offset, limit=limit),
                following=None
                if position is None
                else lambda limit: store.page_before(connection, wanted, entry_id=position, limit=limit),
                cursor_of=lambda entry: encode_cursor(entry.id),
            )


def _as_shown(thing: Mapping[str, object] | None) -> object:
    """Return the thing as the JSON that the API answers, with its long texts cut off."""
    return None if thing is None else _shortened(orjson.loads(orjson.dumps(dict(thing), option=DUMP_OPTIONS)))


def _shortened(value: object) -> object:
    """Return the value with its long texts cut off, and how long they were."""
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        return f"{value[:LONGEST_TEXT]}… ({len(value)} characters)"
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return {name: _shortened(member) for name, member in members.items()}
    if isinstance(value, list):
        return [_shortened(item) for item in cast("list[object]", value)]
    return value

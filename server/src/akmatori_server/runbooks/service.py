"""Managing runbooks, and finding the ones that fit a problem."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa

from akmatori_server.complaints import required_text
from akmatori_server.database import Database
from akmatori_server.errors import BadRequest, NotFound
from akmatori_server.listing import Listing
from akmatori_server.runbooks import store
from akmatori_server.runbooks.declared import Functions
from akmatori_server.runbooks.models import Runbook, RunbookText
from akmatori_server.tools import store as tools_store
from akmatori_server.writes import Check, Record, allow, unrecorded

LONGEST_TITLE = 255


def written_text(title: str, content: str) -> RunbookText:
    """Check what a caller writes.

    Raises:
        BadRequest: the title or the content is blank, or the title is too long.
    """
    title = required_text("title", title, longest=LONGEST_TITLE)
    if not content.strip():
        raise BadRequest("content: must not be blank.")
    return RunbookText(title=title, content=content)


class RunbookService:
    """Creates, reads, replaces and deletes runbooks."""

    def __init__(self, database: Database, *, now: Callable[[], datetime]) -> None:
        self.database = database
        self.now = now
        # By title.
        self.listing = Listing(database, store.count, store.listed)

    def functions(self) -> Functions:
        """Return the functions of the tools that are there, by the tools' names, and of their types.

        Those of MCP servers are empty: what they offer is known only when they are asked.
        """
        with self.database.read() as connection:
            tools = tools_store.listed(connection)
        of_types = {tool.type.name: tool.type.functions for tool in tools}
        return of_types | {tool.logical_name: tool.type.functions for tool in tools}

    def get(self, runbook_id: int) -> Runbook:
        """Return one runbook.

        Raises:
            NotFound: there is none with this id.
        """
        with self.database.read() as connection:
            return _found(store.get(connection, runbook_id))

    def create(self, text: RunbookText) -> Runbook:
        """Store a new runbook; titles need not be unique."""
        with self.database.write() as connection:
            return self.create_in(connection, text)

    def create_in(self, connection: sa.Connection, text: RunbookText) -> Runbook:
        """Store a new runbook as part of the caller's transaction."""
        return store.insert(connection, text, now=self.now())

    def replace(
        self,
        runbook_id: int,
        text: RunbookText,
        *,
        check: Check[Runbook] = allow,
        record: Record[Runbook] = unrecorded,
    ) -> Runbook:
        """Replace title and content.

        Raises:
            NotFound: there is none with this id.
            Conflict: `check` refused.
        """
        with self.database.write() as connection:
            before = _found(store.get(connection, runbook_id, to_change=True))
            check(before)
            after = store.update(connection, runbook_id, text, now=self.now())
            record(connection, before, after)
            return after

    def delete(self, runbook_id: int, *, record: Record[Runbook] = unrecorded) -> None:
        """Delete a runbook.

        Raises:
            NotFound: there is none with this id.
        """
        with self.database.write() as connection:
            before = _found(store.get(connection, runbook_id, to_change=True))
            store.delete(connection, runbook_id)
            record(connection, before, None)


def _found(runbook: Runbook | None) -> Runbook:
    if runbook is None:
        raise NotFound("No runbook has this id.")
    return runbook

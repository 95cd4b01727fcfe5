"""Storing proposals, deciding about them, and every other step from state to state."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import attrs
import sqlalchemy as sa

from akmatori_server.audit import Action as Audited
from akmatori_server.audit import AuditTrail
from akmatori_server.crypto import SecretBox
from akmatori_server.database import Database
from akmatori_server.errors import Conflict, NotFound
from akmatori_server.events import EventKind, EventLog, NewEvent, incident_data
from akmatori_server.http.call import Call
from akmatori_server.incidents import store as incident_store
from akmatori_server.incidents.storable import storable_text
from akmatori_server.incidents.tables import incidents
from akmatori_server.pagination import PageRequest
from akmatori_server.proposals import store
from akmatori_server.proposals.action import Action
from akmatori_server.proposals.models import APPROVED, Decision, Ending, Proposal, ProposalState, Wanted
from akmatori_server.proposals.story import line_of
from akmatori_server.proposals.view import audited
from akmatori_server.toolbox.ports import WriteRequest

TASK = "proposal"
USUAL_LIFETIME = timedelta(hours=24)
# An approval is for now: when nobody did it within an hour, the moment it was meant for is over.
APPROVAL_GOOD_FOR = timedelta(hours=1)
# Longer than any action may take.
RUNNING_AT_MOST = timedelta(hours=1)
LONGEST_TEXT = 10_000
LONGEST_NAME = 255
SETTLED_AT_ONCE = 500

INTERRUPTED = (
    "The process that did this ended in its middle, and the outcome is not known; look before you repeat it."
    " It is not done again."
)
TOO_LATE = "Not done: no server or worker was there to do it within an hour after its approval. Have it proposed again."


class TaskQueue(Protocol):
    """The part of the engine that takes tasks in."""

    def submit(self, connection: sa.Connection, name: str, key: str, *, delay_seconds: float = 0) -> None:
        """Queue a task as part of the caller's transaction."""
        ...


@attrs.frozen
class Begun:
    """A proposal that is about to be done, and its action in clear."""

    proposal: Proposal
    # None when it can no longer be read.
    sealed: str | None = attrs.field(repr=False)


class ProposalService:
    """The proposals of an installation."""

    def __init__(
        self,
        database: Database,
        secrets: SecretBox,
        audit: AuditTrail,
        *,
        queue: TaskQueue,
        events: EventLog,
        now: Callable[[], datetime],
        lifetime: timedelta = USUAL_LIFETIME,
    ) -> None:
        self._database = database
        self._secrets = secrets
        self._audit = audit
        self._queue = queue
        self._events = events
        self._lifetime = lifetime
        self.now = now

    def propose(self, connection: sa.Connection, request: WriteRequest) -> str:
        """Store an action for a person to decide about, as part of the caller's transaction; return its uuid.

        The same call of the same incident is stored once.
        """
        known = store.uuid_of(connection, request.incident_id, request.key)
        if known is not None:
            return known
        identifier, now, tool = str(uuid.uuid4()), self.now(), request.call.tool.tool
        action = Action(arguments=request.call.arguments)
        row = {
            "uuid": identifier,
            "incident_id": request.incident_id,
            "run": request.run,
            "key": request.key,
            "tool_id": tool.id,
            "tool_name": tool.logical_name,
            "tool_type": tool.type.name,
            "function": request.call.function.name,
            "arguments": dict(request.shown_arguments),
            "summary": storable_text(request.shown_summary, LONGEST_TEXT),
            "purpose": storable_text(request.purpose, LONGEST_TEXT),
            "sealed": self._secrets.encrypt(action.packed(), _place(identifier)),
            "digest": action.digest(request.call, request.plan),
            "state": ProposalState.PENDING.value,
            "created_at": now,
            "expires_at": now + self._lifetime,
        }
        store.insert(connection, row)
        stored = _found(store.get(connection, identifier))
        target = f"proposal:{identifier}"
        self._audit.record(connection, None, Audited.PROPOSAL_CREATED, target, None, audited(stored, now))
        return identifier

    def get(self, identifier: str) -> Proposal:
        """Return a proposal.

        Raises:
            NotFound: there is none with this uuid.
        """
        with self._database.read() as connection:
            return _found(store.get(connection, identifier))

    def page(self, request: PageRequest, wanted: Wanted) -> tuple[list[Proposal], int]:
        """Return one page of the list, the newest first, and how many there are in all."""
        with self._database.read() as connection:
            return store.page(connection, wanted, self.now(), offset=request.offset, limit=request.size)

    def approve(self, identifier: str, call: Call, decision: Decision) -> Proposal:
        """Approve a proposal, and have its action done; one that is approved already is returned as it is.

        Raises:
            NotFound: there is none with this uuid.
            Conflict: it is rejected or expired, or not for the action whose digest was sent.
        """
        with self._database.write() as connection:
            before = _found(store.get(connection, identifier, to_change=True))
            if decision.digest is not None and decision.digest != before.digest:
                raise Conflict("The digest is of another action than this proposal's; read it again.")
            if before.state in APPROVED:
                return before
            self._refuse_decided(before)
            after = self._decide(connection, before, ProposalState.APPROVED, call, decision)
            self._queue.submit(connection, TASK, identifier)
            self._tell(connection, after)
        self._events.wake()
        return after

    def reject(self, identifier: str, call: Call, decision: Decision) -> Proposal:
        """Reject a proposal for good; one that is rejected already is returned as it is.

        Raises:
            NotFound: there is none with this uuid.
            Conflict: it is approved or expired.
        """
        with self._database.write() as connection:
            before = _found(store.get(connection, identifier, to_change=True))
            if before.state is ProposalState.REJECTED:
                return before
            self._refuse_decided(before)
            after = self._decide(connection, before, ProposalState.REJECTED, call, decision)
            self._tell(connection, after)
        self._events.wake()
        return after

    def begin(self, identifier: str) -> Begun | None:
        """Take an approved action to be done; None when it is not to be done.

        What is running already was begun by a process that died: nobody knows how far it came, and it is not
        done again.
        """
        now = self.now()
        with self._database.write() as connection:
            before = store.get(connection, identifier, to_change=True)
            if before is None:
                return None
            if before.state is ProposalState.RUNNING:
                self._settle(connection, before, Ending(state=ProposalState.UNKNOWN, text=INTERRUPTED))
                return None
            if before.state is not ProposalState.APPROVED:
                return None
            if before.decided_at is not None and before.decided_at + APPROVAL_GOOD_FOR <= now:
                self._settle(connection, before, Ending(state=ProposalState.FAILED, text=TOO_LATE))
                return None
            values = {"state": ProposalState.RUNNING.value, "started_at": now}
            proposal = self._changed(connection, before, values)
            sealed = store.sealed(connection, identifier)
            self._tell(connection, proposal)
        self._events.wake()
        return Begun(proposal, sealed)

    def action(self, begun: Begun) -> Action | None:
        """Return the action in clear; None when it can no longer be read.

        Raises:
            SecretUnreadableError: it was encrypted with a key this server does not have.
        """
        if begun.sealed is None:
            return None
        return Action.unpacked(self._secrets.decrypt(begun.sealed, _place(begun.proposal.uuid)))

    def end(self, identifier: str, ending: Ending) -> None:
        """Store how an action ended. What was thought lost and is known after all is put right."""
        with self._database.write() as connection:
            before = store.get(connection, identifier, to_change=True)
            if before is None or before.state not in {ProposalState.RUNNING, ProposalState.UNKNOWN}:
                return
            self._settle(connection, before, ending)
        self._events.wake()

    def settle_overdue(self) -> None:
        """End what nobody decided about in time, what nobody did in time, and what was begun and lost."""
        now = self.now()
        rules = (
            (ProposalState.PENDING, "expires_at", now, Ending(state=ProposalState.EXPIRED, text="")),
            (
                ProposalState.APPROVED,
                "decided_at",
                now - APPROVAL_GOOD_FOR,
                Ending(state=ProposalState.FAILED, text=TOO_LATE),
            ),
            (
                ProposalState.RUNNING,
                "started_at",
                now - RUNNING_AT_MOST,
                Ending(state=ProposalState.UNKNOWN, text=INTERRUPTED),
            ),
        )
        for state, column, before, ending in rules:
            with self._database.read() as connection:
                due = store.overdue(connection, state, column, before, limit=SETTLED_AT_ONCE)
            self._settle_each(due, state, ending)

    def _settle_each(self, due: Iterable[str], state: ProposalState, ending: Ending) -> None:
        for identifier in due:
            with self._database.write() as connection:
                proposal = store.get(connection, identifier, to_change=True)
                # Somebody may have been faster.
                if proposal is not None and proposal.state is state:
                    self._settle(connection, proposal, ending)
            self._events.wake()

    def _refuse_decided(self, before: Proposal) -> None:
        state = before.state_at(self.now())
        if state is not ProposalState.PENDING:
            raise Conflict(f"This proposal is {state}; only one that is pending can be decided about.")

    def _decide(
        self,
        connection: sa.Connection,
        before: Proposal,
        state: ProposalState,
        call: Call,
        decision: Decision,
    ) -> Proposal:
        now = self.now()
        values: dict[str, Any] = {
            "state": state.value,
            "decided_at": now,
            "decided_by": decision.by[:LONGEST_NAME],
            "decided_from": decision.remote[:LONGEST_NAME],
            "note": storable_text(decision.note),
        }
        if state is ProposalState.REJECTED:
            values |= {"ended_at": now, "sealed": None}
        after = self._changed(connection, before, values)
        if state is ProposalState.REJECTED:
            incident_store.add_log_lines(connection, [(after.incident_id, line_of(after))], now)
        what = Audited.PROPOSAL_REJECTED if state is ProposalState.REJECTED else Audited.PROPOSAL_APPROVED
        shown = audited(before, now), audited(after, now)
        self._audit.record(connection, call, what, f"proposal:{before.uuid}", *shown)
        return after

    def _settle(self, connection: sa.Connection, before: Proposal, ending: Ending) -> None:
        """End a proposal without anybody's doing: in the log, in the audit trail and for those who watch."""
        now = self.now()
        values = {
            "state": ending.state.value,
            "ended_at": now,
            "output": storable_text(ending.text),
            "sealed": None,
        }
        after = self._changed(connection, before, values)
        line = line_of(after, is_correction=before.state is ProposalState.UNKNOWN)
        incident_store.add_log_lines(connection, [(after.incident_id, line)], now)
        target = f"proposal:{before.uuid}"
        shown = audited(before, now), audited(after, now)
        self._audit.record(connection, None, Audited.PROPOSAL_ENDED, target, *shown)
        self._tell(connection, after)

    def _changed(self, connection: sa.Connection, before: Proposal, values: Mapping[str, Any]) -> Proposal:
        store.change(connection, before.uuid, [before.state], values)
        return _found(store.get(connection, before.uuid))

    def _tell(self, connection: sa.Connection, proposal: Proposal) -> None:
        """Record that the incident changed, as the last thing in the transaction."""
        now = self.now()
        row = connection.execute(
            sa.update(incidents)
            .where(incidents.c.id == proposal.incident_id)
            .values(updated_at=now)
            .returning(
                incidents.c.status, incidents.c.title, incidents.c.alert_count, incidents.c.firing_count
            )
        ).one()
        data = incident_data(
            status=row.status, title=row.title, alert_count=row.alert_count, firing_count=row.firing_count
        )
        kind, incident = EventKind.INCIDENT_UPDATED, proposal.incident_uuid
        self._events.record(connection, [NewEvent(kind=kind, incident_uuid=incident, data=data, at=now)])


def _place(identifier: str) -> str:
    return f"proposals:{identifier}:sealed"


def _found(proposal: Proposal | None) -> Proposal:
    if proposal is None:
        raise NotFound("No proposal has this uuid.")
    return proposal

"""Proposed actions as values."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime

import attrs

from akmatori_server.incidents.storable import JSON


class ProposalState(enum.StrEnum):
    """Where a proposed action stands."""

    PENDING = "pending"
    APPROVED = "approved"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    # It was begun, and nobody knows what came of it.
    UNKNOWN = "unknown"
    REJECTED = "rejected"
    EXPIRED = "expired"


# What an approval leads to.
APPROVED = frozenset(
    {
        ProposalState.APPROVED,
        ProposalState.RUNNING,
        ProposalState.DONE,
        ProposalState.FAILED,
        ProposalState.UNKNOWN,
    }
)


@attrs.frozen(kw_only=True)
class Proposal:
    """A stored proposal, secrets masked."""

    uuid: str
    incident_id: int
    incident_uuid: str
    run: int
    key: str
    tool_id: int
    tool_name: str
    tool_type: str
    function: str
    arguments: Mapping[str, JSON]
    summary: str
    purpose: str
    digest: str
    state: ProposalState = attrs.field(converter=ProposalState)
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    decided_from: str | None
    note: str
    started_at: datetime | None
    ended_at: datetime | None
    output: str

    def state_at(self, moment: datetime) -> ProposalState:
        """Say where it stands: one that nobody decided about in time is over at that moment."""
        if self.state is ProposalState.PENDING and self.expires_at <= moment:
            return ProposalState.EXPIRED
        return self.state


@attrs.frozen(kw_only=True)
class Wanted:
    """Which proposals a reader wants; None is no condition."""

    state: ProposalState | None = None
    incident_uuid: str | None = None


@attrs.frozen(kw_only=True)
class Decision:
    """Who decides, from where, and what they say."""

    by: str
    remote: str
    note: str = ""
    # The digest they read; None when they trust what is stored.
    digest: str | None = None


@attrs.frozen(kw_only=True)
class Ending:
    """How an action ended, and what it gave or what is wrong."""

    state: ProposalState
    text: str

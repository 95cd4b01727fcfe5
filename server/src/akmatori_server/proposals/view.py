"""Proposals as the API shows them."""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.http.optional import or_left_out
from akmatori_server.proposals.models import Proposal

T = TypeVar("T")


def proposal_model(proposal: Proposal, now: datetime) -> models.Proposal:
    """Return the proposal as the API shows it at a moment."""
    return models.Proposal(
        uuid=proposal.uuid,
        incident_uuid=proposal.incident_uuid,
        run=proposal.run,
        call_id=proposal.key,
        state=models.ProposalState(proposal.state_at(now).value),
        tool_id=proposal.tool_id,
        tool=proposal.tool_name,
        tool_type=proposal.tool_type,
        function=proposal.function,
        arguments=dict(proposal.arguments),
        summary=proposal.summary,
        purpose=proposal.purpose,
        digest=proposal.digest,
        created_at=proposal.created_at,
        expires_at=proposal.expires_at,
        decided_at=or_left_out(proposal.decided_at),
        decided_by=or_left_out(proposal.decided_by),
        decided_from=or_left_out(proposal.decided_from),
        note=proposal.note,
        started_at=or_left_out(proposal.started_at),
        ended_at=or_left_out(proposal.ended_at),
        output=proposal.output,
    )


def audited(proposal: Proposal, now: datetime) -> dict[str, object]:
    """Return the proposal for the audit trail."""
    return codec.encode_proposal(proposal_model(proposal, now))

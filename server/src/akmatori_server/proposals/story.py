"""What the incident's log says about a proposal that came to its end."""

from __future__ import annotations

from akmatori_server.incidents.log import LineKind, LogLine
from akmatori_server.proposals.models import Proposal, ProposalState
from akmatori_server.toolbox.rendering import LONGEST_LOGGED, shortened

_HEADS = {
    ProposalState.DONE: "✅ Done after approval by {by}",
    ProposalState.FAILED: "❌ Failed after approval by {by}",
    ProposalState.UNKNOWN: "❓ Begun after approval by {by}, outcome not known",
    ProposalState.REJECTED: "🚫 Rejected by {by}",
    ProposalState.EXPIRED: "⌛ Nobody decided in time",
}


def line_of(proposal: Proposal, *, is_correction: bool = False) -> LogLine:
    """Return the line of a proposal in its present state."""
    head = _HEADS[proposal.state].format(by=proposal.decided_by)
    name = f"{proposal.tool_name}.{proposal.function}"
    parts = [f"{head}: {proposal.summary} ({name}, proposal {proposal.uuid})"]
    if proposal.note:
        parts.append(f"Note: {proposal.note}")
    if proposal.output.strip():
        parts.append(f"Output:\n{shortened(proposal.output, LONGEST_LOGGED)}")
    key = f"proposal:{proposal.uuid}" + (":late" if is_correction else "")
    return LogLine(key, LineKind.RESULT, "\n".join(parts))

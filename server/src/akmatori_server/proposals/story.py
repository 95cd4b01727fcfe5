"""What the incident's log and report say about proposals."""

from __future__ import annotations

from collections.abc import Sequence

from akmatori_server.incidents.log import LineKind, LogLine
from akmatori_server.investigation.report import Section, code, inline
from akmatori_server.proposals.models import Proposal, ProposalState
from akmatori_server.toolbox.rendering import LONGEST_LOGGED, shortened

_HEADS = {
    ProposalState.DONE: "✅ Done after approval by {by}",
    ProposalState.FAILED: "❌ Failed after approval by {by}",
    ProposalState.UNKNOWN: "❓ Begun after approval by {by}, outcome not known",
    ProposalState.REJECTED: "🚫 Rejected by {by}",
    ProposalState.EXPIRED: "⌛ Nobody decided in time",
}


LONGEST_SUMMARY, LONGEST_PURPOSE = 600, 300

HOW_TO_DECIDE = (
    "Nothing of this is done unless a person approves it. To decide (with the scope `admin`): read"
    " `GET /api/proposals/{uuid}`, then `POST /api/proposals/{uuid}/approve` with its `digest`, or"
    " `POST /api/proposals/{uuid}/reject`."
)


def waiting(pending: Sequence[Proposal]) -> tuple[Section, ...]:
    """Return the section of a report about what waits for a person's approval; none where nothing does."""
    if not pending:
        return ()
    lines: list[str] = []
    for one in pending:
        lines.append(
            f"- {code(one.summary, LONGEST_SUMMARY)} by {code(f'{one.tool_name}.{one.function}')} [{one.key}]: proposal"
            f" `{one.uuid}`, until {one.expires_at:%Y-%m-%d %H:%M} UTC."
        )
        if one.purpose.strip():
            lines.append(f"  Why, in the model's words: “{inline(one.purpose, LONGEST_PURPOSE)}”")
    how = HOW_TO_DECIDE.replace("{uuid}", pending[0].uuid if len(pending) == 1 else "<uuid>")
    return (Section("Waits for approval", "\n".join([*lines, "", how])),)


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

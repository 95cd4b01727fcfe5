"""Answers the operations of the tag `proposals`."""

from __future__ import annotations

from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._generated.akmatori import models
from akmatori_server.http.call import Call
from akmatori_server.http.optional import given
from akmatori_server.pagination import PageRequest, pagination_of, requested_page
from akmatori_server.proposals.models import Decision, ProposalState, Wanted
from akmatori_server.proposals.service import ProposalService
from akmatori_server.proposals.view import proposal_model


class ProposalHandlers:
    """Proposals over HTTP."""

    def __init__(self, proposals: ProposalService) -> None:
        self._proposals = proposals

    def list_proposals(
        self,
        _call: Call,
        /,
        *,
        page: int | Unset,
        per_page: int | Unset,
        state: models.ProposalState | Unset,
        incident: str | Unset,
    ) -> models.ProposalPage:
        """List proposed actions, the newest first."""
        request, now = requested_page(page, per_page) or PageRequest(), self._proposals.now()
        wanted = Wanted(
            state=None if state is UNSET else ProposalState(state.value),
            incident_uuid=given(incident),
        )
        items, total = self._proposals.page(request, wanted)
        return models.ProposalPage(
            data=[proposal_model(one, now) for one in items], pagination=pagination_of(request, total)
        )

    def get_proposal(self, _call: Call, /, *, uuid: str) -> models.Proposal:
        """Read one proposed action."""
        return proposal_model(self._proposals.get(uuid), self._proposals.now())

    def approve_proposal(
        self, call: Call, /, *, uuid: str, body: models.ApproveProposalRequest | Unset
    ) -> models.Proposal:
        """Approve a proposed action, which is then done once."""
        digest = None if body is UNSET else body.digest or None
        decision = _decision(call, UNSET if body is UNSET else body.note, digest)
        return proposal_model(self._proposals.approve(uuid, call, decision), self._proposals.now())

    def reject_proposal(
        self, call: Call, /, *, uuid: str, body: models.RejectProposalRequest | Unset
    ) -> models.Proposal:
        """Reject a proposed action, which is then never done."""
        decision = _decision(call, UNSET if body is UNSET else body.note)
        return proposal_model(self._proposals.reject(uuid, call, decision), self._proposals.now())


def _decision(call: Call, note: str | Unset | None, digest: str | None = None) -> Decision:
    return Decision(by=call.caller.name, remote=call.remote, note=note or "", digest=digest)

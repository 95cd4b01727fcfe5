"""Answers the operations of the tag `toolCalls`."""

from __future__ import annotations

from akmatori_sdk._core.model import Unset
from akmatori_sdk._generated.akmatori import models
from akmatori_server.http.call import Call
from akmatori_server.http.optional import or_left_out
from akmatori_server.pagination import PageRequest, pagination_of, requested_page
from akmatori_server.toolbox.history import CallHistory, MadeCall
from akmatori_server.toolbox.rendering import LONGEST_LOGGED, shortened


class ToolCallHandlers:
    """Calls of tools over HTTP."""

    def __init__(self, history: CallHistory) -> None:
        self._history = history

    def list_tool_calls(
        self, _call: Call, /, *, uuid: str, page: int | Unset, per_page: int | Unset
    ) -> models.ToolCallPage:
        """List the calls of tools that an incident's investigation made, in their order."""
        request = requested_page(page, per_page) or PageRequest()
        items, total = self._history.of_incident(uuid, request)
        return models.ToolCallPage(
            data=[_model(made) for made in items], pagination=pagination_of(request, total)
        )


def _model(made: MadeCall) -> models.ToolCall:
    return models.ToolCall(
        id=made.id,
        call_id=made.key,
        tool=made.tool_name,
        tool_type=made.tool_type,
        function=made.function,
        arguments=dict(made.arguments),
        purpose=made.purpose,
        access=models.ToolCallAccess(made.access),
        state=models.ToolCallState(made.outcome or models.ToolCallState.STARTED),
        started_at=made.started_at,
        ended_at=or_left_out(made.ended_at),
        duration_ms=made.duration_ms,
        attempts=made.attempts,
        is_cached=made.is_cached,
        is_truncated=made.is_truncated,
        output=shortened(made.output, LONGEST_LOGGED),
        proposal_uuid=or_left_out(made.proposal_uuid),
    )

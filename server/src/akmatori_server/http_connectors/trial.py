"""Trying a connector: one read-only call with a real tool, and what happened."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import attrs

from akmatori_server.crypto import SecretUnreadableError
from akmatori_server.errors import BadRequest, NotFound
from akmatori_server.http_connectors.definition import ApiCall, Definition
from akmatori_server.http_connectors.request import ApiRequest, build_request
from akmatori_server.http_connectors.sending import ApiAnswer, SendingFailedError, send
from akmatori_server.http_connectors.service import HttpConnectorService
from akmatori_server.outgoing.policy import PUBLIC_ONLY, Policy
from akmatori_server.settings.route import Proxy, Route, direct
from akmatori_server.tools.redaction import without_secrets
from akmatori_server.tools.service import ToolService

# A person waits for it.
LONGEST_SECONDS = 20


@attrs.frozen(kw_only=True)
class TrialResult:
    """What happened. `answer` is None where there was none."""

    request: ApiRequest
    # With secrets masked.
    url: str
    message: str
    answer: ApiAnswer | None
    duration_ms: int

    @property
    def is_success(self) -> bool:
        """Whether the API answered as one hopes."""
        return self.answer is not None and 200 <= self.answer.status < 300


class ConnectorTrial:
    """Makes the calls."""

    def __init__(
        self,
        connectors: HttpConnectorService,
        tools: ToolService,
        *,
        route: Route = direct,
        policy: Policy = PUBLIC_ONLY,
    ) -> None:
        self._connectors = connectors
        self._tools = tools
        self._route = route
        self._policy = policy

    async def run(
        self, connector_id: int, *, tool_id: int, call_name: str, arguments: Mapping[str, Any]
    ) -> TrialResult:
        """Make one call.

        Raises:
            NotFound: there is no such connector.
            BadRequest: the tool is not of its type, the call is unknown or writes, or arguments do not fit.
        """
        # The database is waited for in a thread, not in the event loop.
        request, proxy = await asyncio.to_thread(self._prepared, connector_id, tool_id, call_name, arguments)
        started = time.monotonic()
        answer: ApiAnswer | None = None
        try:
            answer = await send(request, proxy=proxy)
            message = _message(answer)
        except SendingFailedError as error:
            message = str(error)
        return TrialResult(
            request=request,
            url=without_secrets(request.url, request.secrets),
            message=message,
            answer=answer,
            duration_ms=int((time.monotonic() - started) * 1000),
        )

    def _prepared(
        self, connector_id: int, tool_id: int, call_name: str, arguments: Mapping[str, Any]
    ) -> tuple[ApiRequest, Proxy | None]:
        definition = self._connectors.get(connector_id).definition
        call = _call(definition, call_name)
        settings = self._settings(definition, tool_id)
        request = build_request(definition, call, settings, arguments, installation=self._policy)
        request = attrs.evolve(request, timeout_seconds=min(request.timeout_seconds, LONGEST_SECONDS))
        try:
            return request, self._route(request.url)
        except SecretUnreadableError as error:
            raise BadRequest(f"The proxy cannot be used: {error}") from None
        except ValueError:
            # The URL leads nowhere, which the sending says.
            return request, None

    def _settings(self, definition: Definition, tool_id: int) -> Mapping[str, Any]:
        try:
            opened = self._tools.opened(tool_id)
        except NotFound:
            raise BadRequest("tool_instance_id: no tool has this id.") from None
        except SecretUnreadableError as error:
            raise BadRequest(f"tool_instance_id: {error}") from None
        if opened.tool.type.name != definition.tool_type_name:
            raise BadRequest(
                f"tool_instance_id: this tool is of the type {opened.tool.type.name}, not of"
                f" {definition.tool_type_name}."
            )
        return opened.settings


def _call(definition: Definition, name: str) -> ApiCall:
    for call in definition.calls:
        if call.name == name:
            if not call.is_read_only:
                raise BadRequest(f"tool: {name} may change something, so it is not called for a test.")
            return call
    known = ", ".join(call.name for call in definition.calls)
    raise BadRequest(f"tool: the connector has no such tool; it has {known}."[:1000])


def _message(answer: ApiAnswer) -> str:
    if answer.location is not None and 300 <= answer.status < 400:
        return f"The API answered {answer.status}, a redirect, which is not followed."
    return f"The API answered {answer.status}."

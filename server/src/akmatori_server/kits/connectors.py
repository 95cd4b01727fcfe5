"""The kit of HTTP connectors: calls that an administrator declared, made by an investigation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import orjson

from akmatori_server.crypto import SecretUnreadableError
from akmatori_server.errors import BadRequest
from akmatori_server.http_connectors.definition import ApiCall, Definition
from akmatori_server.http_connectors.request import ApiRequest, build_request
from akmatori_server.http_connectors.sending import ApiAnswer, SendingFailedError, send_with
from akmatori_server.http_connectors.service import HttpConnectorService
from akmatori_server.http_connectors.settings_schema import ALLOW_WRITES
from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.summaries import shown_address, summary_of
from akmatori_server.outgoing.client import Client
from akmatori_server.outgoing.models import MOST_BYTES
from akmatori_server.outgoing.policy import PUBLIC_ONLY, Policy
from akmatori_server.settings.route import Route, direct
from akmatori_server.toolbox.kit import Kit
from akmatori_server.toolbox.models import (
    Access,
    Invocation,
    OutcomeUnknownError,
    Output,
    Plan,
    ToolFailedError,
    TrialCall,
)
from akmatori_server.toolbox.session import Session
from akmatori_server.tools.models import OpenTool, ToolType

LONGEST_ERROR = 500
# The client ends a call at its own limit, with the better sentence.
EXTRA_SECONDS = 5.0

KitOfType: TypeAlias = Callable[[ToolType], Kit | None]


class ConnectorKit(Kit):
    """Makes the calls of one connector."""

    def __init__(
        self, definition: Definition, *, route: Route = direct, policy: Policy = PUBLIC_ONLY
    ) -> None:
        """Make a kit.

        Args:
            definition: what the connector declares.
            route: which proxy requests go through.
            policy: where every tool may go; each one's settings may name more.
        """
        self._definition = definition
        self._calls = {one.name: one for one in definition.calls}
        self._route = route
        self._policy = policy

    def trial(self, tool: OpenTool) -> TrialCall:
        """Choose the first call that reads and needs no arguments."""
        for function in tool.tool.type.functions:
            if function.read_only and not function.parameters.get("required"):
                auth = self._definition.auth
                proves = (
                    "The API was reached, and accepted the credentials." if auth else "The API was reached."
                )
                return TrialCall(function=function.name, proves=proves)
        raise ToolFailedError(
            "Every call of this connector that reads needs arguments; try one with POST /api/http-connectors/{id}/test."
        )

    def plan(self, call: Invocation) -> Plan:
        """Say what a call will do."""
        declared, request = self._prepared(call)
        return Plan(
            access=Access.READ if declared.is_read_only else Access.WRITE,
            summary=summary_of(
                f"{request.method} {shown_address(request.url)}", call.arguments, request.secrets
            ),
            timeout_seconds=request.timeout_seconds + EXTRA_SECONDS,
        )

    async def run(self, call: Invocation, session: Session) -> Output:
        """Make a call."""
        _, request = self._prepared(call)
        client = await session.shared(
            f"http:{call.tool.tool.id}",
            lambda: Client(policy=request.policy, route=self._route, verify_tls=request.verify_tls),
        )
        try:
            answer = await send_with(client, request, most_bytes=MOST_BYTES)
        except SendingFailedError as error:
            failed = OutcomeUnknownError if error.may_have_arrived else ToolFailedError
            raise failed(str(error)) from None
        except SecretUnreadableError as error:
            raise ToolFailedError(f"The proxy cannot be used: {error}") from None
        if not 200 <= answer.status < 300:
            raise self._refusal(answer)
        return Output(value=_value(answer), is_truncated=answer.is_truncated)

    def _prepared(self, call: Invocation) -> tuple[ApiCall, ApiRequest]:
        declared = self._calls.get(call.function.name)
        if declared is None:
            raise ToolFailedError(f"The connector has no {call.function.name} any more.")
        settings = call.tool.settings
        if not declared.is_read_only and settings.get(ALLOW_WRITES) is not True:
            raise ToolFailedError(
                f"This may change something, which the tool does not allow; {ALLOW_WRITES} in its settings would let it"
                " be proposed."
            )
        return declared, _built(self._definition, declared, settings, call.arguments, self._policy)

    def _refusal(self, answer: ApiAnswer) -> ToolFailedError:
        said = "" if "html" in answer.content_type else " ".join(answer.body.split())[:LONGEST_ERROR]
        definition = self._definition
        fields = () if definition.auth is None else definition.auth.secret_fields
        hints = {
            401: f"it does not accept the credentials; check {fields[0] if fields else 'how it authenticates'}.",
            403: "it does not allow this; the credentials need the permission for it.",
            404: f"there is no such thing; check the arguments, or {definition.base_url_field}.",
            407: "the proxy wants a login; check the proxy settings.",
            429: "there were too many requests; wait, and ask for less.",
        }
        usual = f"check the arguments and {definition.base_url_field}."
        hint = hints.get(answer.status, usual if answer.status < 500 else "it has a problem of its own.")
        if answer.location is not None and answer.status < 400:
            hint = f"it redirects, which is not followed; check {definition.base_url_field}."
        sentence = f"The API answered {answer.status}: {hint}"
        return ToolFailedError(f"{sentence}{f' It says: {said}' if said else ''}", setup=sentence)


def connector_kit(
    connectors: HttpConnectorService, *, route: Route = direct, policy: Policy = PUBLIC_ONLY
) -> KitOfType:
    """Return what finds the kit of a connector's type: by its definition as it is now; None for other types.

    Args:
        connectors: the connectors.
        route: which proxy their requests go through.
        policy: where every tool may go; each one's settings may name more.
    """

    def kit_of(tool_type: ToolType) -> Kit | None:
        connector = connectors.named(tool_type.name)
        if connector is None:
            return None
        return ConnectorKit(connector.definition, route=route, policy=policy)

    return kit_of


def _built(
    definition: Definition,
    declared: ApiCall,
    settings: Mapping[str, Any],
    arguments: Mapping[str, JSON],
    policy: Policy,
) -> ApiRequest:
    try:
        return build_request(definition, declared, settings, arguments, installation=policy)
    except BadRequest as error:
        places = " ".join(f"{place} {sentence}" for place, sentence in error.details.items())
        raise ToolFailedError(places or error.message) from None


def _value(answer: ApiAnswer) -> JSON:
    if "json" not in answer.content_type or answer.is_truncated:
        return answer.body
    try:
        value: JSON = orjson.loads(answer.body)
    except ValueError:
        return answer.body
    return value

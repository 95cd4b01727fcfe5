"""The kit of every kind of tool that is described as HTTP requests."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import attrs

from akmatori_server.crypto import SecretUnreadableError
from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.http_api.answers import failure, output_of
from akmatori_server.kits.http_api.building import base_address, built, shown_path
from akmatori_server.kits.http_api.credentials import NONE, Credentials, chosen_auth, credentials_of
from akmatori_server.kits.http_api.form import HttpForm, Request, Scheme
from akmatori_server.kits.http_api.functions import ACCESSES, CHECKS, LOGINS
from akmatori_server.kits.http_api.template import Scope
from akmatori_server.kits.http_api.zabbix import LoginExpiredError
from akmatori_server.kits.summaries import shown_address, summary_of
from akmatori_server.outgoing.client import Client
from akmatori_server.outgoing.errors import OutgoingError
from akmatori_server.outgoing.models import OutgoingAnswer, OutgoingRequest
from akmatori_server.outgoing.policy import PUBLIC_ONLY, Policy
from akmatori_server.secrets.masking import MASK
from akmatori_server.settings.route import Route, direct
from akmatori_server.toolbox.kit import Kit
from akmatori_server.toolbox.models import Access, Invocation, Output, Plan, ToolFailedError, TrialCall
from akmatori_server.toolbox.session import Session
from akmatori_server.tools.models import OpenTool

# For looking up what was asked before, and for a login.
EXTRA_SECONDS = 5.0


@attrs.frozen
class _Ready:
    """A call that is allowed."""

    request: Request
    scope: Scope
    access: Access
    # What must not be shown of it.
    secrets: tuple[str, ...] = attrs.field(repr=False)


class HttpKit(Kit):
    """Makes the requests of one kind of tool."""

    def __init__(self, form: HttpForm, *, route: Route = direct, policy: Policy = PUBLIC_ONLY) -> None:
        """Make a kit.

        Args:
            form: what the functions are.
            route: which proxy requests go through.
            policy: where every tool may go; each one's settings may name more.
        """
        self._form = form
        self._route = route
        self._policy = policy

    def trial(self, tool: OpenTool) -> TrialCall:
        """Return the call that the catalogue declares."""
        declared = self._form.trial
        auth = chosen_auth(self._form, self._form.with_defaults(tool.settings))
        accepted = "" if auth.scheme is Scheme.NONE else ", and accepted the credentials"
        return TrialCall(
            function=declared.function,
            arguments=declared.arguments,
            proves=f"The service was reached{accepted}.",
            version=declared.version,
        )

    def trouble(self, output: Output) -> str:
        """Say that it is another service, by what the catalogue expects of the answer."""
        declared = self._form.trial
        if declared.expects.is_met(output.value):
            return ""
        return (
            f"The service answered, but not as {declared.service} does: check {self._form.base_url} in the tool's"
            " settings, it may be the address of something else, or of a login page."
        )

    def plan(self, call: Invocation) -> Plan:
        """Say what a call will do."""
        ready = self._ready(call)
        request, scope = ready.request, ready.scope
        requests = 1 + (request.otherwise is not None) + (request.then is not None)
        return Plan(
            access=ready.access,
            summary=_summary(self._form, call, request, scope, ready.secrets),
            timeout_seconds=float(scope.settings[self._form.timeout]) * requests + EXTRA_SECONDS,
            cache_seconds=request.cache_seconds if ready.access is Access.READ else 0.0,
        )

    async def run(self, call: Invocation, session: Session) -> Output:
        """Make a call."""
        ready = self._ready(call)
        try:
            return await self._run(call.tool, ready, session)
        except LoginExpiredError:
            if ready.access is Access.WRITE or self._is_static(ready.scope):
                raise
            await session.drop(_login_key(call.tool))
            return await self._run(call.tool, ready, session)

    async def _run(self, tool: OpenTool, ready: _Ready, session: Session) -> Output:
        request, scope = ready.request, ready.scope
        client = await self._client(tool, scope, session)
        credentials = NONE if request.base_url else await self._credentials(tool, client, scope, session)
        output = await self._asked(client, request, scope, credentials)
        if request.then is None:
            return output
        following = attrs.evolve(scope, arguments={**scope.arguments, "first": output.value})
        if built(self._form, request.then, following, credentials) is None:
            return output
        return await self._asked(client, request.then, following, credentials)

    async def _asked(
        self, client: Client, request: Request, scope: Scope, credentials: Credentials
    ) -> Output:
        sent = built(self._form, request, scope, credentials)
        if sent is None:
            return Output(value=[])
        answer = await self._sent(client, request, sent)
        if request.otherwise is not None and answer.status in request.otherwise_at:
            return await self._asked(client, request.otherwise, scope, credentials)
        return output_of(self._form, request, scope, sent, answer)

    async def _sent(self, client: Client, request: Request, sent: OutgoingRequest) -> OutgoingAnswer:
        try:
            return await client.send(sent)
        except OutgoingError as error:
            raise failure(self._form, request, error) from None
        except SecretUnreadableError as error:
            raise ToolFailedError(f"The proxy cannot be used: {error}") from None

    def _ready(self, call: Invocation) -> _Ready:
        settings = self._form.with_defaults(call.tool.settings)
        versions = self._form.functions.get(call.function.name)
        if versions is None:
            raise ToolFailedError(f"This version of the server has no {call.function.name} any more.")
        request = versions.chosen(settings)
        scope = Scope(arguments=call.arguments, settings=settings)
        if request.check:
            CHECKS[request.check](scope)
        access = Access.READ if call.function.read_only else Access.WRITE
        if request.access:
            access = ACCESSES[request.access](scope)
        if access is Access.WRITE:
            self._require_writes(settings)
        credentials = NONE if request.base_url else credentials_of(self._form, settings)
        # Whatever is wrong with it is said before it is planned.
        built(self._form, request, scope, credentials)
        return _Ready(request, scope, access, credentials.secrets)

    def _require_writes(self, settings: Mapping[str, Any]) -> None:
        if not self._form.allow_writes:
            raise ToolFailedError("This would change something, which this kind of tool never does.")
        if settings.get(self._form.allow_writes) is not True:
            raise ToolFailedError(
                f"This would change something, which the tool does not allow; {self._form.allow_writes} in its settings"
                " would let it be proposed."
            )

    def _is_static(self, scope: Scope) -> bool:
        return chosen_auth(self._form, scope.settings).scheme is not Scheme.LOGIN

    async def _client(self, tool: OpenTool, scope: Scope, session: Session) -> Client:
        settings = scope.settings
        try:
            policy = self._policy.with_settings(settings)
            return await session.shared(
                f"http:{tool.tool.id}",
                lambda: Client(
                    policy=policy,
                    route=self._route,
                    verify_tls=settings[self._form.verify_tls] is not False,
                    ca_pem=str(settings.get(self._form.ca_pem) or ""),
                ),
            )
        except ValueError as error:
            raise ToolFailedError(f"The tool's settings cannot be used: {error}") from None

    async def _credentials(
        self, tool: OpenTool, client: Client, scope: Scope, session: Session
    ) -> Credentials:
        auth = chosen_auth(self._form, scope.settings)
        if auth.scheme is not Scheme.LOGIN:
            return credentials_of(self._form, scope.settings)
        request = Request(method="POST", json="$body")

        async def ask(body: JSON) -> JSON:
            asked = attrs.evolve(scope, arguments={"body": body})
            return (await self._asked(client, request, asked, NONE)).value

        @asynccontextmanager
        async def logged_in() -> AsyncGenerator[Credentials]:
            yield await LOGINS[auth.login](scope.settings, ask)

        return await session.shared(_login_key(tool), logged_in)


def _login_key(tool: OpenTool) -> str:
    return f"http-login:{tool.tool.id}"


def _summary(form: HttpForm, call: Invocation, request: Request, scope: Scope, secrets: Sequence[str]) -> str:
    shown: dict[str, JSON] = {
        name: MASK if name in request.secrets else value for name, value in call.arguments.items()
    }
    method = request.method if request.method != "$method" else str(scope.arguments.get("method", "GET"))
    address = shown_address(base_address(form, request, scope) + shown_path(request, scope))
    return summary_of(f"{call.function.name} ({method} {address})", shown, secrets)

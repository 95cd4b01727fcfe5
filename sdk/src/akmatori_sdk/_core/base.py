"""What the two clients have in common: everything that neither sends nor sleeps."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import attrs
import orjson
import tenacity

from akmatori_sdk import __version__
from akmatori_sdk._core import auth, log
from akmatori_sdk._core.call import Call, build_body, build_path, build_query, wire, without_secrets
from akmatori_sdk._core.clock import Clock
from akmatori_sdk._core.config import Config, System
from akmatori_sdk._core.errors import (
    AkmatoriError,
    ConfigError,
    DecodeError,
    Delivery,
    Sent,
    StatusError,
    TransportError,
    UnauthorizedError,
)
from akmatori_sdk._core.failures import redact, status_error
from akmatori_sdk._core.fixed_operations import LOGIN, health_operation
from akmatori_sdk._core.model import UNSET, Unset
from akmatori_sdk._core.operation import Operation, Reply
from akmatori_sdk._core.options import CallOptions, RetryPolicy, Timeout
from akmatori_sdk._core.response import Response, not_json
from akmatori_sdk._core.retry import Budget, Failure, Spent, is_retryable, next_wait, stop_reason

T = TypeVar("T")

IDEMPOTENCY = "idempotency-key"
CAPABILITIES = "akmatori-capabilities"
EVENT_STREAM = "text/event-stream"
PROBE_SECONDS = 5.0
_DEFAULTS = CallOptions()
_NOTHING: Mapping[str, object] = {}
_NO_RETRY = RetryPolicy(max_retries=0, deadline=PROBE_SECONDS)


@attrs.define(eq=False)
class Shared:
    """What a client and those derived from it with `with_options()` have in common."""

    system: System
    config: Config
    clock: Clock
    budget: Budget
    session: auth.Session = attrs.field(factory=auth.Session)
    # What the server said it can do; None until an answer was seen.
    capabilities: frozenset[str] | None = None


@attrs.frozen
class Settings:
    """What `with_options()` changes. A timeout of None leaves it to the HTTP client that was handed in."""

    timeout: Timeout | None
    policy: RetryPolicy
    headers: Mapping[str, str] = attrs.field(repr=False)

    def changed(
        self,
        timeout: Timeout | float | Unset,
        retry: RetryPolicy | Unset,
        headers: Mapping[str, str] | Unset,
    ) -> Settings:
        """Return the settings with those changed that are not UNSET."""
        return Settings(
            timeout=self.timeout if timeout is UNSET else Timeout.of(timeout),
            policy=self.policy if retry is UNSET else retry,
            headers=self.headers if headers is UNSET else {**self.headers, **headers},
        )


class BaseSender:
    """Builds calls, judges attempts, reads answers."""

    def __init__(self, shared: Shared, settings: Settings) -> None:
        self.shared = shared
        self.settings = settings
        own = {name.lower(): value for name, value in settings.headers.items()}
        self._public_headers = {
            "accept": "application/json",
            "user-agent": f"akmatori-sdk/{__version__}",
            **own,
        }
        self._private_headers = {
            **self._public_headers,
            **auth.static_headers(shared.config.credential),
            **own,
        }
        self.logs_in = isinstance(shared.config.credential, auth.Login)

    def build(
        self,
        op: Operation[Any],
        *,
        path: Mapping[str, object] = _NOTHING,
        query: Mapping[str, object] = _NOTHING,
        headers: Mapping[str, object] = _NOTHING,
        json: Any = UNSET,
        form: Mapping[str, object] | None = None,
        content: bytes | None = None,
        options: CallOptions | None = None,
    ) -> Call:
        """Put a call together. Its idempotency key and request id are made here, once for all attempts."""
        options = options or _DEFAULTS
        filled = build_path(op.path, path) if path else op.path
        asked = build_query(query) if query else ""
        url = f"{self.shared.config.base_url}{filled}"
        sent = (self._private_headers if op.authenticated else self._public_headers).copy()
        if op.reply is not Reply.JSON:
            sent["accept"] = EVENT_STREAM if op.reply is Reply.EVENTS else "*/*"
        for name, value in headers.items():
            if value is not UNSET and value is not None:
                sent[name.lower()] = wire(value)
        sent["x-request-id"] = request_id = options.request_id or secrets.token_hex(8)
        keyed = not op.idempotent and (op.accepts_key or options.idempotency_key is not None)
        if keyed:
            sent[IDEMPOTENCY] = options.idempotency_key or str(uuid.uuid4())
        body = build_body(json, form, content, sent, op.body)
        for name, value in options.headers.items():
            sent[name.lower()] = value
        timeout = self.settings.timeout if options.timeout is None else Timeout.of(options.timeout)
        return Call(
            method=op.method,
            path=filled,
            url=f"{url}?{asked}" if asked else url,
            headers=sent,
            content=body,
            idempotent=op.idempotent,
            keyed=keyed,
            authenticated=op.authenticated,
            policy=self._policy(options),
            timeout=timeout,
            request_id=request_id,
            started=self.shared.clock.monotonic(),
        )

    def _policy(self, options: CallOptions) -> RetryPolicy:
        policy = self.settings.policy
        if options.deadline is not None:
            policy = attrs.evolve(policy, deadline=options.deadline)
        if options.max_retries is not None:
            policy = attrs.evolve(policy, max_retries=options.max_retries)
        return policy

    def build_login(self) -> Call:
        credential = self.shared.config.credential
        if not isinstance(credential, auth.Login):
            raise ConfigError("this client has no user name and password")
        body = {"username": credential.username, "password": credential.password}
        return self.build(LOGIN, json=body)

    def build_probe(self) -> Call:
        op = health_operation(self.shared.system.health)
        call = self.build(op)
        call.policy = _NO_RETRY
        return call

    def put_token(self, call: Call, token: str) -> None:
        call.token = token
        call.headers["authorization"] = f"Bearer {token}"

    def accept_login(self, call: Call, response: Response) -> str:
        now = self.shared.clock.monotonic()
        return self.read(call, response, LOGIN.reply, lambda reply: self.shared.session.succeeded(reply, now))

    def can_log_in_again(self, call: Call) -> bool:
        return call.token is not None and call.replayable

    def examine(self, call: Call, outcome: Response | AkmatoriError) -> AkmatoriError | None:
        """Return the error of one attempt, or None when it went well; learn from the answer."""
        took = self.shared.clock.monotonic() - call.started
        if isinstance(outcome, AkmatoriError):
            error: AkmatoriError | None = outcome
        else:
            self._learn(outcome)
            error = None
            if not 200 <= outcome.status < 300:
                error = status_error(outcome, secrets=self._secrets(), now=self.shared.clock.wall)
        if log.http.isEnabledFor(10):
            result = outcome.status if isinstance(outcome, Response) else type(outcome).__name__
            log.http.debug(
                "%s %s -> %s after %.3f s (request %s, attempt %d)",
                call.method, call.path, result, took, call.request_id, call.attempts,
            )  # fmt: skip
        if error is not None:
            self._describe(error, call, outcome if isinstance(outcome, Response) else None)
        return error

    def _learn(self, response: Response) -> None:
        """Note what the server can do. A 5xx without the header may be a proxy's and says nothing."""
        stated = response.headers.get(CAPABILITIES)
        if stated is not None:
            self.shared.capabilities = frozenset(word.strip() for word in stated.split(","))
        elif response.status < 500:
            self.shared.capabilities = frozenset()

    def needs_probe(self, call: Call, error: AkmatoriError) -> bool:
        """Whether the next decision hangs on a capability nobody has asked the server about."""
        if not call.keyed or self.shared.capabilities is not None or call.attempts > call.policy.max_retries:
            return False
        failure = self.failure(call, error)
        return (
            failure is not None
            and failure.delivery is not Delivery.NOT_SENT
            and is_retryable(failure, call.policy)
        )

    def failure(self, call: Call, error: BaseException | None) -> Failure | None:
        """Return the facts about a failed attempt, or None when another one could not help."""
        if isinstance(error, TransportError):
            delivery, status, retry_after = error.delivery, None, None
        elif isinstance(error, StatusError):
            delivery, status, retry_after = Delivery.ANSWERED, error.status, error.retry_after
        else:
            return None
        return Failure(
            delivery=delivery,
            idempotent=call.idempotent,
            keyed=call.keyed,
            key_honoured=IDEMPOTENCY in (self.shared.capabilities or ()),
            replayable=call.replayable,
            status=status,
            retry_after=retry_after,
        )

    def judge(self, state: tenacity.RetryCallState) -> bool:
        """Tell tenacity whether to go on; the reason for stopping is left on the error."""
        outcome = state.outcome
        if outcome is None or not outcome.failed:
            self.shared.budget.refund()
            return False
        call: Call = state.args[0]
        error = outcome.exception()
        failure = self.failure(call, error)
        if failure is None or not isinstance(error, AkmatoriError):
            return False
        clock = self.shared.clock
        call.next_wait = next_wait(failure, call.policy, call.attempts, clock.random)
        spent = Spent(
            attempts=call.attempts,
            elapsed=clock.monotonic() - call.started,
            next_wait=call.next_wait,
            budget_ok=self.shared.budget.ok,
        )
        reason = stop_reason(failure, call.policy, spent)
        if reason is not None:
            # That a 404 is final goes without saying.
            error.stop_reason = reason if is_retryable(failure, call.policy) else None
            return False
        self.shared.budget.take()
        log.http.info(
            "%s %s failed (%s), next attempt in %.2f s (request %s, attempt %d)",
            call.method, call.path, failure.status or failure.delivery.value, call.next_wait, call.request_id,
            call.attempts,
        )  # fmt: skip
        return True

    def _describe(self, error: AkmatoriError, call: Call, response: Response | None = None) -> None:
        """Note on an error what was sent, how often, and how long it took."""
        config = self.shared.config
        shown = redact(without_secrets(call.url), self._secrets())
        error.attempts = call.attempts
        error.elapsed = self.shared.clock.monotonic() - call.started
        answered = response.headers.get("x-request-id") if response is not None else None
        error.request = Sent(
            method=call.method,
            path=redact(call.path, self._secrets()),
            url=shown,
            request_id=answered[:128] if answered else call.request_id,
            credential=auth.shell_header(config.credential, self.shared.system.prefixes[0])
            if call.authenticated
            else None,
            content_type=call.headers.get("content-type"),
        )
        if (
            isinstance(error, UnauthorizedError)
            and call.authenticated
            and isinstance(config.credential, auth.Anonymous)
        ):
            prefix = self.shared.system.prefixes[0]
            hint = (
                f"pass token=, api_key= or username= and password=, or set {prefix}_TOKEN or {prefix}_API_KEY"
            )
            error.args = (f"{error.message}; no credential was given: {hint}",)

    def _secrets(self) -> tuple[str, ...]:
        match self.shared.config.credential:
            case auth.Token(value) | auth.ApiKey(value):
                return (value,)
            case auth.Login(_, password):
                return (password, self.shared.session.secret)
            case _:
                return ()

    def read(self, call: Call, response: Response, reply: Reply, decode: Callable[[Any], T]) -> T:
        """Decode an answer; a DecodeError says which call it belongs to."""
        try:
            if reply is Reply.JSON:
                return decode(orjson.loads(response.content))
            if reply is Reply.EMPTY:
                return decode(None)
            return decode(response.text if reply is Reply.TEXT else response.content)
        except orjson.JSONDecodeError:
            error = DecodeError(not_json(response))
        except AkmatoriError as caught:
            self._describe(caught, call, response)
            raise
        self._describe(error, call, response)
        raise error

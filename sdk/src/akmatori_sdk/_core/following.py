"""What the two event streams have in common: where they are, and whether to connect again. No I/O."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeAlias, TypeVar

import attrs
import orjson

from akmatori_sdk._core.base import BaseSender
from akmatori_sdk._core.call import Call
from akmatori_sdk._core.errors import AkmatoriError, DecodeError, StatusError, TransportError
from akmatori_sdk._core.operation import StreamOperation
from akmatori_sdk._core.options import CallOptions, RetryPolicy, Timeout
from akmatori_sdk._core.response import Response
from akmatori_sdk._core.retry import Spent, is_retryable, next_wait, stop_reason
from akmatori_sdk._core.sse import EventDecoder, ServerSentEvent

T = TypeVar("T")

BuildCall: TypeAlias = Callable[[Mapping[str, object]], Call]

LAST_EVENT_ID = "last-event-id"
# Servers that know nothing of streams answer one of these, or another media type.
UNSUPPORTED = frozenset({404, 405, 501})
# Seconds without a byte after which a connection is taken for dead: three of the server's heartbeats.
LONGEST_SILENCE = 45.0
UNLIMITED = 1_000_000_000


class NotAStreamError(DecodeError):
    """The server answered well, but no stream of events."""


class Following(Generic[T]):
    """The state of one stream of events."""

    def __init__(
        self,
        sender: BaseSender,
        op: StreamOperation[T],
        build: BuildCall,
        options: CallOptions | None,
        last_event_id: str,
    ) -> None:
        self._base = sender
        self._op = op
        self._build = build
        self._options = options or CallOptions()
        self._policy = _policy(sender.settings.policy, self._options)
        self._decoder = EventDecoder(last_event_id)
        self._handed = last_event_id
        self._ready: deque[tuple[str, T]] = deque()
        self._call: Call | None = None
        self._connected = False
        # Attempts since the last sign of life, and when the first of them failed.
        self._attempts = 0
        self._silent_since: float | None = None
        self._closed = False

    @property
    def last_event_id(self) -> str | None:
        """Where to resume: the id of the last event that was handed out, or of what came after it."""
        return (self._handed if self._ready else self._decoder.last_event_id) or None

    @property
    def closed(self) -> bool:
        """Whether the stream was closed."""
        return self._closed

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._op.id}, last_event_id={self.last_event_id!r})"

    def _next_call(self) -> Call:
        """Return the call that connects, or connects again where the last connection ended."""
        place = self._decoder.last_event_id
        call = self._call = self._build({LAST_EVENT_ID: place} if place else {})
        # The deadline is for being without a connection, not for listening.
        call.policy = attrs.evolve(self._policy, deadline=math.inf)
        call.timeout = _patient(call.timeout, self._options)
        retry = self._decoder.retry
        self._decoder = EventDecoder(place)
        self._decoder.retry = retry
        return call

    def _alive(self) -> None:
        self._connected = True
        self._attempts = 0
        self._silent_since = None

    def _decoded(self, chunk: bytes) -> None:
        """Make events of a piece of the answer.

        Raises:
            DecodeError: an event is not what the specification says.
        """
        self._alive()
        for event in self._decoder.feed(chunk):
            self._ready.append((event.id, self._op.decode(_json(event))))

    def _take(self) -> T:
        self._handed, event = self._ready.popleft()
        return event

    def _take_all(self) -> list[T]:
        return [self._take() for _ in range(len(self._ready))]

    def _is_unsupported(self, error: AkmatoriError) -> bool:
        """Whether the server has no such operation; after a stream that worked it is taken for a fault."""
        if self._connected:
            return False
        return isinstance(error, NotAStreamError) or (
            isinstance(error, StatusError) and error.status in UNSUPPORTED
        )

    def _lost(self, error: AkmatoriError | None) -> float:
        """Return the seconds to wait before connecting again; None for an answer that simply ended.

        Raises:
            AkmatoriError: the failure is final, or the server was away for as long as the policy allows.
        """
        clock, policy, call = self._base.shared.clock, self._policy, self._call
        problem = error or TransportError("the server ended the stream")
        failure = None if call is None else self._base.failure(call, problem)
        if failure is None:
            raise problem
        now = clock.monotonic()
        self._attempts += 1
        if self._silent_since is None:
            self._silent_since = now
        wait = next_wait(failure, policy, self._attempts, clock.random)
        if failure.retry_after is None and self._decoder.retry is not None:
            # Many streams end together when a server stops; they should not come back as one.
            wait = max(wait, self._decoder.retry * (0.5 + clock.random()))
        if self._connected or error is None:
            policy = attrs.evolve(policy, max_retries=UNLIMITED)
        spent = Spent(attempts=self._attempts, elapsed=now - self._silent_since, next_wait=wait)
        reason = stop_reason(failure, policy, spent)
        if reason is not None:
            # That a 404 is final goes without saying.
            problem.stop_reason = reason if is_retryable(failure, policy) else None
            raise problem
        return wait


def not_a_stream(response: Response) -> NotAStreamError:
    """Return the error for a good answer that is no stream of events."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip() or "no content type"
    return NotAStreamError(f"the server answered {kind} where a stream of events was expected")


def _json(event: ServerSentEvent) -> Any:
    try:
        return orjson.loads(event.data)
    except orjson.JSONDecodeError:
        raise DecodeError(f"the data of the event {event.id or event.event!r} is not JSON") from None


def _policy(policy: RetryPolicy, options: CallOptions) -> RetryPolicy:
    if options.deadline is not None:
        policy = attrs.evolve(policy, deadline=options.deadline)
    if options.max_retries is not None:
        policy = attrs.evolve(policy, max_retries=options.max_retries)
    return policy


def _patient(timeout: Timeout | None, options: CallOptions) -> Timeout:
    """Return a timeout that outlasts the server's heartbeats, unless the caller asked for another."""
    timeout = timeout or Timeout()
    if options.timeout is not None or timeout.read is None:
        return timeout
    return attrs.evolve(timeout, read=max(timeout.read, LONGEST_SILENCE))

"""Waiting for something to end: when to look again, what is new in the log, when to give up. No I/O."""

from __future__ import annotations

import attrs

from akmatori_sdk._core.clock import Clock
from akmatori_sdk._core.errors import AkmatoriError, StatusError, TransportError, WaitTimeoutError
from akmatori_sdk._core.options import CallOptions, RetryPolicy, Timeout
from akmatori_sdk._generated.akmatori.models import Incident, IncidentStatus

# A status this version does not know is not among them: a newer server may have added a step before the end.
TERMINAL = frozenset({IncidentStatus.COMPLETED, IncidentStatus.FAILED, IncidentStatus.DIAGNOSED})

DEFAULT_TIMEOUT = 600.0
FIRST_INTERVAL = 0.2
LONGEST_INTERVAL = 5.0
GROWTH = 1.5
# Seconds that a stream may be silent or away while a log is followed; then the incident is read without it.
STREAM_OUTAGE = 20.0


class Polling:
    """One wait for one thing that ends some day."""

    def __init__(self, what: str, timeout: float, clock: Clock, policy: RetryPolicy) -> None:
        self._what = what
        self._timeout = timeout
        self._clock = clock
        self._policy = policy
        self._start = clock.monotonic()
        self._interval = FIRST_INTERVAL
        self._at_least = 0.0
        self._last: object = None
        self._state = "it was never read"
        self._last_error: AkmatoriError | None = None

    def options(self, options: CallOptions | None) -> CallOptions:
        """Return the options of the next poll: as given, but over before the wait is.

        Raises:
            WaitTimeoutError: the time is over.
        """
        options = options or CallOptions()
        deadline = options.deadline or self._policy.deadline
        return attrs.evolve(options, deadline=min(deadline, self.left()))

    def noted(self, last: object, state: str) -> None:
        """Note what the last poll has read, and its state in words."""
        self._last, self._state, self._last_error, self._at_least = last, state, None, 0.0

    def missed(self, error: AkmatoriError) -> None:
        """Note a failed poll, and go on if the next one may succeed.

        Raises:
            AkmatoriError: the error itself, when it will not go away.
        """
        if isinstance(error, StatusError):
            if error.status not in self._policy.statuses:
                raise error
            self._at_least = min(error.retry_after or 0.0, self._policy.max_retry_after)
        elif not isinstance(error, TransportError):
            raise error
        self._last_error = error

    def pause(self) -> float:
        """Return the seconds until the next poll: growing, and spread so that waiters do not poll as one.

        Raises:
            WaitTimeoutError: the time is over.
        """
        spread = self._interval * (0.75 + 0.5 * self._clock.random())
        self._interval = min(self._interval * GROWTH, LONGEST_INTERVAL)
        return min(max(min(spread, LONGEST_INTERVAL), self._at_least), self.left())

    def left(self) -> float:
        """Return the seconds that are left.

        Raises:
            WaitTimeoutError: there are none.
        """
        left = self._start + self._timeout - self._clock.monotonic()
        if left > 0:
            return left
        why = f"; the last poll failed: {self._last_error}" if self._last_error is not None else ""
        raise WaitTimeoutError(
            f"{self._what} has not ended within {self._timeout:g} s, {self._state}{why}",
            last=self._last,
            last_error=self._last_error,
        )


class Watch(Polling):
    """One wait for one incident."""

    def __init__(self, uuid: str, timeout: float, clock: Clock, policy: RetryPolicy) -> None:
        super().__init__(f"incident {uuid}", timeout, clock, policy)
        self._log = ""

    def saw(self, incident: Incident) -> str:
        """Note a state; return what the log has gained since the last one."""
        self.noted(incident, f"its status is {incident.status.value}")
        log, before = incident.full_log, self._log
        self._log = log
        if log.startswith(before):
            return log[len(before) :]
        # The log was begun anew, as when an incident is investigated a second time.
        return log


def is_over(incident: Incident) -> bool:
    """Tell whether the investigation has ended."""
    return incident.status in TERMINAL


def for_polls(options: CallOptions | None) -> CallOptions | None:
    """Return the options without what belongs to the one write they came with."""
    return options and attrs.evolve(options, idempotency_key=None, request_id=None)


def for_stream(options: CallOptions | None) -> CallOptions:
    """Return the options of the stream beside the polls: it is given up soon, since they do without it."""
    return attrs.evolve(
        for_polls(options) or CallOptions(),
        timeout=Timeout(read=STREAM_OUTAGE),
        deadline=STREAM_OUTAGE / 4,
        max_retries=1,
    )

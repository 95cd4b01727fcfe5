"""Whether to try again, and when: pure decisions. The loops in `sync` and `aio` only carry them out."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import parsedate_to_datetime

import attrs
import tenacity

from akmatori_sdk._core.errors import Delivery
from akmatori_sdk._core.options import RetryPolicy

BUDGET_REFUND = 0.1


@attrs.frozen(kw_only=True)
class Failure:
    """The facts about one failed attempt."""

    delivery: Delivery
    idempotent: bool
    keyed: bool = False
    key_honoured: bool = False
    replayable: bool = True
    status: int | None = None
    retry_after: float | None = None


@attrs.frozen(kw_only=True)
class Spent:
    """What the call has used so far, and the wait that would come next."""

    attempts: int
    elapsed: float
    next_wait: float = 0.0
    budget_ok: bool = True


class Budget:
    """Retries shared by all calls of a client. An update lost between threads costs one retry at most."""

    __slots__ = ("_limit", "_tokens")

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._tokens = limit

    @property
    def ok(self) -> bool:
        """Whether there is a retry left."""
        return self._tokens >= 1

    def take(self) -> None:
        """Count a retry."""
        self._tokens -= 1

    def refund(self) -> None:
        """Count a success."""
        if self._tokens < self._limit:
            self._tokens = min(self._limit, self._tokens + BUDGET_REFUND)


def is_retryable(failure: Failure, policy: RetryPolicy) -> bool:
    """Tell whether this kind of failure is worth another attempt at all."""
    return failure.delivery is not Delivery.ANSWERED or failure.status in policy.statuses


def may_have_been_applied(failure: Failure) -> bool:
    """Tell whether sending again could do twice what was asked for once."""
    if failure.delivery is Delivery.NOT_SENT or failure.idempotent:
        return False
    return not (failure.keyed and failure.key_honoured)


def stop_reason(  # noqa: PLR0911 - one return per reason reads as the table it is
    failure: Failure, policy: RetryPolicy, spent: Spent
) -> str | None:
    """Say why this failure is final, or None to try again."""
    if not is_retryable(failure, policy):
        return f"status {failure.status} is not retryable"
    if may_have_been_applied(failure):
        if failure.keyed:
            return "the write may have been applied and the server is not known to honour idempotency keys"
        return "the write may have been applied and has no idempotency key"
    if not failure.replayable:
        return "the upload cannot be read a second time"
    if failure.retry_after is not None and failure.retry_after > policy.max_retry_after:
        return f"the server asks for {failure.retry_after:.0f} s, over the limit"
    if spent.attempts > policy.max_retries:
        return "no attempts left"
    if spent.elapsed + spent.next_wait >= policy.deadline:
        return f"the deadline of {policy.deadline:g} s would pass"
    return None if spent.budget_ok else "the client's retry budget is empty"


def next_wait(failure: Failure, policy: RetryPolicy, attempts: int, random: Callable[[], float]) -> float:
    """Return the seconds to wait after `attempts` attempts: what the server asks, else full jitter."""
    if failure.retry_after is not None:
        return failure.retry_after
    # The exponent is bounded so that a caller with a thousand retries does not overflow a float.
    return random() * min(policy.cap, policy.base * 2.0 ** min(attempts - 1, 30))


def parse_retry_after(value: str | None, now: Callable[[], float]) -> float | None:
    """Read a `Retry-After` header: seconds or an HTTP date. Nonsense is None."""
    if not value:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - now())
    except (ValueError, TypeError, OverflowError):
        return None


def planned_wait(state: tenacity.RetryCallState) -> float:
    """Tell tenacity the wait that was decided together with the retry."""
    wait: float = state.args[0].next_wait
    return wait


def no_hook(state: tenacity.RetryCallState) -> None:
    """Do nothing before and after an attempt."""

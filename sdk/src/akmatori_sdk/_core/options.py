"""What a caller may choose about sending: timeouts, retries, and options for one call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


def _positive(_: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
    if value is not None and not value > 0:
        raise ValueError(f"{attribute.name} must be more than 0 seconds")


def _not_negative(_: object, attribute: attrs.Attribute[Any], value: float | None) -> None:
    if value is not None and not value >= 0:
        raise ValueError(f"{attribute.name} must not be negative")


@attrs.frozen(kw_only=True)
class Timeout:
    """Seconds allowed for each phase of one attempt; None means no limit, as in `Timeout.unlimited()`."""

    connect: float | None = attrs.field(default=5.0, validator=_positive)
    read: float | None = attrs.field(default=30.0, validator=_positive)
    write: float | None = attrs.field(default=30.0, validator=_positive)
    pool: float | None = attrs.field(default=5.0, validator=_positive)

    @classmethod
    def unlimited(cls) -> Timeout:
        """Return a timeout that never ends an attempt (the deadline of the retry policy still does)."""
        return cls(connect=None, read=None, write=None, pool=None)

    def phases(self) -> dict[str, float | None]:
        """Return the seconds by phase."""
        return {"connect": self.connect, "read": self.read, "write": self.write, "pool": self.pool}

    @classmethod
    def of(cls, value: Timeout | float) -> Timeout:
        """Return `value` itself, or a timeout that allows that many seconds for every phase."""
        return (
            value if isinstance(value, Timeout) else cls(connect=value, read=value, write=value, pool=value)
        )


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """When and how often a failed call is sent again.

    A call whose connection was never made may always go again. Otherwise only idempotent methods do, and
    writes that carry an idempotency key to a server that honours it.

    Attributes:
        max_retries: Attempts after the first.
        deadline: Seconds for the whole call, waits included. `math.inf` means no limit.
        base: Upper bound of the first wait; it doubles every time, and the wait is drawn below it.
        cap: Upper bound of any wait.
        max_retry_after: A longer `Retry-After` ends the call instead of being waited for.
        statuses: Statuses worth another attempt.
        budget: Retries that all calls of a client share: each takes one, each success gives a tenth back.
            Keeps many callers from hammering a server that is down.
    """

    max_retries: int = attrs.field(default=2, validator=_not_negative)
    deadline: float = attrs.field(default=60.0, validator=_positive)
    base: float = attrs.field(default=0.5, validator=_not_negative)
    cap: float = attrs.field(default=8.0, validator=_not_negative)
    max_retry_after: float = attrs.field(default=30.0, validator=_not_negative)
    statuses: frozenset[int] = frozenset({408, 425, 429, 500, 502, 503, 504})
    budget: float = attrs.field(default=20.0, validator=_not_negative)

    @classmethod
    def none(cls) -> RetryPolicy:
        """Return a policy of one attempt."""
        return cls(max_retries=0)


@attrs.frozen(kw_only=True)
class CallOptions:
    """Options for one call; what is None is taken from the client.

    Attributes:
        timeout: Seconds for each phase of one attempt.
        deadline: Seconds for the whole call, waits included.
        max_retries: Attempts after the first.
        headers: More headers.
        idempotency_key: The key of a write. Without it the SDK makes one where the operation takes a key.
        request_id: The value of `X-Request-ID`. Without it the SDK makes one.
    """

    timeout: Timeout | float | None = None
    deadline: float | None = attrs.field(default=None, validator=_positive)
    max_retries: int | None = attrs.field(default=None, validator=_not_negative)
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    idempotency_key: str | None = None
    request_id: str | None = None

"""Everything the SDK raises.

    AkmatoriError
      ConfigError              the client was given something it cannot work with
      DecodeError              a reply is not what the specification says (`path` tells where)
      PaginationError          the server's pages make no progress
      WaitTimeoutError         waiting ended before the incident or the scan did (`last` is its last state)
      TransportError           no complete answer arrived (`delivery` tells whether the request may have)
        ConnectError           the connection was never made
        RequestTimeoutError    the server stayed silent for too long
        DeadlineExceededError  the call's total time is over
      StatusError              the server answered with an error status
        BadRequestError 400, UnauthorizedError 401, ForbiddenError 403, NotFoundError 404, ConflictError 409,
        UnprocessableError 422, RateLimitedError 429, ServerError 5xx, UnavailableError 503

Errors hold plain data: they can be pickled, copied and logged, and hold no credential and no request body.
"""

from __future__ import annotations

import enum
import shlex
from collections.abc import Mapping
from typing import Any, TypeVar

import attrs

LONGEST_BODY = 500
LONGEST_MESSAGE = 300

E = TypeVar("E", bound="AkmatoriError")


class Delivery(enum.Enum):
    """How far a request got before it failed."""

    NOT_SENT = "not sent"  # no connection was made: any method may go again
    UNKNOWN = "may have arrived"  # a timeout or a reset after sending began
    ANSWERED = "answered"


@attrs.frozen(kw_only=True)
class Sent:
    """What was sent, without anything secret: enough to name the call and to repeat it by hand."""

    method: str
    path: str
    url: str
    request_id: str
    # A shell header such as `X-API-Key: $AKMATORI_API_KEY`: names the variable, never the value.
    credential: str | None = None
    content_type: str | None = None


class AkmatoriError(Exception):
    """Base of everything the SDK raises.

    Attributes:
        request: What was sent, or None when nothing was.
        attempts: How often it was sent.
        elapsed: Seconds from the call to the error.
        stop_reason: Why it was not tried again, or None when the question did not come up.
    """

    request: Sent | None = None
    attempts: int = 0
    elapsed: float = 0.0
    stop_reason: str | None = None

    def __init__(self, message: str = "") -> None:
        super().__init__(message)

    @property
    def message(self) -> str:
        """The sentence alone, without the method, the path and the counts."""
        return str(self.args[0]) if self.args else ""

    @property
    def request_id(self) -> str | None:
        """The identifier under which the server's log knows the request."""
        return self.request.request_id if self.request else None

    def __str__(self) -> str:
        if self.request is None:
            return self._outcome()
        return f"{self.request.method} {self.request.path} -> {self._outcome()} ({self._facts()})"

    def _outcome(self) -> str:
        return self.message

    def _facts(self) -> str:
        attempts = f"{self.attempts} attempt{'' if self.attempts == 1 else 's'}"
        facts = f"request {self.request_id}, {attempts}, {self.elapsed:.2f} s"
        return f"{facts}; {self.stop_reason}" if self.stop_reason else facts

    def as_curl(self) -> str:
        """Return a curl command for the call; the credential is a shell variable and the body a file."""
        if self.request is None:
            return ""
        sent = self.request
        words = ["curl", "-X", sent.method, shlex.quote(sent.url)]
        if sent.credential:
            words += ["-H", f'"{sent.credential}"']
        if sent.content_type:
            words += ["-H", shlex.quote(f"Content-Type: {sent.content_type}"), "--data-binary", "@body"]
        return " ".join(words)

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception would call the class with `args` alone and lose what came by keyword.
        return _restore, (type(self), self.args, dict(self.__dict__))


def _restore(kind: type[E], args: tuple[Any, ...], state: dict[str, Any]) -> E:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class ConfigError(AkmatoriError):
    """The client was given something it cannot work with: address, credentials or options."""


class DecodeError(AkmatoriError):
    """A reply is not what the specification says.

    Attributes:
        path: Where in the JSON document, as `$.data[3].status`.
    """

    def __init__(self, message: str, path: str = "$") -> None:
        super().__init__(message)
        self.path = path

    def inside(self, prefix: str) -> DecodeError:
        """Return the same error for a document this one is a part of, where it stands at `prefix`."""
        return DecodeError(self.message, prefix + self.path.removeprefix("$"))

    def _outcome(self) -> str:
        return self.message if self.path == "$" else f"{self.path}: {self.message}"


class PaginationError(AkmatoriError):
    """The server's pages make no progress: the same page or the same reference came twice."""


class WaitTimeoutError(AkmatoriError):
    """Waiting ended before the incident or the scan did.

    Attributes:
        last: The last state seen, or None when no poll succeeded.
        last_error: The error of the last failed poll, if the newest one failed.
    """

    def __init__(self, message: str, *, last: object = None, last_error: AkmatoriError | None = None) -> None:
        super().__init__(message)
        self.last = last
        self.last_error = last_error


class TransportError(AkmatoriError):
    """No complete answer arrived.

    Attributes:
        delivery: Whether the request may have reached the server.
    """

    def __init__(self, message: str, *, delivery: Delivery = Delivery.UNKNOWN) -> None:
        super().__init__(message)
        self.delivery = delivery


class ConnectError(TransportError):
    """The connection was never made; the server has not seen the request."""


class RequestTimeoutError(TransportError):
    """The server stayed silent for longer than the timeout allows."""


class DeadlineExceededError(TransportError):
    """The total time allowed for the call is over."""


class StatusError(AkmatoriError):
    """The server answered with an error status.

    Attributes:
        status: The HTTP status.
        code: The machine-readable word of the error body, such as `setup_required`.
        details: What is wrong with which field.
        body: The start of the body, at most 500 characters.
        retry_after: Seconds the server asks to wait, if it says so.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        details: Mapping[str, str] | None = None,
        body: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.details: Mapping[str, str] = dict(details or {})
        self.body = body[:LONGEST_BODY]
        self.retry_after = retry_after

    def _outcome(self) -> str:
        head = f"{self.status} {self.code}" if self.code else str(self.status)
        # The sentence often is that of the first field.
        details = "; ".join(
            f"{field}: {text}" for field, text in self.details.items() if text not in self.message
        )
        return f"{head}: {self.message}" + (f" [{details}]" if details else "")


class BadRequestError(StatusError):
    """400: the request is malformed or breaks a rule."""


class UnauthorizedError(StatusError):
    """401: no credential, or one the server does not accept."""


class ForbiddenError(StatusError):
    """403: the credential does not allow this."""


class NotFoundError(StatusError):
    """404: there is no such thing."""


class ConflictError(StatusError):
    """409: the request clashes with what is there."""


class UnprocessableError(StatusError):
    """422: the request is well formed but its values are refused; see `details`."""


class RateLimitedError(StatusError):
    """429: too many requests; see `retry_after`."""


class ServerError(StatusError):
    """5xx: the server failed."""


class UnavailableError(ServerError):
    """503: the server cannot answer now."""


BY_STATUS: Mapping[int, type[StatusError]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableError,
    429: RateLimitedError,
    503: UnavailableError,
}


def status_class(status: int) -> type[StatusError]:
    """Return the class of error for a status."""
    return BY_STATUS.get(status) or (ServerError if status >= 500 else StatusError)

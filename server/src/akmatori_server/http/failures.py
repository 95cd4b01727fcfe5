"""From any exception to an answer: one JSON shape per system for every status, and nothing that leaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import orjson
import sqlalchemy.exc as sa_exc
from starlette.exceptions import HTTPException

from akmatori_server.errors import ApiError, Unauthorized, Unavailable
from akmatori_server.http.connexion_names import ProblemException

LONGEST_TEXT = 500
MOST_DETAILS = 50

_CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    408: "timeout",
    409: "conflict",
    413: "too_large",
    415: "unsupported_media_type",
    422: "validation_error",
    429: "too_many_requests",
    501: "not_implemented",
    503: "unavailable",
}

# The words of Aotanami's enumeration; it has none of its own for the remaining statuses.
_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    413: "PayloadTooLarge",
    415: "UnsupportedMediaType",
    429: "TooManyRequests",
    500: "Internal",
    501: "NotImplemented",
    503: "Unavailable",
}


@attrs.frozen(kw_only=True)
class Failure:
    """What is answered in place of a result."""

    status: int
    code: str
    message: str
    details: Mapping[str, str]
    headers: Mapping[str, str]
    # Nobody foresaw it: the trace belongs in the log.
    unexpected: bool = False


Renderer = Callable[[Failure], dict[str, Any]]


def failure_from(error: Exception, request_id: str) -> Failure:
    """Decide what an exception is answered with."""
    if isinstance(error, ApiError):
        return _refusal(error)
    if isinstance(error, (sa_exc.OperationalError, sa_exc.InterfaceError, sa_exc.TimeoutError)):
        unavailable = _refusal(Unavailable("The database does not answer; try again.", retry_after=5))
        return attrs.evolve(unavailable, unexpected=True)
    if isinstance(error, ProblemException):
        return _framework(int(error.status_code), _text(error), {})
    if isinstance(error, HTTPException):
        return _framework(error.status_code, str(error.detail), error.headers or {})
    return Failure(
        status=500,
        code="internal",
        message=f"Internal error; incident number {request_id}",
        details={},
        headers={},
        unexpected=True,
    )


def render_akmatori(failure: Failure) -> dict[str, Any]:
    """The shape of Akmatori's errors: a sentence, a code, a sentence per field."""
    body: dict[str, Any] = {"error": failure.message, "code": failure.code}
    if failure.details:
        body["details"] = dict(failure.details)
    return body


def render_aotanami(failure: Failure) -> dict[str, Any]:
    """The shape of Aotanami's errors: the status, a sentence, a machine word, the fields as a list."""
    error: dict[str, Any] = {"code": failure.status, "message": failure.message, "reason": _reason(failure)}
    if failure.details:
        error["details"] = [{"field": field, "message": text} for field, text in failure.details.items()]
    return {"error": error}


def _reason(failure: Failure) -> str:
    # A code that is written as the specification writes them was chosen for this system.
    if failure.code[:1].isupper():
        return failure.code
    return _REASONS.get(failure.status, "BadRequest" if failure.status < 500 else "Internal")


def encode_failure(failure: Failure, render: Renderer) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Return body and headers of the answer."""
    body = orjson.dumps(render(failure))
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [
        (name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in failure.headers.items()
    ]
    return body, headers


def _refusal(error: ApiError) -> Failure:
    details = dict(list(error.details.items())[:MOST_DETAILS])
    return Failure(
        status=error.status,
        code=error.code,
        message=_capped(error.message),
        details={field[:200]: _capped(text) for field, text in details.items()},
        headers=error.headers,
        unexpected=error.status == 500,
    )


def _framework(status: int, text: str, headers: Mapping[str, str]) -> Failure:
    if status == 401:
        # Connexion names no scheme to authenticate with.
        return _refusal(Unauthorized())
    # What a framework says about its own faults (5xx) is for us, not for the caller.
    said = text if status < 500 and text else _CODES.get(status, "error").replace("_", " ").capitalize() + "."
    return Failure(
        status=status,
        code=_CODES.get(status, "error"),
        message=_capped(said),
        details={},
        headers=headers,
        unexpected=status >= 500,
    )


def _text(problem: Any) -> str:
    return str(problem.detail or problem.title or "")


def _capped(text: str) -> str:
    clean = text.encode("utf-8", "replace").decode()
    return clean if len(clean) <= LONGEST_TEXT else clean[: LONGEST_TEXT - 1] + "…"

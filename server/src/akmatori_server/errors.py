"""Every refusal the server can answer with, as exceptions: a status, a stable code, one sentence.

Services raise these; the HTTP layer turns them into the contract's error body. No framework is known here.
"""
# ruff: noqa: N818  named after the answer they become (NotFound, Conflict), as the contract names them

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

NOTHING: Mapping[str, str] = MappingProxyType({})


class ApiError(Exception):
    """Base of every refusal. `details` has one sentence per offending field, keyed by the field's path."""

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "internal"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        details: Mapping[str, str] = NOTHING,
        headers: Mapping[str, str] = NOTHING,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.details = details
        self.headers = headers


class BadRequest(ApiError):
    """The request is malformed or breaks a rule; the sentence says which."""

    status = 400
    default_code = "bad_request"


class Unauthorized(ApiError):
    """No valid credential was sent. Answers with `WWW-Authenticate`."""

    status = 401
    default_code = "unauthorized"

    def __init__(
        self,
        message: str = "A valid token or API key is needed.",
        *,
        code: str | None = None,
        realm: str = 'Bearer realm="API"',
    ) -> None:
        super().__init__(message, code=code, headers={"WWW-Authenticate": realm})


class Forbidden(ApiError):
    """The credential is valid but not allowed to do this."""

    status = 403
    default_code = "forbidden"


class NotFound(ApiError):
    """No such thing."""

    status = 404
    default_code = "not_found"


class MethodNotAllowed(ApiError):
    """The path exists, but not with this method; `allow` lists those it has."""

    status = 405
    default_code = "method_not_allowed"

    def __init__(self, allow: str) -> None:
        super().__init__(f"This path answers {allow} only.", headers={"Allow": allow})


class Conflict(ApiError):
    """The request contradicts what is stored."""

    status = 409
    default_code = "conflict"


class TooLarge(ApiError):
    """The body is larger than the operation takes."""

    status = 413
    default_code = "too_large"


class UnsupportedMediaType(ApiError):
    """The body's content type is not one the operation reads."""

    status = 415
    default_code = "unsupported_media_type"


class Invalid(ApiError):
    """A field breaks a rule; `details` has a sentence per field."""

    status = 422
    default_code = "validation_error"


class _Later(ApiError):
    """A refusal that passes with time: answers with `Retry-After`."""

    def __init__(
        self,
        message: str,
        *,
        retry_after: int = 5,
        code: str | None = None,
        details: Mapping[str, str] = NOTHING,
    ) -> None:
        waiting = {"Retry-After": str(max(0, retry_after))}
        super().__init__(message, code=code, details=details, headers=waiting)
        self.retry_after = retry_after


class TooManyRequests(_Later):
    """Too many attempts; wait `retry_after` seconds."""

    status = 429
    default_code = "too_many_requests"


class NotInThisVersion(ApiError):
    """The operation is part of the contract but not of this version of the server."""

    status = 501
    default_code = "not_implemented"

    def __init__(self, operation_id: str) -> None:
        super().__init__(f"{operation_id} is not part of this version yet.")


class Unavailable(_Later):
    """The server cannot answer now; try again in `retry_after` seconds."""

    status = 503
    default_code = "unavailable"

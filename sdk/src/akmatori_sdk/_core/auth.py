"""Credentials, and the token that logging in gives. No I/O: the loops send the login."""

from __future__ import annotations

import base64
import binascii
import copy
from typing import Any, TypeAlias, cast

import attrs
import orjson

from akmatori_sdk._core.errors import AkmatoriError, ConfigError, DecodeError

LOGIN_PATH = "/auth/login"
DEFAULT_LIFETIME = 3600.0
# A token is replaced this long before it ends, so that no call starts with one that expires on the way.
MARGIN = 60.0
MARGIN_SHARE = 0.1


@attrs.frozen
class Anonymous:
    """No credential: only public operations work."""


@attrs.frozen
class Token:
    """A bearer token (JWT or API key) that somebody else keeps fresh."""

    value: str = attrs.field(repr=False)


@attrs.frozen
class ApiKey:
    """An API key, sent as `X-API-Key`."""

    value: str = attrs.field(repr=False)


@attrs.frozen
class Login:
    """A user name and a password, exchanged for a token at the first call."""

    username: str
    password: str = attrs.field(repr=False)


Credential: TypeAlias = Anonymous | Token | ApiKey | Login


def checked(credential: Credential, source: str) -> Credential:
    """Return the credential, or raise when it cannot be put into a header.

    Raises:
        ConfigError: it is empty or holds characters HTTP does not allow; the message names the source only.
    """
    values = attrs.astuple(credential)
    if any(not value for value in values):
        raise ConfigError(f"{source} is empty")
    if isinstance(credential, (Token, ApiKey)) and not all("!" <= char <= "~" for char in credential.value):
        raise ConfigError(
            f"{source} holds blanks, line ends or other characters that cannot be sent in a header"
        )
    return credential


def static_headers(credential: Credential) -> dict[str, str]:
    """Return the headers of a credential that needs no login."""
    match credential:
        case Token(value):
            return {"authorization": f"Bearer {value}"}
        case ApiKey(value):
            return {"x-api-key": value}
        case _:
            return {}


def shell_header(credential: Credential, prefix: str) -> str | None:
    """Return the header for a curl command: it names an environment variable, never the value."""
    match credential:
        case Anonymous():
            return None
        case ApiKey():
            return f"X-API-Key: ${prefix}_API_KEY"
        case _:
            return f"Authorization: Bearer ${prefix}_TOKEN"


class Session:
    """The token of a `Login`, shared by every client derived from one.

    Callers hold the loop's lock while they log in. `tries` lets a caller that waited for the lock see that
    somebody else has tried meanwhile, and take that result, good or bad, instead of logging in again.
    """

    __slots__ = ("_error", "_expires", "_token", "tries")

    def __init__(self) -> None:
        self.tries = 0
        self._token: str | None = None
        self._expires = 0.0
        self._error: AkmatoriError | None = None

    def __repr__(self) -> str:
        return f"Session({'logged in' if self._token else 'no token'})"

    @property
    def secret(self) -> str:
        """The token itself, fresh or not, to keep it out of error texts."""
        return self._token or ""

    def current(self, now: float) -> str | None:
        """Return the token, or None when there is none or it is about to end."""
        return self._token if now < self._expires else None

    def since(self, tries: int) -> str | None:
        """Return the token somebody got after `tries` was read, or None when nobody has tried since.

        Raises:
            AkmatoriError: somebody has tried and failed.
        """
        if self.tries == tries:
            return None
        if self._error is not None:
            raise copy.copy(self._error)
        return self._token

    def succeeded(self, reply: Any, now: float) -> str:
        """Store the reply of a login and return its token."""
        token, lifetime = read_login(reply)
        self.tries += 1
        self._token, self._error = token, None
        self._expires = now + lifetime - min(MARGIN, lifetime * MARGIN_SHARE)
        return token

    def failed(self, error: AkmatoriError) -> None:
        """Remember why the login failed, for those who waited for it."""
        self.tries += 1
        self._token, self._error = None, copy.copy(error)


def read_login(reply: Any) -> tuple[str, float]:
    """Return the token of a login reply and its lifetime in seconds.

    Raises:
        DecodeError: the reply has no usable token.
    """
    document = cast("dict[str, Any]", reply) if isinstance(reply, dict) else {}
    token = document.get("token")
    if not isinstance(token, str) or not token or not all("!" <= char <= "~" for char in token):
        raise DecodeError("the login reply has no usable token", "$.token")
    # The product always states 86400, whatever its tokens' real lifetime is: the token's claims come first.
    return token, _jwt_lifetime(token) or _positive(document.get("expires_in")) or DEFAULT_LIFETIME


def _jwt_lifetime(token: str) -> float | None:
    """Return `exp` - `iat`: a difference of the server's own clock, so that ours may be wrong."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        claims: Any = orjson.loads(payload)
    except (binascii.Error, ValueError):
        return None
    if not isinstance(claims, dict):
        return None
    known = cast("dict[str, Any]", claims)
    issued, expires = _positive(known.get("iat")), _positive(known.get("exp"))
    return expires - issued if issued and expires and expires > issued else None


def _positive(value: Any) -> float | None:
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0
    return float(value) if usable else None

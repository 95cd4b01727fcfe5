"""Login tokens: JWT, signed with the installation's secret, with the claims the product has."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import attrs
import jwt

ISSUER = "akmatori"
ALGORITHM = "HS256"


@attrs.frozen
class IssuedToken:
    """A token and how many seconds it lives."""

    token: str = attrs.field(repr=False)
    expires_in: int


class Tokens:
    """Issues and verifies the tokens of one installation."""

    def __init__(self, secret: str, *, lifetime: timedelta, now: Callable[[], datetime]) -> None:
        self._secret = secret
        self._lifetime = lifetime
        self._now = now

    def issue(self, username: str) -> IssuedToken:
        """Make a token for a user."""
        issued = self._now()
        claims = {"username": username, "iss": ISSUER, "iat": issued, "exp": issued + self._lifetime}
        token = jwt.encode(claims, self._secret, algorithm=ALGORITHM)
        return IssuedToken(token, int(self._lifetime.total_seconds()))

    def verify(self, token: str) -> str | None:
        """Return the user's name, or None when the token is forged, expired or not one of ours."""
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                options={"require": ["exp", "iat", "iss"]},
            )
        except jwt.PyJWTError:
            return None
        username = claims.get("username")
        return username if isinstance(username, str) else None

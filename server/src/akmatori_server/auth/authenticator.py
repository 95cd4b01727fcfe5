"""Looking up credentials for the HTTP layer: off the event loop, and not again for a few seconds."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

import attrs
from starlette.concurrency import run_in_threadpool

from akmatori_server.auth.service import AuthService
from akmatori_server.http.call import Caller
from akmatori_server.http.security import Requested

# How long a revoked key or an expired token may still pass, in another process than the one that revoked it.
REMEMBERED_SECONDS = 5.0
MOST_REMEMBERED = 4096


@attrs.frozen
class _Verified:
    caller: Caller
    until: float
    revocations: int


class CachingAuthenticator:
    """Verifies credentials with the service. Only valid ones are remembered, and by their hash."""

    def __init__(self, service: AuthService, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._service = service
        self._clock = clock
        self._verified: dict[bytes, _Verified] = {}

    async def authenticate(self, credential: str, _requested: Requested, /) -> Caller | None:
        """Return the caller of a token or API key, or None when it is not valid. What it is for does not matter."""
        digest = hashlib.sha256(credential.encode("utf-8", "surrogatepass")).digest()
        revocations = self._service.revocations
        known = self._verified.get(digest)
        if known is not None and known.until > self._clock() and known.revocations == revocations:
            return known.caller
        caller = await run_in_threadpool(self._service.identify, credential)
        if caller is None:
            self._verified.pop(digest, None)
            return None
        if len(self._verified) >= MOST_REMEMBERED:
            self._verified.clear()
        self._verified[digest] = _Verified(caller, self._clock() + REMEMBERED_SECONDS, revocations)
        return caller

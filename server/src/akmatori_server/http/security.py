"""Connexion's security schemes, answered by our authenticator."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Protocol
from urllib.parse import parse_qs, urlencode

import attrs

from akmatori_server.auth.keys import PREFIX
from akmatori_server.errors import Unauthorized
from akmatori_server.http.call import Caller
from akmatori_server.http.connexion_names import NO_VALUE, ROUTING_CONTEXT


@attrs.frozen(kw_only=True)
class Requested:
    """What a credential is shown for: a routed request, and the system that it belongs to."""

    method: str
    path: str
    # Where the paths of its system begin, such as `/api/v1`; "" for the system at the root.
    base_path: str


class Authenticator(Protocol):
    """Decides who a credential belongs to."""

    async def authenticate(self, credential: str, requested: Requested, /) -> Caller | None:
        """Return the caller of a token or API key, or None when it is not valid.

        Raises:
            ApiError: it is known why the credential is not good for this request, or nobody can say now.
        """
        ...


def security_map(authenticator: Authenticator) -> dict[str, Callable[[], object]]:
    """Return connexion's `security_map`: every kind of scheme, verified by one authenticator."""
    return {
        "bearer": lambda: _Scheme(authenticator, _from_authorization),
        "apiKey": lambda: _Scheme(authenticator, _from_key_header),
    }


class _Scheme:
    """What connexion asks for each scheme: a function from a request to the caller, or to NO_VALUE."""

    def __init__(
        self, authenticator: Authenticator, find: Callable[[MutableMapping[str, Any]], str | None]
    ) -> None:
        self._authenticator = authenticator
        self._find = find

    def get_fn(self, scheme: Mapping[str, Any], _scopes: object) -> Callable[[Any], Awaitable[Any]]:
        """Return the function that checks a request."""
        find = _from_query if scheme.get("in") == "query" else self._find

        async def check(request: Any) -> Any:
            credential = find(request.scope)
            if credential is None:
                return NO_VALUE
            caller = await self._authenticator.authenticate(credential, _requested(request.scope))
            if caller is None:
                raise Unauthorized("The token or API key is not valid, or no longer.")
            return {"caller": caller}

        return check


def _requested(scope: Mapping[str, Any]) -> Requested:
    routing: Mapping[str, Any] = scope["extensions"][ROUTING_CONTEXT]
    return Requested(method=scope["method"], path=scope["path"], base_path=routing["api_base_path"])


def _from_authorization(scope: Mapping[str, Any]) -> str | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, credential = str(value, "latin-1").strip().partition(" ")
            if scheme.lower() in {"bearer", "apikey"}:
                # Present but empty is a wrong credential, not a missing one.
                return credential.strip()
    return None


def _from_key_header(scope: Mapping[str, Any]) -> str | None:
    for name, value in scope["headers"]:
        if name == b"x-api-key":
            return str(value, "latin-1").strip()
    return None


def _from_query(scope: MutableMapping[str, Any]) -> str | None:
    """Take the token out of a plain link, where the specification has one. An API key has no place in a URL."""
    fields = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    [token, *_] = fields.pop("token", [""])
    # Nothing behind this needs it, or should see it.
    scope["query_string"] = urlencode(fields, doseq=True).encode("ascii")
    return token if token and not token.startswith(PREFIX) else None

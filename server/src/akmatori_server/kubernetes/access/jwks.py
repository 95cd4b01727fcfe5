"""Verifying tokens without asking about each: by the public keys that their cluster publishes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import attrs
import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from akmatori_server.errors import Unavailable
from akmatori_server.http.call import Caller, Scope
from akmatori_server.kubernetes.access.key_source import KeySourceError
from akmatori_server.kubernetes.access.model import (
    CALLER_KIND,
    Admitted,
    NotAllowed,
    NotValid,
    Question,
    Verdict,
)
from akmatori_server.kubernetes.access.settings import is_subject

# Keys are asked for anew this often, and kept this long when nobody answers.
FRESH_SECONDS = 300.0
STALE_SECONDS = 3600.0
# An unknown key id may be a new key; whoever makes ids up does not have them fetched more often than this.
LEAST_SECONDS_BETWEEN = 30.0
# Clocks of two machines differ by so much.
LEEWAY_SECONDS = 10
SHORTEST_RSA_BITS = 2048
MOST_KEYS = 100
RETRY_SECONDS = 10

_WHY: Mapping[type[Exception], str] = {
    jwt.ExpiredSignatureError: "The token has expired.",
    jwt.ImmatureSignatureError: "The token is not good yet.",
    jwt.InvalidAudienceError: "The token is for another audience.",
    jwt.InvalidIssuerError: "The token is of another issuer.",
}

_log = structlog.stdlib.get_logger("akmatori_server.kubernetes.access")


@attrs.frozen
class VerificationKey:
    """A public key, with the one algorithm that it is used by."""

    key: RSAPublicKey | EllipticCurvePublicKey
    algorithm: str


class KeySet:
    """The keys of one cluster, fetched when they are needed."""

    def __init__(self, fetch: Callable[[], object], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Mapping[str, VerificationKey] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._failure: str | None = None

    def find(self, identifier: str) -> VerificationKey | None:
        """Return the key of an id, None when the cluster has none.

        Raises:
            Unavailable: the keys cannot be had.
        """
        with self._lock:
            if self._age(self._fetched) > FRESH_SECONDS or identifier not in self._keys:
                self._refresh()
            if self._age(self._fetched) > STALE_SECONDS:
                self._keys = {}
            found = self._keys.get(identifier)
            if found is None and self._failure is not None:
                # It may be a new key that we could not get.
                raise Unavailable(
                    f"The token cannot be verified now. {self._failure}", retry_after=RETRY_SECONDS
                )
            return found

    def _age(self, moment: float | None) -> float:
        return float("inf") if moment is None else self._clock() - moment

    def _refresh(self) -> None:
        if self._age(self._tried) < LEAST_SECONDS_BETWEEN:
            return
        self._tried = self._clock()
        try:
            self._keys = read_keys(self._fetch())
        except KeySourceError as error:
            self._failure = str(error)
            _log.warning("keys_not_fetched", reason=str(error))
            return
        self._fetched, self._failure = self._tried, None


def read_keys(document: object) -> Mapping[str, VerificationKey]:
    """Return the keys of a JSON Web Key Set that signatures may be checked by, by their ids.

    Raises:
        KeySourceError: it is no key set.
    """
    entries = cast("Mapping[str, object]", document).get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise KeySourceError("The key set has no list named keys.")
    found: dict[str, VerificationKey] = {}
    for entry in cast("list[object]", entries)[:MOST_KEYS]:
        if not isinstance(entry, dict):
            continue
        members = cast("dict[str, Any]", entry)
        identifier, key = members.get("kid"), _key(members)
        if isinstance(identifier, str) and identifier and key is not None:
            found[identifier] = key
    return found


def _key(members: dict[str, Any]) -> VerificationKey | None:
    if members.get("use") not in {None, "sig"}:
        return None
    algorithm = {"RSA": "RS256", "EC": "ES256"}.get(str(members.get("kty")))
    # The key decides the algorithm, never the token: a public key is no secret of HS256.
    if algorithm is None or members.get("alg") not in {None, algorithm}:
        return None
    try:
        key: object = jwt.PyJWK(members, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if isinstance(key, RSAPublicKey) and key.key_size >= SHORTEST_RSA_BITS:
        return VerificationKey(key, algorithm)
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return VerificationKey(key, algorithm)
    return None


@attrs.frozen(kw_only=True)
class TokenRules:
    """Which tokens are good, and what their bearers may do."""

    issuer: str
    audiences: tuple[str, ...]
    # Subjects that may call, with their scopes; everybody else may not.
    subjects: Mapping[str, Scope]


class KeySetVerifier:
    """Verifies tokens by the keys of their issuer; who may do what is configured."""

    def __init__(self, keys: KeySet, rules: TokenRules) -> None:
        self._keys = keys
        self._rules = rules

    def verify(self, token: str, question: Question) -> Verdict:
        """Decide about one request.

        Raises:
            Unavailable: the keys cannot be had.
        """
        try:
            identifier: object = jwt.get_unverified_header(token).get("kid")
        except jwt.PyJWTError:
            return NotValid("This is neither an API key nor a token of a cluster.")
        if not isinstance(identifier, str) or not identifier:
            return NotValid("The token does not name its key.")
        key = self._keys.find(identifier)
        if key is None:
            return NotValid("The token is signed with a key that the cluster does not publish.")
        try:
            claims = self._claims(token, key)
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
            return NotValid(_WHY.get(type(error), "The token is not good."))
        return self._judged(claims)

    def _claims(self, token: str, key: VerificationKey) -> Mapping[str, object]:
        return cast(
            "Mapping[str, object]",
            jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm],
                issuer=self._rules.issuer,
                audience=list(self._rules.audiences),
                leeway=LEEWAY_SECONDS,
                options={"require": ["iss", "sub", "aud", "exp"]},
            ),
        )

    def _judged(self, claims: Mapping[str, object]) -> Verdict:
        subject, end = str(claims["sub"]), claims["exp"]
        if not is_subject(subject):
            return NotValid("The token is not one of a service account.")
        scope = self._rules.subjects.get(subject)
        if scope is None:
            return NotAllowed(f"{subject} may not call this server; name it in AKMATORI_K8S_SUBJECTS.")
        caller = Caller(kind=CALLER_KIND, name=subject, scope=scope)
        return Admitted(caller, float(end) if isinstance(end, int | float) else None)

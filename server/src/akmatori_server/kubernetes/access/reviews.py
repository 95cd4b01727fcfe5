"""Verifying tokens by asking the cluster: TokenReview for who it is, SubjectAccessReview for what it may do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import NoReturn, cast

import jwt
import structlog

from akmatori_server.errors import Unavailable
from akmatori_server.http.call import Caller, Scope
from akmatori_server.kubernetes.access.model import (
    CALLER_KIND,
    Admitted,
    Identity,
    NotAllowed,
    NotValid,
    Question,
    Verdict,
)
from akmatori_server.kubernetes.clusters.connection import (
    ClusterError,
    Connection,
    Json,
    Limits,
    RefusedError,
)

TOKEN_REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"  # noqa: S105  a path, not a secret
ACCESS_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
# Somebody waits for the answer.
LIMITS = Limits(connect=3.0, read=10.0, total=10.0, bytes=1024 * 1024, wait=2.0)
RETRY_SECONDS = 5
_READING = frozenset({"get", "head"})

_log = structlog.stdlib.get_logger("akmatori_server.kubernetes.access")


class ReviewVerifier:
    """Asks one cluster about each token and each request."""

    def __init__(self, connect: Callable[[], Connection], audiences: tuple[str, ...] = ()) -> None:
        """Take how to connect, which is done at the first token, and the audiences that are ours.

        Without audiences a token must be meant for the API server itself, as those of `kubectl create token` are.
        """
        self._connect = connect
        self._audiences = audiences
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def verify(self, token: str, question: Question) -> Verdict:
        """Ask who it is, then what they may do.

        Raises:
            Unavailable: the cluster does not answer, or does not let this server ask.
        """
        try:
            connection = self._connected()
            identity = self._identify(connection, token)
            if identity is None:
                return NotValid("The cluster does not know this token: it is expired, revoked or for others.")
            if not _is_allowed(connection, identity, question):
                return NotAllowed(f"{identity.username} may not {question.verb} {question.path}.")
        except ClusterError as error:
            self._refuse(error)
        scope = Scope.READ if question.verb in _READING else Scope.WRITE
        return Admitted(Caller(kind=CALLER_KIND, name=identity.username, scope=scope), _expiry(token))

    def _connected(self) -> Connection:
        with self._lock:
            if self._connection is None:
                self._connection = self._connect()
            return self._connection

    def _identify(self, connection: Connection, token: str) -> Identity | None:
        spec: dict[str, Json] = {"token": token}
        if self._audiences:
            spec["audiences"] = list(self._audiences)
        status = _status(
            connection.review(TOKEN_REVIEWS, _asked("authentication.k8s.io/v1", "TokenReview", spec))
        )
        user = status.get("user")
        if status.get("authenticated") is not True or not isinstance(user, dict):
            return None
        # A server that knows nothing of audiences leaves them out: then the token is good for itself alone.
        if self._audiences and not set(self._audiences) & set(_texts(status.get("audiences"))):
            return None
        return _identity(user)

    def _refuse(self, error: ClusterError) -> NoReturn:
        _log.warning("token_not_verified", reason=str(error))
        if isinstance(error, RefusedError):
            # Our own credentials have run out; a new connection reads them again.
            with self._lock:
                self._connection = None
        raise Unavailable(f"The token cannot be verified now. {error}", retry_after=RETRY_SECONDS) from None


def _is_allowed(connection: Connection, identity: Identity, question: Question) -> bool:
    spec: dict[str, Json] = {
        "user": identity.username,
        "uid": identity.uid,
        # Without its groups somebody would count as a member of none.
        "groups": list(identity.groups),
        "extra": {name: list(values) for name, values in identity.extra.items()},
        "nonResourceAttributes": {"path": question.path, "verb": question.verb},
    }
    asked = _asked("authorization.k8s.io/v1", "SubjectAccessReview", spec)
    status = _status(connection.review(ACCESS_REVIEWS, asked))
    return status.get("allowed") is True and status.get("denied") is not True


def _asked(api_version: str, kind: str, spec: dict[str, Json]) -> dict[str, Json]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {}, "spec": spec}


def _status(answer: Mapping[str, Json]) -> dict[str, Json]:
    status = answer.get("status")
    return status if isinstance(status, dict) else {}


def _identity(user: dict[str, Json]) -> Identity | None:
    username, uid = user.get("username"), user.get("uid")
    if not isinstance(username, str) or not username:
        return None
    extra = user.get("extra")
    return Identity(
        username=username,
        uid=uid if isinstance(uid, str) else "",
        groups=_texts(user.get("groups")),
        extra={name: _texts(values) for name, values in extra.items()} if isinstance(extra, dict) else {},
    )


def _texts(values: Json) -> tuple[str, ...]:
    return tuple(value for value in values if isinstance(value, str)) if isinstance(values, list) else ()


def _expiry(token: str) -> float | None:
    """Read when a token ends, which the cluster has verified and does not say."""
    try:
        claims = cast("Mapping[str, object]", jwt.decode(token, options={"verify_signature": False}))
    except jwt.PyJWTError:
        # Clusters may know tokens that are no JWT.
        return None
    end = claims.get("exp")
    return float(end) if isinstance(end, int | float) else None

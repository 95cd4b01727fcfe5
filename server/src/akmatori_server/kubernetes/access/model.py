"""How tokens of a cluster are verified, whom they belong to, and what a verifier answers."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Protocol

import attrs

from akmatori_server.http.call import Caller

# As callers appear in the audit trail and in logs.
CALLER_KIND = "kubernetes"


class AuthMode(enum.StrEnum):
    """How tokens of a cluster are verified."""

    NONE = "none"
    TOKEN_REVIEW = "tokenreview"  # noqa: S105  the name of a mode, not a secret
    JWKS = "jwks"


@attrs.frozen
class Question:
    """What a caller wants to do: a path, and the method in lower case, as Kubernetes calls it."""

    verb: str
    path: str


@attrs.frozen(kw_only=True)
class Identity:
    """Whom a token belongs to, as the cluster knows it."""

    username: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict[str, tuple[str, ...]])


@attrs.frozen
class Admitted:
    """The caller may do what was asked; at most until `expires`, a Unix time, where the token says one."""

    caller: Caller
    expires: float | None = None


@attrs.frozen
class NotValid:
    """The token is not good at all: the sentence says why, as far as its bearer may know."""

    sentence: str


@attrs.frozen
class NotAllowed:
    """The token is good, but not for this."""

    sentence: str


Verdict = Admitted | NotValid | NotAllowed


class Verifier(Protocol):
    """Decides about tokens of a cluster. Works in threads, and may block."""

    def verify(self, token: str, question: Question) -> Verdict:
        """Decide about one request.

        Raises:
            Unavailable: nobody can say now.
        """
        ...

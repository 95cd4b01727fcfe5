"""Tokens of service accounts as a cluster makes them, signed with keys of the tests."""

from __future__ import annotations

import json
import time
from typing import Any

import attrs
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

ISSUER = "https://kubernetes.default.svc.cluster.local"
SUBJECT = "system:serviceaccount:shop:ci"


@attrs.frozen
class SigningKey:
    """A private key, with its id and algorithm."""

    key: Any = attrs.field(repr=False)
    identifier: str = "one"
    algorithm: str = "RS256"

    @classmethod
    def rsa(cls, identifier: str = "one", bits: int = 2048) -> SigningKey:
        """Make an RSA key."""
        return cls(rsa.generate_private_key(65537, bits), identifier)

    @classmethod
    def p256(cls, identifier: str = "curve") -> SigningKey:
        """Make an elliptic key."""
        return cls(ec.generate_private_key(ec.SECP256R1()), identifier, "ES256")

    def jwk(self, **members: Any) -> dict[str, Any]:
        """Return the public key as it is published."""
        algorithm = jwt.get_algorithm_by_name(self.algorithm)
        published = json.loads(algorithm.to_jwk(self.key.public_key()))  # type: ignore[attr-defined]  # of both kinds
        published.pop("key_ops", None)
        return {**published, "kid": self.identifier, "use": "sig", "alg": self.algorithm, **members}

    def token(self, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """Make a token; claims that are None are left out."""
        return jwt.encode(
            claims(**changes), self.key, self.algorithm, headers={"kid": self.identifier, **(header or {})}
        )


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a token of `shop/ci`, changed."""
    now = int(time.time())
    usual = {"iss": ISSUER, "sub": SUBJECT, "aud": [ISSUER], "iat": now, "nbf": now, "exp": now + 3600}
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}

"""Tokens that are verified by the keys that a cluster publishes, without asking it about each."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from akmatori_server.errors import Unavailable
from akmatori_server.http.call import Scope
from akmatori_server.kubernetes.access.jwks import KeySet, KeySetVerifier, TokenRules, read_keys
from akmatori_server.kubernetes.access.key_source import (
    LARGEST,
    KeySourceError,
    from_address,
    from_cluster,
    from_file,
)
from akmatori_server.kubernetes.access.model import Admitted, AuthMode, NotAllowed, NotValid, Question
from akmatori_server.kubernetes.access.settings import AccessSettings
from akmatori_server.kubernetes.clusters.configuration import ClusterConfig
from akmatori_server.kubernetes.clusters.connection import connect
from tests.support.databases import copied_database
from tests.support.kube_api import kube_api
from tests.support.origin import Asked, Reply, running_origin
from tests.support.service_accounts import ISSUER, SUBJECT, SigningKey, claims
from tests.support.site import Site, running_site

# Each of them answers through the same few lines; the others are judged without a server.
OVER_HTTP = (
    "expired",
    "for another audience",
    "HS256 with the public key",
    "signed by nobody",
    "an unknown key",
)
GET = Question("get", "/api/v1/clusters")
RULES = TokenRules(issuer=ISSUER, audiences=(ISSUER, "aotanami"), subjects={SUBJECT: Scope.READ})


@pytest.fixture(scope="module")
def key() -> SigningKey:
    """The cluster's key."""
    return SigningKey.rsa()


@pytest.fixture(scope="module")
def curve() -> SigningKey:
    """Its other key."""
    return SigningKey.p256()


@pytest.fixture(scope="module")
def other() -> SigningKey:
    """Somebody else's key; making one takes a while."""
    return SigningKey.rsa("unknown")


@pytest.fixture(scope="module")
def hostile(key: SigningKey, curve: SigningKey, other: SigningKey) -> dict[str, str]:
    """Tokens that are not good, by what is wrong with them."""
    return hostile_tokens(key, curve, other)


@pytest.fixture
def verifier(key: SigningKey, curve: SigningKey) -> KeySetVerifier:
    """One that knows both."""
    return KeySetVerifier(KeySet(lambda: {"keys": [key.jwk(), curve.jwk()]}), RULES)


def test_good_tokens(verifier: KeySetVerifier, key: SigningKey, curve: SigningKey) -> None:
    now = int(time.time())
    for token in (
        key.token(),
        curve.token(),
        key.token(aud="aotanami"),
        key.token(aud=["x", "aotanami"]),
        key.token(nbf=now + 5, iat=now + 5),
        key.token(exp=now - 5),
        key.token(iat=None, nbf=None),
    ):
        verdict = verifier.verify(token, GET)
        assert isinstance(verdict, Admitted)
        assert (verdict.caller.kind, verdict.caller.name, verdict.caller.scope) == (
            "kubernetes", SUBJECT, Scope.READ
        )  # fmt: skip


def unsigned(header: dict[str, Any]) -> str:
    """A token with an empty signature."""
    parts = (json.dumps(part).encode() for part in (header, claims()))
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


def tampered(token: str) -> str:
    """The same token, for another service account."""
    head, body, signature = token.split(".")
    changed = json.loads(base64.urlsafe_b64decode(body + "==")) | {"sub": SUBJECT + "-admin"}
    body = base64.urlsafe_b64encode(json.dumps(changed).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{signature}"


def hostile_tokens(key: SigningKey, curve: SigningKey, other: SigningKey) -> dict[str, str]:
    """Tokens that are not good, by what is wrong with them."""
    now = int(time.time())
    pem = key.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head, body, signature = key.token().split(".")

    def hs256(secret: bytes) -> str:
        # The library refuses to sign with such a secret; attackers do not use it.
        parts = [
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
            for part in ({"alg": "HS256", "kid": "one", "typ": "JWT"}, claims())
        ]
        signed = b".".join(parts)
        mark = base64.urlsafe_b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).rstrip(b"=")
        return (signed + b"." + mark).decode()

    return {
        "expired": key.token(exp=now - 60),
        "not yet good": key.token(nbf=now + 600),
        "issued in the future": key.token(iat=now + 600),
        "without an end": key.token(exp=None),
        "without an audience": key.token(aud=None),
        "without a subject": key.token(sub=None),
        "without an issuer": key.token(iss=None),
        "for another audience": key.token(aud=["https://example.com"]),
        "for no audience": key.token(aud=[]),
        "of another issuer": key.token(iss="https://example.com"),
        "of a legacy secret": key.token(iss="kubernetes/serviceaccount", exp=None, aud=None),
        "of a user": key.token(sub="admin"),
        "of an odd account": key.token(sub="system:serviceaccount:shop:ci:more"),
        "of an empty account": key.token(sub="system:serviceaccount::ci"),
        "of a node": key.token(sub="system:node:a"),
        "tampered with": tampered(key.token()),
        "with another's signature": f"{head}.{body}.{other.token().split('.')[2]}",
        "without a signature": f"{head}.{body}.",
        "with a broken signature": f"{head}.{body}.{signature[:-4]}AAAA",
        "signed by nobody": unsigned({"alg": "none", "kid": "one"}),
        "signed by nobody at all": unsigned({"alg": "None", "kid": "one"}),
        "HS256 with the public key": hs256(pem),
        "HS256 with the published key": hs256(json.dumps(key.jwk()).encode()),
        "HS256 with nothing": hs256(b""),
        "another algorithm": jwt.encode(claims(), key.key, "RS512", headers={"kid": "one"}),
        "another's algorithm": curve.token(header={"kid": "one"}),
        "a key of its own": other.token(header={"jwk": {}, "jku": "https://example.com"}),
        "an unknown key": other.token(),
        "no key": jwt.encode(claims(), key.key, "RS256"),
        "an odd key": key.token(header={"kid": ""}),
        "critical headers": key.token(header={"crit": ["x"], "x": 1}),
        "no token": "abc",
        "no JSON": "YWJj.YWJj.YWJj",
        "empty parts": "..",
        "a claim of another shape": key.token(exp="soon"),
    }


def test_hostile_tokens(verifier: KeySetVerifier, hostile: dict[str, str]) -> None:
    for name, token in hostile.items():
        verdict = verifier.verify(token, GET)
        assert isinstance(verdict, NotValid), name
        assert token not in verdict.sentence


def test_who_is_not_named_may_nothing(verifier: KeySetVerifier, key: SigningKey) -> None:
    verdict = verifier.verify(key.token(sub="system:serviceaccount:shop:other"), GET)
    assert verdict == NotAllowed(
        "system:serviceaccount:shop:other may not call this server; name it in AKMATORI_K8S_SUBJECTS."
    )


def test_keys_that_are_not_used(key: SigningKey, curve: SigningKey) -> None:
    """Short ones, those for encryption, those of other kinds and algorithms, and what is no key."""
    entries = [
        SigningKey.rsa("short", 1024).jwk(),
        key.jwk(kid="enc", use="enc"),
        key.jwk(kid="rs512", alg="RS512"),
        key.jwk(kid="broken", n="!"),
        curve.jwk(kid="other-curve", crv="P-384"),
        {"kid": "secret", "kty": "oct", "k": "c2VjcmV0", "alg": "HS256"},
        {"kty": "RSA"},
        None,
        "text",
        {**key.jwk(), "kid": 5},
        key.jwk(kid="good"),
    ]
    assert set(read_keys({"keys": entries})) == {"good"}
    for document in (None, [], {}, {"keys": {}}, "keys"):
        with pytest.raises(KeySourceError):
            read_keys(document)


class Source:
    """Keys that change, and times out as told."""

    def __init__(self, *keys: SigningKey) -> None:
        self.keys, self.fetched, self.seconds, self.is_away = list(keys), 0, 0.0, False
        self.set = KeySet(self.fetch, clock=lambda: self.seconds)
        self.verifier = KeySetVerifier(self.set, RULES)

    def fetch(self) -> object:
        self.fetched += 1
        if self.is_away:
            raise KeySourceError("The key set does not answer.")
        return {"keys": [key.jwk() for key in self.keys]}


def test_a_new_key_is_fetched_when_it_is_met_but_not_too_often(key: SigningKey, other: SigningKey) -> None:
    source, new = Source(key), other
    assert isinstance(source.verifier.verify(key.token(), GET), Admitted)
    source.keys.append(new)
    # Whoever makes ids up costs one fetch in half a minute.
    for _ in range(5):
        assert isinstance(source.verifier.verify(new.token(), GET), NotValid)
    assert source.fetched == 1
    source.seconds = 31
    assert isinstance(source.verifier.verify(new.token(), GET), Admitted)
    assert source.fetched == 2


def test_a_key_that_is_withdrawn_is_forgotten(key: SigningKey) -> None:
    source = Source(key)
    assert isinstance(source.verifier.verify(key.token(), GET), Admitted)
    source.keys.clear()
    source.seconds = 301
    assert isinstance(source.verifier.verify(key.token(), GET), NotValid)


def test_when_the_keys_cannot_be_had(key: SigningKey, other: SigningKey) -> None:
    """Before the first ones: nobody can say. Later the old ones serve for an hour."""
    source = Source(key)
    source.is_away = True
    for _ in range(3):
        with pytest.raises(Unavailable, match="The key set does not answer"):
            source.verifier.verify(key.token(), GET)
    assert source.fetched == 1
    source.is_away, source.seconds = False, 31
    assert isinstance(source.verifier.verify(key.token(), GET), Admitted)
    source.is_away = True
    source.seconds = 3000
    assert isinstance(source.verifier.verify(key.token(), GET), Admitted)
    with pytest.raises(Unavailable):
        # It may be a new one.
        source.verifier.verify(other.token(), GET)
    source.seconds = 3700
    with pytest.raises(Unavailable):
        source.verifier.verify(key.token(), GET)


def test_where_keys_come_from(key: SigningKey, tmp_path: Path) -> None:
    published = {"keys": [key.jwk()]}
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(published))
    assert from_file(path)() == published
    with running_origin(lambda _asked: Reply(published)) as origin:
        assert from_address(origin.url + "/jwks")() == published
    with kube_api() as api:
        api.jwks = published
        config = ClusterConfig("prod", kubeconfig=api.kubeconfig(tmp_path))
        assert from_cluster(lambda: connect(config))() == published
        assert api.paths() == ["/openid/v1/jwks"]


def test_sources_that_fail(tmp_path: Path) -> None:
    def answer(asked: Asked) -> Reply:
        return {
            "/moved": Reply(status=302, headers={"Location": "/keys"}),
            "/large": Reply("x" * (LARGEST + 1)),
            "/text": Reply("<html>"),
        }.get(asked.path, Reply(status=500))

    large = tmp_path / "large"
    large.write_bytes(b" " * (LARGEST + 1))
    sources: list[Callable[[], object]] = [from_file(tmp_path / "absent"), from_file(large)]
    with running_origin(answer) as origin:
        sources += [from_address(f"{origin.url}/{path}") for path in ("moved", "large", "text", "error")]
        gone = origin.url
        for source in sources:
            with pytest.raises(KeySourceError):
                source()
    with pytest.raises(KeySourceError, match="does not answer"):
        from_address(gone.replace("http://", "http://user:password@"))()


@pytest.fixture(scope="module")
def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, key: SigningKey
) -> Generator[Site]:
    """A server without a cluster that has the keys in a file."""
    directory = tmp_path_factory.mktemp("jwks")
    file = directory / "jwks.json"
    file.write_text(json.dumps({"keys": [key.jwk()]}))
    (directory / "m").mkdir()
    access = AccessSettings(
        mode=AuthMode.JWKS,
        issuer=ISSUER,
        jwks=str(file),
        subjects={SUBJECT: Scope.READ, SUBJECT + "-writer": Scope.WRITE},
    )
    more = {"access": access, "manifests": (("manifests", (directory / "m",)),)}
    with (
        copied_database("sqlite", directory, request) as url,
        running_site(url, directory, more=more) as site,
    ):
        yield site


def test_over_http(site: Site, key: SigningKey, hostile: dict[str, str]) -> None:
    """Good tokens read, those with the scope write; everything else is refused, and never by a 5xx."""

    def ask(token: str, path: str = "/api/v1/clusters", method: str = "GET") -> httpx.Response:
        return client.request(method, path, headers={"Authorization": f"Bearer {token}"})

    with site.client() as client:
        assert ask(key.token()).status_code == 200
        assert ask(key.token(sub=SUBJECT + "-writer")).status_code == 200
        assert ask(key.token(), "/api/v1/scans/trigger", "POST").status_code == 403
        unnamed = ask(key.token(sub="system:serviceaccount:shop:other"))
        assert (unnamed.status_code, unnamed.json()["error"]["reason"]) == (403, "Forbidden")
        for name in OVER_HTTP:
            refused = ask(hostile[name])
            assert refused.status_code == 401, name
            assert refused.headers["www-authenticate"].startswith("Bearer"), name
            assert refused.json()["error"]["reason"] == "Unauthorized", name
        assert ask(key.token(), "/api/incidents").status_code == 401

"""What an installation may say about tokens of Kubernetes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from akmatori_server.config import ConfigurationError, load_settings
from akmatori_server.database import Database
from akmatori_server.engine import MemoryEngine
from akmatori_server.http.call import Caller, Scope
from akmatori_server.http.security import Requested
from akmatori_server.installation import utc_now
from akmatori_server.kubernetes.access.model import AuthMode
from akmatori_server.kubernetes.access.opening import open_authenticator
from akmatori_server.kubernetes.access.settings import AccessSettings
from akmatori_server.kubernetes.clusters.configuration import ClusterConfig
from akmatori_server.kubernetes.site import KubernetesSite
from akmatori_server.kubernetes.targets import ClusterTarget

ISSUER = {"AKMATORI_K8S_AUTH": "jwks", "AKMATORI_K8S_ISSUER": "https://k"}


def test_nothing_said_means_no_tokens_of_kubernetes() -> None:
    assert load_settings({}).kubernetes.access == AccessSettings(mode=AuthMode.NONE)


def test_everything_said(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.touch()
    access = load_settings(
        {
            **ISSUER,
            "AKMATORI_K8S_AUDIENCE": "aotanami, other",
            "AKMATORI_K8S_JWKS": str(keys),
            "AKMATORI_K8S_AUTH_CLUSTER": "prod",
            "AKMATORI_K8S_SUBJECTS": "system:serviceaccount:shop:ci=write, system:serviceaccount:shop:view",
        }
    ).kubernetes.access
    assert access == AccessSettings(
        mode=AuthMode.JWKS,
        cluster="prod",
        audiences=("aotanami", "other"),
        issuer="https://k",
        jwks=str(keys),
        subjects={
            "system:serviceaccount:shop:ci": Scope.WRITE,
            "system:serviceaccount:shop:view": Scope.READ,
        },
    )


def test_what_cannot_be_used_is_refused_in_a_sentence() -> None:
    for variables, word in (
        ({"AKMATORI_K8S_AUTH": "oidc"}, "must be one of none, tokenreview, jwks"),
        ({"AKMATORI_K8S_AUTH": "jwks"}, "needs AKMATORI_K8S_ISSUER"),
        ({**ISSUER, "AKMATORI_K8S_JWKS": "/no/such/file"}, "there is no file"),
        ({**ISSUER, "AKMATORI_K8S_JWKS": "http://keys.example.com/"}, "https://"),
        ({**ISSUER, "AKMATORI_K8S_JWKS": "https://:x/"}, "no address"),
        ({"AKMATORI_K8S_SUBJECTS": "shop:ci=write"}, "system:serviceaccount:shop:ci=write"),
        ({"AKMATORI_K8S_SUBJECTS": "system:serviceaccount:shop:*:x"}, "is none"),
        ({"AKMATORI_K8S_SUBJECTS": "system:serviceaccount:shop:ci=all"}, "one of read, write, admin"),
        ({"AKMATORI_TOKEN_BUDGET": "1,2"}, "three numbers"),
        ({"AKMATORI_TOKEN_BUDGET": "1,2,-3"}, "three numbers"),
        ({"AKMATORI_TOKEN_ALERT_PERCENT": "0"}, "1 to 100"),
    ):
        with pytest.raises(ConfigurationError, match=word):
            load_settings(variables)
    assert load_settings({**ISSUER, "AKMATORI_K8S_JWKS": "http://127.0.0.1:1/"}).kubernetes.access.jwks


class Ours:
    """Knows one key."""

    async def authenticate(self, credential: str, _requested: Requested, /) -> Caller | None:
        return Caller(kind="api_key", name="a", scope=Scope.READ) if credential == "key" else None


def opened(database: Database, access: AccessSettings, *names: str) -> Any:
    """Build who decides, with clusters of these names."""
    targets = tuple(ClusterTarget(ClusterConfig(name)) for name in names)
    site = KubernetesSite(database=database, engine=MemoryEngine(), now=utc_now, targets=targets)
    return open_authenticator(Ours(), access, site)


def test_a_cluster_that_is_not_there(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path / 'x.db'}")
    try:
        assert isinstance(opened(database, AccessSettings()), Ours)
        for access, names, word in (
            (AccessSettings(mode=AuthMode.TOKEN_REVIEW), (), "needs a cluster"),
            (AccessSettings(mode=AuthMode.JWKS, issuer="https://k"), (), "needs a cluster"),
            (AccessSettings(mode=AuthMode.TOKEN_REVIEW, cluster="x"), ("a", "b"), "there is a, b"),
        ):
            with pytest.raises(ConfigurationError, match=word):
                opened(database, access, *names)
        assert opened(database, AccessSettings(mode=AuthMode.TOKEN_REVIEW, cluster="b"), "a", "b")
    finally:
        database.close()

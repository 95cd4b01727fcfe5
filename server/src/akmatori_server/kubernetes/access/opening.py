"""Building what verifies tokens, of the settings and the clusters there are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from akmatori_server.config import ConfigurationError
from akmatori_server.http.security import Authenticator
from akmatori_server.kubernetes.access.authenticator import KubernetesAuthenticator
from akmatori_server.kubernetes.access.jwks import KeySet, KeySetVerifier, TokenRules, read_keys
from akmatori_server.kubernetes.access.key_source import KeySourceError, from_address, from_cluster, from_file
from akmatori_server.kubernetes.access.model import AuthMode, Verifier
from akmatori_server.kubernetes.access.reviews import LIMITS, ReviewVerifier
from akmatori_server.kubernetes.access.settings import AccessSettings, is_address
from akmatori_server.kubernetes.clusters.configuration import ClusterConfig
from akmatori_server.kubernetes.clusters.connection import connect
from akmatori_server.kubernetes.site import KubernetesSite


def open_authenticator(ours: Authenticator, settings: AccessSettings, site: KubernetesSite) -> Authenticator:
    """Return who decides about credentials: `ours`, and where it is wished, a cluster beside it.

    Raises:
        ConfigurationError: the settings name a cluster that is not there, or a file without keys.
    """
    if settings.mode is AuthMode.NONE:
        return ours
    return KubernetesAuthenticator(ours, _verifier(settings, site))


def _verifier(settings: AccessSettings, site: KubernetesSite) -> Verifier:
    if settings.mode is AuthMode.TOKEN_REVIEW:
        return ReviewVerifier(partial(connect, _cluster(settings, site), LIMITS), settings.audiences)
    issuer = settings.issuer or ""
    rules = TokenRules(
        issuer=issuer,
        # Tokens that are for nobody in particular are for their issuer, as a cluster makes them.
        audiences=settings.audiences or (issuer,),
        subjects=settings.subjects,
    )
    if settings.jwks is None:
        fetch = from_cluster(partial(connect, _cluster(settings, site), LIMITS))
    elif is_address(settings.jwks):
        fetch = from_address(settings.jwks)
    else:
        fetch = _checked(from_file(Path(settings.jwks).expanduser()))
    return KeySetVerifier(KeySet(fetch), rules)


def _checked(fetch: Callable[[], object]) -> Callable[[], object]:
    """Read a file of keys once: without one that can be used nobody could ever call."""
    try:
        keys = read_keys(fetch())
    except KeySourceError as error:
        raise ConfigurationError(f"AKMATORI_K8S_JWKS: {error}") from None
    if not keys:
        raise ConfigurationError(
            "AKMATORI_K8S_JWKS: the key set has no key for RS256 or ES256 that has a kid."
        )
    return fetch


def _cluster(settings: AccessSettings, site: KubernetesSite) -> ClusterConfig:
    clusters = {target.name: target.config for target in site.clusters}
    if not clusters:
        raise ConfigurationError(
            f"AKMATORI_K8S_AUTH={settings.mode} needs a cluster that knows the tokens: set AKMATORI_IN_CLUSTER=1 or"
            " AKMATORI_CLUSTERS, or the mode jwks with AKMATORI_K8S_JWKS."
        )
    if settings.cluster is None:
        return next(iter(clusters.values()))
    if settings.cluster not in clusters:
        raise ConfigurationError(
            f"AKMATORI_K8S_AUTH_CLUSTER: there is no cluster {settings.cluster}; there is {', '.join(clusters)}."
        )
    return clusters[settings.cluster]

"""What an installation says about tokens of Kubernetes: read from the environment, and checked."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import attrs

from akmatori_server.http.call import Scope
from akmatori_server.kubernetes.access.model import AuthMode

SUBJECT_PREFIX = "system:serviceaccount:"


class AccessSettingsError(Exception):
    """A setting cannot be used; the sentence says which and why."""


@attrs.frozen(kw_only=True)
class AccessSettings:
    """How tokens of a cluster are verified."""

    mode: AuthMode = AuthMode.NONE
    # The cluster that is asked; None: the first.
    cluster: str | None = None
    # Whom tokens must be for; none: the API server itself.
    audiences: tuple[str, ...] = ()
    issuer: str | None = None
    # A file or an address; None: the cluster's own.
    jwks: str | None = None
    # Who may call when keys verify the tokens.
    subjects: Mapping[str, Scope] = attrs.field(factory=dict[str, Scope])


def read_access(text: Callable[[str], str | None]) -> AccessSettings:
    """Read the settings; `text` returns the value of a variable, without its prefix.

    Raises:
        AccessSettingsError: one cannot be used.
    """
    mode = _mode(text("K8S_AUTH") or AuthMode.NONE)
    issuer, jwks = text("K8S_ISSUER"), text("K8S_JWKS")
    if mode is AuthMode.JWKS and issuer is None:
        raise AccessSettingsError(
            "AKMATORI_K8S_AUTH=jwks needs AKMATORI_K8S_ISSUER, the issuer of the tokens, such as"
            " https://kubernetes.default.svc.cluster.local."
        )
    if jwks is not None:
        _check_source(jwks)
    return AccessSettings(
        mode=mode,
        cluster=text("K8S_AUTH_CLUSTER"),
        audiences=tuple(_parts(text("K8S_AUDIENCE") or "")),
        issuer=issuer,
        jwks=jwks,
        subjects=_subjects(text("K8S_SUBJECTS") or ""),
    )


def is_address(source: str) -> bool:
    """Whether keys are fetched from an address, not read from a file."""
    return source.lower().startswith(("http://", "https://"))


def is_subject(text: str) -> bool:
    """Whether a text names a service account: `system:serviceaccount:namespace:name`."""
    parts = text.removeprefix(SUBJECT_PREFIX).split(":")
    return text.startswith(SUBJECT_PREFIX) and len(parts) == 2 and all(parts)


def _mode(text: str) -> AuthMode:
    try:
        return AuthMode(text.lower())
    except ValueError:
        known = ", ".join(mode.value for mode in AuthMode)
        raise AccessSettingsError(f"AKMATORI_K8S_AUTH must be one of {known}.") from None


def _check_source(source: str) -> None:
    if not is_address(source):
        if not Path(source).expanduser().is_file():
            raise AccessSettingsError(f"AKMATORI_K8S_JWKS: there is no file {source}.")
        return
    try:
        address = urlsplit(source)
        host = address.hostname or ""
        _ = address.port
    except ValueError:
        host = ""
    if not host:
        raise AccessSettingsError("AKMATORI_K8S_JWKS is no address.")
    # Whoever can change the keys on their way can make tokens.
    if source.lower().startswith("http://") and not _is_loopback(host):
        raise AccessSettingsError("AKMATORI_K8S_JWKS must begin with https://, but for this machine itself.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _subjects(text: str) -> Mapping[str, Scope]:
    found: dict[str, Scope] = {}
    for part in _parts(text):
        subject, equals, scope = part.partition("=")
        if not is_subject(subject):
            raise AccessSettingsError(
                "AKMATORI_K8S_SUBJECTS must list service accounts with their scopes, such as"
                f" system:serviceaccount:shop:ci=write; {subject[:100]} is none."
            )
        if equals and scope not in set(Scope):
            raise AccessSettingsError(
                f"AKMATORI_K8S_SUBJECTS: the scope of {subject} must be one of {', '.join(Scope)}."
            )
        found[subject] = Scope(scope) if equals else Scope.READ
    return found


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]

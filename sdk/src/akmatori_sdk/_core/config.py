"""Where the server is and who is asking: arguments, then the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

import attrs

from akmatori_sdk._core import log
from akmatori_sdk._core.auth import Anonymous, ApiKey, Credential, Login, Token, checked
from akmatori_sdk._core.errors import ConfigError

LOOPBACK = ("localhost", "127.0.0.1", "::1")


@attrs.frozen(kw_only=True)
class System:
    """One of the two APIs: its name, the prefixes of its environment variables, and its health check."""

    name: str
    # Looked up in this order; the later ones are fallbacks.
    prefixes: tuple[str, ...]
    health: str


AKMATORI = System(name="Akmatori", prefixes=("AKMATORI",), health="/health")
AOTANAMI = System(name="Aotanami", prefixes=("AOTANAMI", "AKMATORI"), health="/api/v1/health")


@attrs.frozen
class Config:
    """A server's address, without a trailing `/api`, and a credential."""

    base_url: str
    credential: Credential


def resolve(
    system: System,
    *,
    base_url: str | None,
    api_key: str | None,
    token: str | None,
    username: str | None,
    password: str | None,
    environ: Mapping[str, str] = os.environ,
) -> Config:
    """Settle the address and the credential.

    The first of these that is set decides; the credential is taken from one line as a whole, never mixed:

    1. the arguments `token`, `api_key`, or `username` with `password` (more than one kind is an error),
    2. `<SYSTEM>_TOKEN`,
    3. `<SYSTEM>_API_KEY`,
    4. `<SYSTEM>_USERNAME` with `<SYSTEM>_PASSWORD`,
    5. for Aotanami, 2 to 4 again with `AKMATORI_`,
    6. none: only public operations work.

    The address is `base_url`, else `<SYSTEM>_HOST`, for Aotanami else `AKMATORI_HOST`.

    Raises:
        ConfigError: no address, two kinds of credentials, half a login, or values that cannot be sent.
    """
    address, source = base_url, "base_url="
    for prefix in system.prefixes:
        if address is None:
            address, source = environ.get(f"{prefix}_HOST") or None, f"{prefix}_HOST"
    if address is None:
        raise ConfigError(f"no server given: pass base_url= or set {system.prefixes[0]}_HOST")
    url = normalise(address, source)
    credential = _credential(system, api_key, token, username, password, environ)
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK and not isinstance(credential, Anonymous):
        log.config.warning(
            "credentials for %s travel unencrypted: base_url begins with http://", parts.hostname
        )
    return Config(url, credential)


def normalise(address: str, source: str) -> str:
    """Return the address without a trailing slash, `/api` or `/api/v1`: operation paths begin at the root.

    Raises:
        ConfigError: it is not an http or https address, or holds credentials, a query or a fragment.
    """
    try:
        address = address.strip()
        if "://" not in address:
            bare = urlsplit(f"//{address}").hostname
            address = f"{'http' if bare in LOOPBACK else 'https'}://{address}"
        parts = urlsplit(address)
        # Reading the port checks it.
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, usable = urlsplit(""), False
    if not usable:
        raise ConfigError(f"{source} is not an address such as https://akmatori.example.com")
    if parts.username is not None or parts.password is not None:
        raise ConfigError(f"{source} holds credentials; pass them as username= and password= or token=")
    if parts.query or parts.fragment:
        raise ConfigError(f"{source} has a query or a fragment; give the host and at most a path")
    path = parts.path.rstrip("/")
    for suffix in ("/api/v1", "/api"):
        if path.endswith(suffix):
            path = path.removesuffix(suffix)
            break
    return f"{parts.scheme}://{parts.netloc}{path.rstrip('/')}"


def _credential(
    system: System,
    api_key: str | None,
    token: str | None,
    username: str | None,
    password: str | None,
    environ: Mapping[str, str],
) -> Credential:
    found = _from_environment(system, environ)
    chosen, source = _from_arguments(api_key, token, username, password), "arguments"
    if chosen is None and found:
        source, credential = found.pop(0)
        chosen = checked(credential, source)
    if chosen is None:
        return Anonymous()
    if found:
        ignored = ", ".join(name for name, _ in found)
        log.config.info("credentials come from %s; set but ignored: %s", source, ignored)
    return chosen


def _from_arguments(
    api_key: str | None, token: str | None, username: str | None, password: str | None
) -> Credential | None:
    kinds = [
        name
        for name, given in (
            ("token", token is not None),
            ("api_key", api_key is not None),
            ("username and password", username is not None or password is not None),
        )
        if given
    ]
    if len(kinds) > 1:
        raise ConfigError(f"give one credential, not {' and '.join(kinds)}")
    if token is not None:
        return checked(Token(token), "token=")
    if api_key is not None:
        return checked(ApiKey(api_key), "api_key=")
    if username is None and password is None:
        return None
    if username is None or password is None:
        raise ConfigError("username= and password= go together; one is missing")
    return checked(Login(username, password), "username= or password=")


def _from_environment(system: System, environ: Mapping[str, str]) -> list[tuple[str, Credential]]:
    found: list[tuple[str, Credential]] = []
    for prefix in system.prefixes:
        if token := environ.get(f"{prefix}_TOKEN"):
            found.append((f"{prefix}_TOKEN", Token(token)))
        if api_key := environ.get(f"{prefix}_API_KEY"):
            found.append((f"{prefix}_API_KEY", ApiKey(api_key)))
        username, password = environ.get(f"{prefix}_USERNAME"), environ.get(f"{prefix}_PASSWORD")
        if username and password:
            found.append((f"{prefix}_USERNAME", Login(username, password)))
    return found

"""What the definition of an MCP server must keep to: one sentence for each place where it does not."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from akmatori_server.complaints import refuse
from akmatori_server.mcp_servers.models import McpServer, Transport
from akmatori_server.tools.settings import is_web_address

BEARER_TOKEN = "bearer_token"  # noqa: S105  a method's name
BASIC_AUTH, API_KEY = "basic_auth", "api_key"
DEFAULT_KEY_HEADER = "X-API-Key"
# Of `auth_config`, which is encrypted and masked.
AUTH_SECRETS = ("token", "password", "headers.*")

# Each method and the members it needs.
_METHODS = {BEARER_TOKEN: ("token",), BASIC_AUTH: ("username", "password"), API_KEY: ("token",)}
_MEMBERS = frozenset({"method", "token", "username", "password", "header_name", "headers"})
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9][A-Za-z0-9_-]*)*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OF_THE_CONNECTION = frozenset(
    {"accept", "connection", "content-length", "content-type", "host", "transfer-encoding", "upgrade"}
)


def check_server(server: McpServer) -> None:
    """Check a server as a whole; its secrets may be masks.

    Raises:
        BadRequest: something in it is wrong; every place is in `details`.
    """
    complaints: dict[str, str] = {}
    if not server.name:
        complaints["name"] = "must not be blank."
    if not _PREFIX.fullmatch(server.namespace_prefix):
        complaints["namespace_prefix"] = "must be names joined by dots, of letters, digits, _ and - only."
    complaints |= dict(_reaching(server.transport, server.url, server.command))
    for variable in server.env_vars or {}:
        if not _VARIABLE.fullmatch(variable):
            complaints[f"env_vars.{variable[:64]}"] = "is not the name of an environment variable."
    if server.auth_config:
        if server.transport is Transport.STDIO:
            complaints["auth_config"] = (
                "a program that is started here gets its secrets from env_vars; send {} to remove this."
            )
        complaints |= {f"auth_config{place}": sentence for place, sentence in _auth(server.auth_config)}
    refuse(complaints)


def auth_headers(auth_config: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the headers that authenticate requests; the secrets are in clear."""
    config = auth_config or {}
    headers = {str(name): str(value) for name, value in config.get("headers", {}).items()}
    method = config.get("method")
    if method == BEARER_TOKEN:
        headers["Authorization"] = f"Bearer {config['token']}"
    elif method == BASIC_AUTH:
        login = f"{config['username']}:{config['password']}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
    elif method == API_KEY:
        headers[config.get("header_name") or DEFAULT_KEY_HEADER] = config["token"]
    return headers


def _reaching(transport: Transport, url: str, command: str) -> Iterator[tuple[str, str]]:
    if transport is Transport.STDIO:
        if not command:
            yield "command", "must be given with the transport stdio."
        elif not command.isprintable():
            yield "command", "must be a program's name or path; its arguments go to args."
        return
    if not url:
        yield "url", "must be given with the transport sse."
    # A query may tell which of several servers is meant.
    elif not is_web_address(urlsplit(url)._replace(query="").geturl() if _is_parsable(url) else ""):
        yield "url", "must be an http or https address, without user name, password or fragment."


def _is_parsable(url: str) -> bool:
    if any(letter.isspace() or not letter.isprintable() for letter in url):
        return False
    try:
        urlsplit(url)
    except ValueError:
        return False
    return True


def _auth(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for member in config:
        if member not in _MEMBERS:
            yield f".{member[:64]}", f"there is no such member; there are {', '.join(sorted(_MEMBERS))}."
    method = config.get("method")
    if method is None and "headers" not in config:
        yield ".method", f"must be given: {', '.join(_METHODS)}; or give headers."
    elif method is not None and method not in _METHODS:
        yield ".method", f"must be one of {', '.join(_METHODS)}."
    else:
        for member in _METHODS.get(method or "", ()):
            if not _is_header_text(config.get(member)):
                yield f".{member}", f"must be given with {method}, as printable ASCII."
    if "header_name" in config:
        yield from _header_name(".header_name", config["header_name"])
    headers = config.get("headers", {})
    if not isinstance(headers, dict):
        yield ".headers", "must be an object of texts."
        return
    for name, value in cast("dict[str, object]", headers).items():
        yield from _header_name(f".headers.{name[:64]}", name)
        if not _is_header_text(value):
            yield f".headers.{name[:64]}", "must be a text of printable ASCII."


def _header_name(place: str, name: object) -> Iterator[tuple[str, str]]:
    if not isinstance(name, str) or not _HEADER.fullmatch(name):
        yield place, "is not the name of a header."
    elif name.lower() in _OF_THE_CONNECTION:
        yield place, "belongs to the connection."


def _is_header_text(value: object) -> bool:
    return isinstance(value, str) and value != "" and value.isascii() and value.isprintable()

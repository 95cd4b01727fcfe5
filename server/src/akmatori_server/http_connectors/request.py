"""A call as an HTTP request, decided without sending anything."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import attrs

from akmatori_server.complaints import refuse
from akmatori_server.http_connectors.definition import (
    API_KEY,
    BASIC_AUTH,
    PASSWORD_FIELD,
    PLACEHOLDER,
    USERNAME_FIELD,
    ApiCall,
    CallParameter,
    Definition,
    Place,
)
from akmatori_server.http_connectors.rules import fits
from akmatori_server.http_connectors.settings_schema import DEFAULT_TIMEOUT_SECONDS, TIMEOUT, VERIFY_TLS
from akmatori_server.outgoing.policy import ALLOWED_NETWORKS, PUBLIC_ONLY, Policy


@attrs.frozen(kw_only=True)
class ApiRequest:
    """What is to be sent, and under which conditions. `secrets` are never shown, wherever they turn up."""

    method: str
    url: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    policy: Policy = PUBLIC_ONLY
    verify_tls: bool = True
    timeout_seconds: int = DEFAULT_TIMEOUT_SECONDS
    secrets: tuple[str, ...] = attrs.field(default=(), repr=False)


def build_request(
    definition: Definition,
    call: ApiCall,
    settings: Mapping[str, Any],
    arguments: Mapping[str, Any],
    *,
    installation: Policy = PUBLIC_ONLY,
) -> ApiRequest:
    """Put a call together.

    Args:
        definition: the connector.
        call: one of its calls.
        settings: of the tool, secrets in clear.
        arguments: values of the call's parameters.
        installation: where every tool may go; the settings may name more.

    Raises:
        BadRequest: an argument is missing, unknown or of another type, or the tool is not configured.
    """
    refuse(dict.fromkeys(_missing(definition, settings), "must be set in the tool's settings."))
    values = _values(call, arguments)
    try:
        policy = installation.with_settings(settings)
    except ValueError as error:
        refuse({ALLOWED_NETWORKS: str(error)})
        raise
    headers = {"Accept": "application/json, */*;q=0.5"}
    headers |= {p.name: _text(values[p.name]) for p in _given(call, Place.HEADER, values)}
    body = {p.name: values[p.name] for p in _given(call, Place.BODY, values)}
    auth_headers, secrets = _authentication(definition, settings)
    return ApiRequest(
        method=call.method,
        url=_url(str(settings[definition.base_url_field]), call, values),
        # Last, so that no parameter takes its place.
        headers={**headers, **auth_headers},
        body=body if body or call.method in {"POST", "PUT"} else None,
        policy=policy,
        verify_tls=settings.get(VERIFY_TLS) is not False,
        timeout_seconds=int(settings.get(TIMEOUT, DEFAULT_TIMEOUT_SECONDS)),
        secrets=secrets,
    )


def _missing(definition: Definition, settings: Mapping[str, Any]) -> list[str]:
    auth = definition.auth
    needed = [definition.base_url_field]
    if auth is not None:
        needed += [USERNAME_FIELD, PASSWORD_FIELD] if auth.method == BASIC_AUTH else [auth.token_field]
    return [name for name in needed if not isinstance(settings.get(name), str) or not settings[name]]


def _values(call: ApiCall, arguments: Mapping[str, Any]) -> dict[str, Any]:
    parameters = {parameter.name: parameter for parameter in call.params}
    complaints = {
        f"arguments.{name[:128]}": "the call has no such parameter."
        for name in arguments
        if name not in parameters
    }
    values: dict[str, Any] = {}
    for name, parameter in parameters.items():
        # null is a parameter that was left out.
        value = arguments.get(name)
        if value is None:
            value = parameter.default
        if value is None:
            if parameter.required:
                complaints[f"arguments.{name}"] = "must be given."
        elif not fits(parameter.type, value):
            complaints[f"arguments.{name}"] = f"must be of the type {parameter.type}."
        elif (complaint := _complaint(parameter, value)) is not None:
            complaints[f"arguments.{name}"] = complaint
        else:
            values[name] = value
    refuse(complaints)
    return values


def _complaint(parameter: CallParameter, value: object) -> str | None:
    text = _text(value)
    if parameter.place is Place.PATH and text in {"", ".", ".."}:
        # They would make another path of it.
        return "must not be empty, . or .. in a path."
    if parameter.place is Place.HEADER and not (text.isascii() and text.isprintable()):
        return "must be printable ASCII in a header."
    return None


def _given(call: ApiCall, place: Place, values: Mapping[str, Any]) -> list[CallParameter]:
    return [parameter for parameter in call.params if parameter.place is place and parameter.name in values]


def _url(base: str, call: ApiCall, values: Mapping[str, Any]) -> str:
    parts = urlsplit(base)
    path = PLACEHOLDER.sub(lambda match: quote(_text(values[match[1]]), safe=""), call.path)
    query = urlencode(
        [(parameter.name, _text(values[parameter.name])) for parameter in _given(call, Place.QUERY, values)]
    )
    return urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + path, query, ""))


def _authentication(
    definition: Definition, settings: Mapping[str, Any]
) -> tuple[dict[str, str], tuple[str, ...]]:
    auth = definition.auth
    if auth is None:
        return {}, ()
    if auth.method == BASIC_AUTH:
        password = str(settings[PASSWORD_FIELD])
        encoded = base64.b64encode(f"{settings[USERNAME_FIELD]}:{password}".encode()).decode()
        return {"Authorization": f"Basic {encoded}"}, (password, encoded)
    token = str(settings[auth.token_field]).strip()
    if not (token.isascii() and token.isprintable()):
        refuse({auth.token_field: "has characters that no header can carry."})
    if auth.method == API_KEY:
        return {auth.header_name: token}, (token,)
    return {"Authorization": f"Bearer {token}"}, (token,)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)

"""A function's request put together from its form, decided without sending anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast
from urllib.parse import quote, urlencode

import orjson

from akmatori_server.incidents.storable import JSON
from akmatori_server.kits.http_api.credentials import Credentials
from akmatori_server.kits.http_api.form import HttpForm, Request
from akmatori_server.kits.http_api.functions import BODIES, FILTERS, GUARDS
from akmatori_server.kits.http_api.paths import filled_path, harmless_path
from akmatori_server.kits.http_api.template import ABSENT, Scope, filled
from akmatori_server.outgoing.models import OutgoingRequest
from akmatori_server.toolbox.models import ToolFailedError

_USUAL_HEADERS = {"Accept": "application/json, */*;q=0.5", "User-Agent": "akmatori"}


def built(form: HttpForm, request: Request, scope: Scope, credentials: Credentials) -> OutgoingRequest | None:
    """Put a request together.

    Returns:
        The request; None where there is nothing to ask.

    Raises:
        ToolFailedError: an argument or a setting does not do.
    """
    method = str(_filled(request.method, scope))
    form_members = _object(_filled(request.form, scope))
    query = [member for template in request.query for member in _members(_object(_filled(template, scope)))]
    if method == "GET":
        # A form is a query there.
        query += _members(form_members)
    value = BODIES[request.body](scope) if request.body else _filled(request.json, scope)
    if request.body and value is None:
        return None
    body, media_type = _body(method, value, form_members, credentials)
    headers = {name: str(text) for name, text in _object(_filled(dict(request.headers), scope)).items()}
    return OutgoingRequest(
        method=method,
        url=base_address(form, request, scope)
        + _path(request, scope)
        + (f"?{_encoded(query)}" if query else ""),
        headers={**_USUAL_HEADERS, **form.headers, **_checked(headers), **credentials.headers, **media_type},
        body=body,
        timeout_seconds=float(scope.settings[form.timeout]),
        most_bytes=request.most_bytes,
        secrets=(*credentials.secrets, *(str(scope.arguments.get(name) or "") for name in request.secrets)),
    )


def shown_path(request: Request, scope: Scope) -> str:
    """Return the path as it will be sent."""
    return _path(request, scope)


def base_address(form: HttpForm, request: Request, scope: Scope) -> str:
    """Return the address that the path is appended to.

    Raises:
        ToolFailedError: the tool's settings name none.
    """
    name = request.base_url or form.base_url
    base = str(scope.settings.get(name) or "").strip().rstrip("/")
    if not base:
        raise ToolFailedError(f"{name} is not set in the tool's settings.")
    return base if request.base_url or base.endswith(form.suffix) else base + form.suffix


def _path(request: Request, scope: Scope) -> str:
    if request.raw_path is None:
        return filled_path(request.path, {**scope.settings, **scope.arguments})
    path, steps = harmless_path(str(scope.arguments[request.raw_path.argument]), under=request.raw_path.under)
    if request.raw_path.guard:
        GUARDS[request.raw_path.guard](steps)
    return path


def _filled(template: JSON, scope: Scope) -> JSON:
    value = filled(template, scope, FILTERS)
    return None if value is ABSENT else cast("JSON", value)


def _object(value: JSON) -> dict[str, JSON]:
    return value if isinstance(value, dict) else {}


def _members(values: Mapping[str, JSON]) -> list[tuple[str, str]]:
    return [(name, text) for name, value in values.items() for text in _texts(name, value)]


def _texts(name: str, value: JSON) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _texts(name, one)
    elif isinstance(value, dict):
        raise ToolFailedError(f"{name[:60]} must be a text, a number, true or false, or a list of these.")
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif value is not None:
        yield str(value)


def _encoded(members: list[tuple[str, str]]) -> str:
    return urlencode(members, quote_via=quote)


def _body(
    method: str, value: JSON, form_members: Mapping[str, JSON], credentials: Credentials
) -> tuple[bytes | None, dict[str, str]]:
    if value is not None:
        return orjson.dumps(credentials.in_body(value)), {"Content-Type": "application/json"}
    if form_members and method != "GET":
        return _encoded(_members(form_members)).encode(), {
            "Content-Type": "application/x-www-form-urlencoded"
        }
    return None, {}


def _checked(headers: Mapping[str, str]) -> Mapping[str, str]:
    for name, value in headers.items():
        if not (value.isascii() and value.isprintable()):
            raise ToolFailedError(f"The value for {name} has characters that no header can carry.")
    return headers

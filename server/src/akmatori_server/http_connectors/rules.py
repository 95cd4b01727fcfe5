"""What a connector's definition must keep to: one sentence for each place where it does not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from akmatori_server.complaints import refuse
from akmatori_server.http_connectors.definition import (
    API_KEY,
    BASIC_AUTH,
    PASSWORD_FIELD,
    USERNAME_FIELD,
    ApiCall,
    Auth,
    CallParameter,
    Definition,
    Place,
)
from akmatori_server.http_connectors.settings_schema import OWN_SETTINGS
from akmatori_server.tools.settings import KEYS

# A dot would make it look like a function of another type.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# The connection's own, or a way to smuggle a second request or another identity.
_FORBIDDEN_HEADERS = frozenset(
    {
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "cookie",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_WITH_BODY = frozenset({"POST", "PUT"})
_NAME_RULE = "must begin with a letter, and have letters, digits, _ and - only."


def check_definition(definition: Definition) -> None:
    """Check a definition.

    Raises:
        BadRequest: it contradicts itself; every place is in `details`.
    """
    complaints: dict[str, str] = {}
    for place, sentence in _complaints(definition):
        complaints.setdefault(place, sentence)
    refuse(complaints)


def fits(parameter_type: str, value: object) -> bool:
    """Whether a value is of a parameter's type."""
    if parameter_type == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if parameter_type == "integer":
        return isinstance(value, int)
    if parameter_type == "number":
        return isinstance(value, (int, float))
    return isinstance(value, str)


def _complaints(definition: Definition) -> Iterator[tuple[str, str]]:
    if not _NAME.fullmatch(definition.tool_type_name):
        yield "tool_type_name", _NAME_RULE
    yield from _field_complaints("base_url_field", definition.base_url_field)
    if definition.auth is not None:
        yield from _auth_complaints(definition.auth, definition.base_url_field)
    for name, count in Counter(call.name for call in definition.calls).items():
        if count > 1:
            yield "tools.tools", f"{count} tools are called {name}; a name may be there once."
    for index, call in enumerate(definition.calls):
        for place, sentence in _call_complaints(call, definition.auth):
            yield f"tools.tools.{index}{place}", sentence


def _field_complaints(place: str, field: str) -> Iterator[tuple[str, str]]:
    if not _FIELD.fullmatch(field):
        yield place, "must be the name of a setting: letters, digits, _ and - only."
    elif field in {*OWN_SETTINGS, KEYS}:
        yield place, f"{field} is a setting that every connector's tools have; choose another name."


def _auth_complaints(auth: Auth, base_url_field: str) -> Iterator[tuple[str, str]]:
    if auth.method == BASIC_AUTH:
        if base_url_field in {USERNAME_FIELD, PASSWORD_FIELD}:
            yield "base_url_field", f"{base_url_field} holds a part of the login with basic_auth."
        return
    yield from _field_complaints("auth_config.token_field", auth.token_field)
    if auth.token_field == base_url_field:
        yield "auth_config.token_field", "must not be the setting that holds the base URL."
    if auth.method == API_KEY:
        if not _HEADER.fullmatch(auth.header_name):
            yield "auth_config.header_name", "is not the name of a header."
        elif auth.header_name.lower() in _FORBIDDEN_HEADERS - {"authorization"}:
            yield "auth_config.header_name", f"{auth.header_name} belongs to the connection."


def _call_complaints(call: ApiCall, auth: Auth | None) -> Iterator[tuple[str, str]]:
    if not _NAME.fullmatch(call.name):
        yield ".name", _NAME_RULE
    if call.read_only is True and call.method != "GET":
        yield ".read_only", f"only a GET call can be read-only; a {call.method} call needs false here."
    yield from _path_complaints(call)
    for name, count in Counter(parameter.name for parameter in call.params).items():
        if count > 1:
            yield ".params", f"{count} parameters are called {name}; a name may be there once."
    for index, parameter in enumerate(call.params):
        for place, sentence in _parameter_complaints(parameter, call, auth):
            yield f".params.{index}{place}", sentence


def _path_complaints(call: ApiCall) -> Iterator[tuple[str, str]]:
    declared = [parameter.name for parameter in call.params if parameter.place is Place.PATH]
    for name in dict.fromkeys(call.placeholders):
        if name not in declared:
            yield ".path", f"{{{{{name}}}}} is not declared; add a parameter of this name with in: path."
    for name in declared:
        if name not in call.placeholders:
            yield ".path", f"the parameter {name} has no place in it; write {{{{{name}}}}}."
    fixed = call.path
    for name in call.placeholders:
        fixed = re.sub(r"\{\{\s*" + re.escape(name) + r"\s*\}\}", "x", fixed)
    if "{" in fixed or "}" in fixed:
        yield ".path", "its braces do not match; a parameter's name stands in two on each side."
    if not fixed.startswith("/") or "//" in fixed:
        yield ".path", "must begin with one / and not have two in a row."
    if any(part in {".", ".."} for part in fixed.split("/")) or "\\" in fixed:
        yield ".path", "must not have the steps . and .. in it."
    if any(letter in "?#%" or letter.isspace() or not letter.isprintable() for letter in fixed):
        yield (
            ".path",
            "must not have a query, a fragment, blanks or escapes; parameters with in: query make the query.",
        )


def _parameter_complaints(
    parameter: CallParameter, call: ApiCall, auth: Auth | None
) -> Iterator[tuple[str, str]]:
    if parameter.place is Place.BODY and call.method not in _WITH_BODY:
        yield ".in", f"a {call.method} call has no body."
    if parameter.place is Place.HEADER:
        taken = auth.header_name.lower() if auth is not None and auth.method == API_KEY else ""
        if not _HEADER.fullmatch(parameter.name):
            yield ".name", "is not the name of a header."
        elif parameter.name.lower() in _FORBIDDEN_HEADERS | {taken}:
            yield ".name", f"{parameter.name} is a header that the agent may not set."
    if parameter.has_default and not fits(parameter.type, parameter.default):
        yield ".default", f"must be of the type {parameter.type}."

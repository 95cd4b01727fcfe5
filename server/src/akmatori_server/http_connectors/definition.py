"""What a connector declares: how its API is reached, and the calls it offers."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Any

import attrs

BEARER_TOKEN = "bearer_token"  # noqa: S105  a method's name
BASIC_AUTH = "basic_auth"
API_KEY = "api_key"
DEFAULT_TOKEN_FIELD = "token"  # noqa: S105  a setting's name
DEFAULT_KEY_HEADER = "X-API-Key"
USERNAME_FIELD, PASSWORD_FIELD = "username", "password"

PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")


class Place(enum.StrEnum):
    """Where a parameter's value goes."""

    PATH = "path"
    QUERY = "query"
    BODY = "body"
    HEADER = "header"


@attrs.frozen(kw_only=True)
class CallParameter:
    """One parameter of a call. `has_default` tells a default of null from none."""

    name: str
    place: Place
    type: str = "string"
    required: bool = False
    default: Any = None
    has_default: bool = False


@attrs.frozen(kw_only=True)
class ApiCall:
    """One call of the API."""

    name: str
    method: str
    path: str
    description: str = ""
    params: tuple[CallParameter, ...] = ()
    # As it was written; None where it was left out.
    read_only: bool | None = None

    @property
    def is_read_only(self) -> bool:
        """Whether the call is offered as one that changes nothing."""
        return self.method == "GET" and self.read_only is not False

    @property
    def placeholders(self) -> list[str]:
        """The names in double braces in the path."""
        return PLACEHOLDER.findall(self.path)


@attrs.frozen(kw_only=True)
class Auth:
    """How calls authenticate: it names settings of the tool, and holds no secret."""

    method: str
    token_field: str = DEFAULT_TOKEN_FIELD
    header_name: str = DEFAULT_KEY_HEADER

    @property
    def secret_fields(self) -> tuple[str, ...]:
        """The settings that are secrets."""
        return (PASSWORD_FIELD,) if self.method == BASIC_AUTH else (self.token_field,)


@attrs.frozen(kw_only=True)
class Definition:
    """A whole connector, as a caller declares it. `auth` is None where calls do not authenticate."""

    tool_type_name: str
    description: str
    base_url_field: str
    auth: Auth | None
    calls: tuple[ApiCall, ...]


def parsed_definition(
    *,
    tool_type_name: str,
    description: str,
    base_url_field: str,
    auth_config: Mapping[str, Any] | None,
    tools: Mapping[str, Any],
) -> Definition:
    """Read what the contract's schema has let through."""
    return Definition(
        tool_type_name=tool_type_name.strip(),
        description=description,
        base_url_field=base_url_field.strip(),
        auth=_auth(auth_config),
        calls=tuple(_call(one) for one in tools["tools"]),
    )


def _auth(config: Mapping[str, Any] | None) -> Auth | None:
    if not config or not config.get("method"):
        return None
    return Auth(
        method=config["method"],
        token_field=config.get("token_field") or DEFAULT_TOKEN_FIELD,
        header_name=config.get("header_name") or DEFAULT_KEY_HEADER,
    )


def _call(document: Mapping[str, Any]) -> ApiCall:
    return ApiCall(
        name=document["name"],
        method=document["http_method"],
        path=document["path"],
        description=document.get("description") or "",
        params=tuple(_parameter(one) for one in document.get("params") or ()),
        read_only=document.get("read_only"),
    )


def _parameter(document: Mapping[str, Any]) -> CallParameter:
    place = Place(document["in"])
    return CallParameter(
        name=document["name"],
        place=place,
        type=document.get("type") or "string",
        # Without its value there is no path.
        required=document.get("required") is True or (place is Place.PATH and "default" not in document),
        default=document.get("default"),
        has_default="default" in document,
    )

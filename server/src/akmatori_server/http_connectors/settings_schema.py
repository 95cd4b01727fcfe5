"""The tool type that a connector is: the settings its tools take, and the functions they offer."""

from __future__ import annotations

from typing import Any

from akmatori_server.http_connectors.definition import (
    BASIC_AUTH,
    PASSWORD_FIELD,
    USERNAME_FIELD,
    ApiCall,
    Definition,
)
from akmatori_server.outgoing.policy import ALLOW_PRIVATE, ALLOWED_NETWORKS
from akmatori_server.tools.definition import SECRET, ToolFunction, TypeDefinition

VERIFY_TLS, TIMEOUT, ALLOW_WRITES = "verify_ssl", "timeout", "allow_writes"
DEFAULT_TIMEOUT_SECONDS = 30
OWN_SETTINGS: dict[str, dict[str, Any]] = {
    ALLOW_PRIVATE: {
        "type": "boolean",
        "default": False,
        "description": "Whether the API may be on this host or in a private network.",
        "x-warning": "Whoever may set the address can then reach into that network.",
        "x-advanced": True,
    },
    ALLOW_WRITES: {
        "type": "boolean",
        "default": False,
        "description": "Whether calls may be made that change something; every time a person must approve.",
        "x-warning": "The token needs the permission for it.",
        "x-advanced": True,
    },
    ALLOWED_NETWORKS: {
        "type": "array",
        "maxItems": 100,
        "items": {"type": "string", "maxLength": 64, "format": "network"},
        "description": "Private networks that the API may be in, such as 10.20.0.0/16.",
        "x-advanced": True,
    },
    VERIFY_TLS: {
        "type": "boolean",
        "default": True,
        "description": "Whether the server's certificate is checked.",
        "x-advanced": True,
    },
    TIMEOUT: {
        "type": "integer",
        "minimum": 1,
        "maximum": 300,
        "default": DEFAULT_TIMEOUT_SECONDS,
        "description": "Seconds a call may take.",
        "x-advanced": True,
    },
}
VERSION = "1.0.0"


def type_of(definition: Definition) -> TypeDefinition:
    """Return the tool type."""
    return TypeDefinition(
        name=definition.tool_type_name,
        description=definition.description or f"Calls of the API {definition.tool_type_name}.",
        version=VERSION,
        settings=_settings(definition),
        functions=tuple(_function(call) for call in definition.calls),
    )


def arguments_schema(call: ApiCall) -> dict[str, Any]:
    """Return the JSON Schema of a call's arguments."""
    properties: dict[str, Any] = {}
    for parameter in call.params:
        properties[parameter.name] = {"type": parameter.type}
        if parameter.has_default:
            properties[parameter.name]["default"] = parameter.default
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": [
            parameter.name for parameter in call.params if parameter.required and not parameter.has_default
        ],
    }


def _settings(definition: Definition) -> dict[str, Any]:
    base_url = {
        "type": "string",
        "maxLength": 2048,
        "format": "web-address",
        "description": "Base address of the API.",
    }
    login = _login(definition)
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [definition.base_url_field, *login],
        "properties": {definition.base_url_field: base_url, **login, **OWN_SETTINGS},
    }


def _login(definition: Definition) -> dict[str, Any]:
    auth = definition.auth
    if auth is None:
        return {}
    if auth.method == BASIC_AUTH:
        name = {"type": "string", "minLength": 1, "maxLength": 255, "description": "User name."}
        return {USERNAME_FIELD: name, PASSWORD_FIELD: _secret("Password.")}
    return {auth.token_field: _secret("Token or key of the API.")}


def _secret(description: str) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": 16384, SECRET: True, "description": description}


def _function(call: ApiCall) -> ToolFunction:
    return ToolFunction(
        name=call.name,
        description=call.description or f"{call.method} {call.path}",
        read_only=call.is_read_only,
        parameters=arguments_schema(call),
    )

"""The JSON Schema of the declarative form."""

from __future__ import annotations

from typing import Any

_NAME: dict[str, Any] = {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"}
_AUTH: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["scheme"],
    "properties": {
        "scheme": {"enum": ["none", "header", "basic", "login"]},
        "header": {"type": "string", "pattern": "^[A-Za-z-]+$"},
        "prefix": {"type": "string"},
        "username": _NAME,
        "secret": _NAME,
        "login": _NAME,
    },
}
_REQUEST: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "method": {"enum": ["GET", "POST", "PUT", "PATCH", "DELETE", "$method"]},
        "path": {"type": "string", "pattern": "^/[^?#% ]*$"},
        "raw_path": {
            "type": "object",
            "additionalProperties": False,
            "required": ["argument"],
            "properties": {
                "argument": _NAME,
                "under": {"type": "string", "pattern": "^/"},
                "guard": _NAME,
            },
        },
        "query": {"type": ["object", "array", "string"], "items": {"type": ["object", "string"]}},
        "form": {"type": ["object", "string"]},
        "json": {"type": ["object", "string"]},
        "body": _NAME,
        "headers": {"type": "object", "additionalProperties": {"type": "string"}},
        "base_url": _NAME,
        "cache_seconds": {"type": "integer", "minimum": 1, "maximum": 3600},
        "most_bytes": {"type": "integer", "minimum": 1, "maximum": 50 * 1024 * 1024},
        "content": {"enum": ["json", "text", "any"]},
        "pick": {"type": "string", "minLength": 1},
        "check": _NAME,
        "answer": _NAME,
        "access": _NAME,
        "secrets": {"type": "array", "items": _NAME},
        "otherwise": {
            "type": "object",
            "additionalProperties": False,
            "required": ["statuses", "request"],
            "properties": {
                "statuses": {"type": "array", "minItems": 1, "items": {"type": "integer"}},
                "request": {"$ref": "#/$defs/request"},
            },
        },
        "then": {"$ref": "#/$defs/request"},
    },
    # Two bodies are none.
    "allOf": [
        {"not": {"required": pair}}
        for pair in (["form", "json"], ["form", "body"], ["json", "body"], ["path", "raw_path"])
    ],
}
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$defs": {"request": _REQUEST},
    "type": "object",
    "additionalProperties": False,
    "required": ["http", "trial", "requests"],
    "properties": {
        "trial": {
            "type": "object",
            "additionalProperties": False,
            "required": ["service", "function", "expects"],
            "properties": {
                "service": {"type": "string", "minLength": 1},
                "function": _NAME,
                "expects": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["is"],
                    "properties": {
                        "at": {"type": "string", "minLength": 1},
                        "is": {"enum": ["text", "list", "structure"]},
                    },
                },
                "arguments": {"type": "object"},
                "version": {"type": "string", "minLength": 1},
            },
        },
        "http": {
            "type": "object",
            "additionalProperties": False,
            "required": ["base_url", "verify_tls", "timeout", "auth"],
            "properties": {
                "base_url": _NAME,
                "suffix": {"type": "string", "pattern": "^/"},
                "verify_tls": _NAME,
                "timeout": _NAME,
                "ca_pem": _NAME,
                "allow_writes": _NAME,
                "proxy": _NAME,
                "headers": {"type": "object", "additionalProperties": {"type": "string"}},
                "auth": {
                    "anyOf": [
                        _AUTH,
                        {
                            "type": "object",
                            "additionalProperties": False,
                            "required": ["by", "ways"],
                            "properties": {
                                "by": _NAME,
                                "ways": {"type": "object", "additionalProperties": _AUTH},
                            },
                        },
                    ]
                },
            },
        },
        "requests": {
            "type": "object",
            "additionalProperties": {
                "anyOf": [
                    {"$ref": "#/$defs/request"},
                    {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["by", "versions"],
                        "properties": {
                            "by": _NAME,
                            "versions": {
                                "type": "object",
                                "additionalProperties": {"$ref": "#/$defs/request"},
                            },
                        },
                    },
                ]
            },
        },
    },
}

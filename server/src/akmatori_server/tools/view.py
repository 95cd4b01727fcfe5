"""Tools as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from akmatori_sdk._core.model import UNSET
from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.tools.builtin import SSH
from akmatori_server.tools.definition import form_schema
from akmatori_server.tools.models import SshKey, Tool, ToolType
from akmatori_server.tools.settings import KEYS


def type_model(tool_type: ToolType) -> models.ToolType:
    """Return the type as the API shows it."""
    return models.ToolType(
        id=tool_type.id,
        name=tool_type.name,
        description=tool_type.description,
        schema=None if tool_type.schema is None else dict(tool_type.schema),
        created_at=tool_type.created_at,
        updated_at=tool_type.updated_at,
    )


def key_model(key: SshKey) -> models.SshKey:
    """Return the key as the API shows it: without the key itself."""
    return models.SshKey(
        id=key.id,
        name=key.name,
        is_default=key.is_default,
        created_at=key.created_at,
        algorithm=key.algorithm,
        fingerprint=key.fingerprint,
    )


def tool_model(tool: Tool, masked: Mapping[str, Any] | None) -> models.Tool:
    """Return the tool as the API shows it; `masked` are its settings with masks in place of secrets."""
    settings = None if masked is None else dict(masked)
    if tool.keys or (tool.type.name == SSH and settings is not None):
        settings = {**(settings or {}), KEYS: [_key_in_settings(key) for key in tool.keys]}
    return models.Tool(
        id=tool.id,
        tool_type_id=tool.type.id,
        name=tool.name,
        logical_name=tool.logical_name,
        settings=settings,
        enabled=tool.enabled,
        created_at=tool.created_at,
        updated_at=tool.updated_at,
        tool_type=type_model(tool.type),
    )


def audit_view(tool: models.Tool) -> dict[str, Any]:
    """Return the tool as JSON for the audit trail: what a type is need not be told each time."""
    return {**codec.encode_tool(tool), "tool_type": tool.tool_type.name}


def catalogue_entry(tool_type: ToolType) -> models.CatalogueEntry:
    """Return what the catalogue publishes about a type."""
    return models.CatalogueEntry(
        name=tool_type.name,
        description=tool_type.description,
        version=tool_type.version,
        settings_schema=form_schema(tool_type.schema or {"type": "object", "properties": {}}),
        functions=[
            models.CatalogueFunction(
                name=function.name,
                description=function.description,
                read_only=function.read_only,
                input_schema=dict(function.parameters),
                parameters=function.signature or UNSET,
                returns=function.returns or UNSET,
            )
            for function in tool_type.functions
        ],
    )


def _key_in_settings(key: SshKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "is_default": key.is_default,
        "created_at": key.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }

"""Tools as values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from akmatori_server.tools.definition import Schema, ToolFunction


@attrs.frozen(kw_only=True)
class ToolType:
    """A stored kind of tool. One that a connector made is `enabled` while the connector is."""

    id: int
    name: str
    description: str
    version: str
    schema: Schema | None
    functions: tuple[ToolFunction, ...] = attrs.field(repr=False)
    enabled: bool
    created_at: datetime
    updated_at: datetime


@attrs.frozen(kw_only=True)
class SshKey:
    """A stored private key of a tool. `sealed_key` is the encrypted key."""

    id: str
    tool_id: int
    name: str
    sealed_key: str = attrs.field(repr=False)
    algorithm: str
    fingerprint: str
    is_default: bool
    created_at: datetime


@attrs.frozen(kw_only=True)
class Tool:
    """A stored tool with its type and keys. The secrets in `settings` are encrypted."""

    id: int
    type: ToolType
    name: str
    logical_name: str
    settings: Mapping[str, Any] | None = attrs.field(repr=False)
    enabled: bool
    created_at: datetime
    updated_at: datetime
    keys: tuple[SshKey, ...] = ()


@attrs.frozen(kw_only=True)
class NewTool:
    """What a caller gives to create a tool."""

    tool_type_id: int
    name: str
    logical_name: str = ""
    settings: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    enabled: bool = True


@attrs.frozen(kw_only=True)
class ToolChanges:
    """What a caller changes; None keeps what is stored, and an empty logical name is made from the name."""

    name: str | None = None
    logical_name: str | None = None
    settings: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    enabled: bool | None = None


@attrs.frozen(kw_only=True)
class NewSshKey:
    """What a caller gives to add a key. `id` is None except where a whole tool is brought along."""

    name: str
    private_key: str = attrs.field(repr=False)
    is_default: bool = False
    id: str | None = None


@attrs.frozen(kw_only=True)
class SshKeyChanges:
    """What a caller changes in a key; None keeps, and no key can be made not the default."""

    name: str | None = None
    make_default: bool = False


@attrs.frozen(kw_only=True)
class OpenTool:
    """A tool with everything in clear, for what works with it. Never shown, never logged."""

    tool: Tool
    settings: Mapping[str, Any] = attrs.field(repr=False)
    # Identifier of a key to its text.
    private_keys: Mapping[str, str] = attrs.field(repr=False)
    # Every text above that must never be shown.
    secrets: frozenset[str] = attrs.field(default=frozenset(), repr=False)

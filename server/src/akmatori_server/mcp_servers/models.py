"""MCP servers as values."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs


class Transport(enum.StrEnum):
    """How a server is reached: over HTTP, or as a process that is started."""

    SSE = "sse"
    STDIO = "stdio"


@attrs.frozen(kw_only=True)
class McpServer:
    """A stored server. The values of `env_vars` and the secrets of `auth_config` are encrypted."""

    id: int
    name: str
    transport: Transport = attrs.field(converter=Transport)
    url: str
    command: str
    args: Mapping[str, Any] | None
    env_vars: Mapping[str, Any] | None = attrs.field(repr=False)
    namespace_prefix: str
    auth_config: Mapping[str, Any] | None = attrs.field(repr=False)
    enabled: bool
    created_at: datetime
    updated_at: datetime


@attrs.frozen(kw_only=True)
class McpServerMembers:
    """What a caller gives; None is left out. A new server needs name, transport and prefix."""

    name: str | None = None
    transport: Transport | None = None
    url: str | None = None
    command: str | None = None
    args: Mapping[str, Any] | None = None
    env_vars: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    namespace_prefix: str | None = None
    auth_config: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    enabled: bool | None = None


@attrs.frozen(kw_only=True)
class Endpoint:
    """A server with everything in clear, ready to be reached. Never shown, never logged."""

    prefix: str
    transport: Transport
    url: str = ""
    command: str = ""
    args: tuple[str, ...] = ()
    environment: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    secrets: tuple[str, ...] = attrs.field(default=(), repr=False)

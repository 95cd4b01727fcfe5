"""HTTP connectors as values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from akmatori_server.http_connectors.definition import Definition, parsed_definition


@attrs.frozen(kw_only=True)
class HttpConnector:
    """A stored connector. `auth_config` and `tools` are as they were written."""

    id: int
    tool_type_name: str
    description: str
    base_url_field: str
    auth_config: Mapping[str, Any] | None
    tools: Mapping[str, Any]
    enabled: bool
    created_at: datetime
    updated_at: datetime

    @property
    def definition(self) -> Definition:
        """What it declares."""
        return parsed_definition(
            tool_type_name=self.tool_type_name,
            description=self.description,
            base_url_field=self.base_url_field,
            auth_config=self.auth_config,
            tools=self.tools,
        )


@attrs.frozen(kw_only=True)
class NewHttpConnector:
    """What a caller gives to create a connector."""

    tool_type_name: str
    base_url_field: str
    tools: Mapping[str, Any]
    description: str = ""
    auth_config: Mapping[str, Any] | None = None


@attrs.frozen(kw_only=True)
class HttpConnectorChanges:
    """What a caller changes; None keeps what is stored."""

    tool_type_name: str | None = None
    description: str | None = None
    base_url_field: str | None = None
    auth_config: Mapping[str, Any] | None = None
    tools: Mapping[str, Any] | None = None
    enabled: bool | None = None

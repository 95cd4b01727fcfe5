"""HTTP connectors as the API shows them."""

from __future__ import annotations

from akmatori_sdk._generated.akmatori import codec, models
from akmatori_server.http_connectors.models import HttpConnector


def connector_model(connector: HttpConnector) -> models.HttpConnector:
    """Return the connector as the API shows it: with its definition as it was written."""
    return codec.decode_http_connector(
        {
            "id": connector.id,
            "tool_type_name": connector.tool_type_name,
            "description": connector.description,
            "base_url_field": connector.base_url_field,
            "auth_config": connector.auth_config,
            "tools": connector.tools,
            "enabled": connector.enabled,
            "created_at": connector.created_at.isoformat(),
            "updated_at": connector.updated_at.isoformat(),
        }
    )

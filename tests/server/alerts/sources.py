"""Alert sources as values, without a database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from akmatori_server.alert_sources.models import AlertSource, AlertSourceType
from akmatori_server.alert_sources.types import SOURCE_TYPES

NOW = datetime(2026, 5, 15, 10, 0, tzinfo=UTC)
UUID = "6f1c2a52-9f5a-4b8e-9a7e-0a4a2f8f1c11"


def source_of(
    type_name: str,
    *,
    settings: dict[str, Any] | None = None,
    field_mappings: dict[str, Any] | None = None,
    uuid: str = UUID,
) -> AlertSource:
    """A source of one of the seeded types."""
    published = next(one for one in SOURCE_TYPES if one.name == type_name)
    source_type = AlertSourceType(
        id=1,
        name=published.name,
        display_name=published.display_name,
        description=published.description,
        default_field_mappings=published.default_field_mappings,
        webhook_secret_header=published.webhook_secret_header,
        created_at=NOW,
        updated_at=NOW,
    )
    return AlertSource(
        id=1,
        uuid=uuid,
        type=source_type,
        name="the-source",
        description="",
        sealed_secret=None,
        field_mappings=field_mappings,
        settings=settings,
        enabled=True,
        created_at=NOW,
        updated_at=NOW,
    )

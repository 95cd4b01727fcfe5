"""Alert sources as values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class AlertSourceType:
    """A stored kind of source."""

    id: int
    name: str
    display_name: str
    description: str
    default_field_mappings: Mapping[str, str]
    webhook_secret_header: str
    created_at: datetime
    updated_at: datetime


@attrs.frozen(kw_only=True)
class AlertSource:
    """A stored source with its kind. `sealed_secret` is the encrypted secret, None when it has none."""

    id: int
    uuid: str
    type: AlertSourceType
    name: str
    description: str
    sealed_secret: str | None = attrs.field(repr=False)
    field_mappings: Mapping[str, Any] | None
    settings: Mapping[str, Any] | None = attrs.field(repr=False)
    enabled: bool
    created_at: datetime
    updated_at: datetime

    @property
    def effective_mappings(self) -> dict[str, str]:
        """The kind's paths overlaid by the source's own; what is no text, or empty, changes nothing."""
        own = {
            key: path for key, path in (self.field_mappings or {}).items() if isinstance(path, str) and path
        }
        return {**self.type.default_field_mappings, **own}


@attrs.frozen(kw_only=True)
class NewAlertSource:
    """What a caller gives to create a source."""

    source_type_name: str
    name: str
    description: str = ""
    webhook_secret: str = attrs.field(default="", repr=False)
    field_mappings: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    enabled: bool = True


@attrs.frozen(kw_only=True)
class AlertSourceChanges:
    """What a caller changes; None keeps what is stored."""

    name: str | None = None
    description: str | None = None
    webhook_secret: str | None = attrs.field(default=None, repr=False)
    field_mappings: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] | None = attrs.field(default=None, repr=False)
    enabled: bool | None = None

"""Alert sources as values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any

import attrs

from akmatori_server.alert_sources.mappings import own_paths
from akmatori_server.alert_sources.options import SourceOptions, read_options


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

    @cached_property
    def own_mappings(self) -> dict[str, str]:
        """The paths that an operator set for this source."""
        return own_paths(self.field_mappings)

    @cached_property
    def options(self) -> SourceOptions:
        """The settings that this server acts on."""
        return read_options(self.settings)


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

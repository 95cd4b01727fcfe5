"""What skills need to know about tools."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

import sqlalchemy as sa

from akmatori_sdk._generated.akmatori import models


class AssignableTools(Protocol):
    """The tools that can be assigned to skills."""

    def shown(self, connection: sa.Connection, tool_ids: Collection[int]) -> Mapping[int, models.Tool]:
        """Return those of the tools that exist, as the API shows them, secrets masked, in one query."""
        ...


class NoTools:
    """An installation without tools."""

    def shown(self, connection: sa.Connection, tool_ids: Collection[int]) -> Mapping[int, models.Tool]:
        """Return nothing."""
        del connection, tool_ids
        return {}

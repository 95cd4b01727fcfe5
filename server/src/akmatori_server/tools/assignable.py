"""Tools for those who assign them to something else."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from akmatori_sdk._generated.akmatori import models
from akmatori_server.tools import store
from akmatori_server.tools.service import ToolService


class ShownTools:
    """Finds tools by their identifiers, as the API shows them."""

    def __init__(self, tools: ToolService) -> None:
        self._tools = tools

    def shown(self, connection: sa.Connection, tool_ids: Collection[int]) -> dict[int, models.Tool]:
        """Return those of the tools that exist, secrets masked."""
        return {tool.id: self._tools.shown(tool) for tool in store.with_ids(connection, list(tool_ids))}

"""The asyncio client for Aotanami."""

from __future__ import annotations

from functools import cached_property

from akmatori_sdk._core.config import AOTANAMI
from akmatori_sdk._generated.aotanami.resources.aio import AsyncResources
from akmatori_sdk.ext.async_scans import AsyncScans


class AsyncAotanami(AsyncResources):
    """The asyncio client for Aotanami; made and configured as `Aotanami` is. One event loop per client."""

    _system = AOTANAMI

    @cached_property
    def scans(self) -> AsyncScans:
        """Scans of the cluster and their reports."""
        return AsyncScans(self)

"""The asyncio client for Aotanami."""

from __future__ import annotations

from akmatori_sdk._core.config import AOTANAMI
from akmatori_sdk._generated.aotanami.resources.aio import AsyncResources


class AsyncAotanami(AsyncResources):
    """The asyncio client for Aotanami; made and configured as `Aotanami` is. One event loop per client."""

    _system = AOTANAMI

"""The asyncio client for Akmatori."""

from __future__ import annotations

from functools import cached_property

from akmatori_sdk._core.config import AKMATORI
from akmatori_sdk._generated.akmatori.resources.aio import AsyncResources
from akmatori_sdk.ext.async_context import AsyncContext
from akmatori_sdk.ext.async_events import AsyncEvents
from akmatori_sdk.ext.async_incidents import AsyncIncidents
from akmatori_sdk.ext.async_skills import AsyncSkills


class AsyncAkmatori(AsyncResources):
    """The asyncio client for Akmatori; made and configured as `Akmatori` is. One event loop per client.

    Example:
        async with AsyncAkmatori(base_url="https://akmatori.example.com", api_key="...") as client:
            async for incident in client.incidents.list():
                print(incident.title)
    """

    _system = AKMATORI

    @cached_property
    def incidents(self) -> AsyncIncidents:
        """Incidents and their investigations."""
        return AsyncIncidents(self)

    @cached_property
    def events(self) -> AsyncEvents:
        """Changes of incidents and alerts, as they happen."""
        return AsyncEvents(self)

    @cached_property
    def context(self) -> AsyncContext:
        """Context files the agent may read."""
        return AsyncContext(self)

    @cached_property
    def skills(self) -> AsyncSkills:
        """Skills the agent may use, their prompts, tools and scripts."""
        return AsyncSkills(self)

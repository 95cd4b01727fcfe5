"""The client for Akmatori."""

from __future__ import annotations

from functools import cached_property

from akmatori_sdk._core.config import AKMATORI
from akmatori_sdk._generated.akmatori.resources.sync import SyncResources
from akmatori_sdk.ext.context import Context
from akmatori_sdk.ext.events import Events
from akmatori_sdk.ext.incidents import Incidents
from akmatori_sdk.ext.skills import Skills


class Akmatori(SyncResources):
    """A client for Akmatori. Safe to share between threads.

    Credentials, the first that is given counts as a whole: the arguments `token`, `api_key`, or `username`
    with `password`; then the environment's `AKMATORI_TOKEN`, `AKMATORI_API_KEY`, `AKMATORI_USERNAME` with
    `AKMATORI_PASSWORD`. The server is `base_url` or `AKMATORI_HOST`, with or without `/api`.

    Example:
        with Akmatori(base_url="https://akmatori.example.com", api_key="...") as client:
            incident = client.incidents.create_and_wait(task="Why is checkout slow?")
            print(incident.response)
    """

    _system = AKMATORI

    @cached_property
    def incidents(self) -> Incidents:
        """Incidents and their investigations."""
        return Incidents(self)

    @cached_property
    def events(self) -> Events:
        """Changes of incidents and alerts, as they happen."""
        return Events(self)

    @cached_property
    def context(self) -> Context:
        """Context files the agent may read."""
        return Context(self)

    @cached_property
    def skills(self) -> Skills:
        """Skills the agent may use, their prompts, tools and scripts."""
        return Skills(self)

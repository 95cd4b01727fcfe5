"""The client for Aotanami."""

from __future__ import annotations

from functools import cached_property

from akmatori_sdk._core.config import AOTANAMI
from akmatori_sdk._generated.aotanami.resources.sync import SyncResources
from akmatori_sdk.ext.scans import Scans


class Aotanami(SyncResources):
    """A client for Aotanami. Safe to share between threads.

    Credentials, the first that is given counts as a whole: the arguments `token`, `api_key`, or `username`
    with `password`; then the environment's `AOTANAMI_TOKEN`, `AOTANAMI_API_KEY`, and after them the same with
    `AKMATORI_`. The server is `base_url`, `AOTANAMI_HOST` or `AKMATORI_HOST`, with or without `/api/v1`.

    Example:
        with Aotanami(base_url="https://akmatori.example.com", token="...") as client:
            for incident in client.incidents.list():
                print(incident.id)
    """

    _system = AOTANAMI

    @cached_property
    def scans(self) -> Scans:
        """Scans of the cluster and their reports."""
        return Scans(self)

"""The proxy that an outgoing request goes through, as those who send requests see it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

import attrs


@attrs.frozen
class Proxy:
    """An HTTP proxy. Its URL holds the password, and is not to be logged."""

    url: str = attrs.field(repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What of it must never be shown: a target may repeat what a careless proxy passes on."""
        parts = urlsplit(self.url)
        if not parts.password:
            return ()
        password = unquote(parts.password)
        sent = base64.b64encode(f"{unquote(parts.username or '')}:{password}".encode()).decode()
        return (sent, password, parts.password)


Route: TypeAlias = Callable[[str], Proxy | None]
"""Tells which proxy a request to a URL goes through, None for none; it reads the database."""


def direct(_url: str) -> None:
    """Go through no proxy."""

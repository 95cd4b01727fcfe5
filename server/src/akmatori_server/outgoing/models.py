"""Requests and answers as values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

import attrs

from akmatori_server.incidents.storable import JSON

MOST_BYTES = 5 * 1024 * 1024
DEFAULT_TIMEOUT_SECONDS = 30.0


@attrs.frozen(kw_only=True)
class OutgoingRequest:
    """What is to be sent. `secrets` are masked in what errors say."""

    url: str = attrs.field(repr=False)
    method: str = "GET"
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    body: bytes | None = attrs.field(default=None, repr=False)
    # For everything together: looking up, connecting, redirects, and reading to the end.
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    # What is read of the answer, after decompression.
    most_bytes: int = MOST_BYTES
    # Only those of GET and HEAD ever are.
    follow_redirects: bool = True
    secrets: tuple[str, ...] = attrs.field(default=(), repr=False)


@attrs.frozen(kw_only=True)
class OutgoingAnswer:
    """What came back. Header names are in lower case; `is_truncated`: the body goes on."""

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=False)
    is_truncated: bool
    # Where it came from in the end.
    url: str = attrs.field(repr=False)

    @property
    def text(self) -> str:
        """The body as text, with replacements for what is not UTF-8."""
        return self.body.decode("utf-8", "replace")

    @property
    def content_type(self) -> str:
        """The media type, "" for none."""
        return self.headers.get("content-type", "")

    def json(self) -> JSON:
        """Return the body as a value.

        Raises:
            ValueError: it is not JSON.
        """
        try:
            return cast("JSON", json.loads(self.body))
        except RecursionError:
            raise ValueError("too deep") from None

"""A complete answer, free of the HTTP library's types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import orjson

from akmatori_sdk._core.errors import DecodeError


@attrs.frozen
class Response:
    """A complete answer; `headers` looks names up without regard to case."""

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    content: bytes = attrs.field(repr=False)

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 become replacement characters."""
        return self.content.decode("utf-8", errors="replace")

    def json(self) -> Any:
        """Return the parsed body.

        Raises:
            DecodeError: the body is not JSON.
        """
        try:
            return orjson.loads(self.content)
        except orjson.JSONDecodeError:
            pass
        raise DecodeError(not_json(self))


def not_json(response: Response) -> str:
    """Say that a body is not JSON, and what it seems to be."""
    if not response.content:
        return f"the server answered {response.status} with an empty body where JSON was expected"
    kind = response.headers.get("content-type", "").partition(";")[0].strip() or "no content type"
    hint = "; does base_url point at the API?" if "html" in kind else ""
    return f"the server answered {response.status} with a body that is not JSON ({kind}{hint})"

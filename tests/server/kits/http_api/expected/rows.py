"""A call of a function of the catalogue, and the request it has to send."""

from __future__ import annotations

from typing import Any

import attrs


@attrs.frozen
class Row:
    """A call, and its request. `query` and `form` are in order; `body` is a value."""

    function: str
    arguments: dict[str, Any]
    method: str
    path: str
    query: list[tuple[str, str]] = attrs.field(factory=list[tuple[str, str]])
    form: list[tuple[str, str]] | None = None
    body: Any = None
    cache: float = 0
    headers: dict[str, str] = attrs.field(factory=dict[str, str])
    # What the other side answers, and what comes of it.
    answer: Any = attrs.field(factory=dict[str, Any])
    gives: Any = None


def get(
    function: str, arguments: dict[str, Any], path: str, query: str = "", cache: float = 0, **more: Any
) -> Row:
    """A row of a GET; the query is written `a=1 b=x,y`."""
    members = [(name, value) for name, _, value in (one.partition("=") for one in query.split())]
    return Row(function, arguments, "GET", path, members, cache=cache, **more)

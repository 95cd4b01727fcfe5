"""Paths of requests: from templates whose parts are checked, and from what a model wrote, made harmless."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from akmatori_server.incidents.storable import JSON
from akmatori_server.toolbox.models import ToolFailedError

PLACEHOLDER = re.compile(r"\{([a-z0-9_]+)\}")
# Lists of identifiers are written with commas.
_SAFE_IN_PART = ",:@"
# More layers of escapes than anybody needs.
_MOST_LAYERS = 5


def filled_path(template: str, values: Mapping[str, JSON]) -> str:
    """Return a path with values in its braces, each in one step of the path and no more.

    Raises:
        ToolFailedError: a value would make another path of it.
    """

    def part(match: re.Match[str]) -> str:
        name = match[1]
        text = str(values.get(name, ""))
        # Some servers undo escapes twice.
        plain = _without_escapes(text)
        if plain in {"", ".", ".."} or any(letter in plain for letter in "/\\?#") or not plain.isprintable():
            raise ToolFailedError(f"{name} must be one name or identifier, without slashes and the like.")
        return quote(text, safe=_SAFE_IN_PART)

    return PLACEHOLDER.sub(part, template)


def harmless_path(text: str, *, under: str = "") -> tuple[str, list[str]]:
    """Return a path that a model wrote as it may be sent, and its steps without escapes.

    It is checked in the form that is sent: with its escapes undone until none is left.

    Args:
        text: the path.
        under: what it is put below unless it is already, such as /api.

    Raises:
        ToolFailedError: it has something in it that leads elsewhere.
    """
    path = _without_escapes(text.strip())
    if "?" in path or "#" in path:
        raise ToolFailedError(
            "The path must not have a query or a fragment; give the query in its own argument."
        )
    if "\\" in path or not path.isprintable() or "://" in path:
        raise ToolFailedError("The path must be a plain path, with slashes between its steps.")
    is_directory = path.endswith("/")
    steps = [step for step in path.split("/") if step]
    if any(step in {".", ".."} for step in steps):
        raise ToolFailedError("The path must not have the steps . and .. in it.")
    below = [step for step in under.split("/") if step]
    if below and steps[: len(below)] != below:
        steps = [*below, *steps]
    sent = "/" + "/".join(quote(step, safe=_SAFE_IN_PART + "()=;'*!$&+") for step in steps)
    return sent + ("/" if is_directory and steps else ""), steps


def _without_escapes(text: str) -> str:
    for _ in range(_MOST_LAYERS):
        plain = unquote(text, errors="replace")
        if plain == text:
            return plain
        text = plain
    raise ToolFailedError("The path has escapes within escapes; write it plainly.")

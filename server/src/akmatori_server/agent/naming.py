"""Names of functions that every provider takes: 64 letters, digits, underscores and dashes at most. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

LONGEST = 64
_UNFIT = re.compile(r"[^a-zA-Z0-9_-]")


def safe_name(name: str) -> str:
    """Return a name that a provider takes back; names that differ may come to be the same."""
    safe = _UNFIT.sub("_", name) or "_"
    # Google wants a letter or an underscore first.
    safe = safe if safe[0].isalpha() or safe[0] == "_" else f"_{safe}"
    return safe[:LONGEST]


def function_names(pairs: Iterable[tuple[str, str]], *, taken: Iterable[str] = ()) -> list[str]:
    """Name each (tool, function) as `tool__function`, made fit and unlike all others.

    Made only of the pair itself wherever possible, so that a name keeps its meaning when tools come and go.
    """
    names: list[str] = []
    used = set(taken)
    for tool, function in pairs:
        plain = f"{tool}__{function}"
        name = safe_name(plain)
        if name != plain or name in used:
            digest = hashlib.sha256(f"{tool}\0{function}".encode()).hexdigest()[:8]
            name = f"{name[: LONGEST - 9]}_{digest}"
        used.add(name)
        names.append(name)
    return names

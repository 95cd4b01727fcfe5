"""Opening the catalogue of tools to everybody, where the operator wants that.

The product's dashboard reads `/mcp/tools` without a token. Whoever serves that dashboard may open this one
operation; everywhere else it needs a login like the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from akmatori_server.http.binding import Binding

OPERATION = "getToolCatalogue"
PATH = "/mcp/tools"


def open_catalogue(
    document: Mapping[str, Any], bindings: tuple[Binding, ...]
) -> tuple[dict[str, Any], tuple[Binding, ...]]:
    """Return the specification and the table of operations with the catalogue public; the given ones stay."""
    paths: Mapping[str, Mapping[str, Any]] = document["paths"]
    operation: Mapping[str, Any] = paths[PATH]["get"]
    public: dict[str, Any] = {**paths[PATH], "get": {**operation, "security": []}}
    opened: dict[str, Any] = {**document, "paths": {**paths, PATH: public}}
    return opened, tuple(
        attrs.evolve(binding, scope=None) if binding.id == OPERATION else binding for binding in bindings
    )

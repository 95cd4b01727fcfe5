"""Names of what commands may show because it holds no secret."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import attrs
import yaml


@attrs.frozen(kw_only=True)
class Harmless:
    """The lists of `harmless.yaml`; those of Kubernetes are in lower case."""

    unit_properties: frozenset[str]
    plain_kinds: frozenset[str]
    workloads: frozenset[str]
    metadata: frozenset[str]
    ends: frozenset[str]


@cache
def harmless() -> Harmless:
    """Return the lists."""
    text = (files("akmatori_server.command_gate") / "harmless.yaml").read_text(encoding="utf-8")
    document: dict[str, str] = yaml.safe_load(text)
    return Harmless(**{name: frozenset(words.split()) for name, words in document.items()})

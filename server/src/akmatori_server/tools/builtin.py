"""The types of tools this version knows: one file each in `catalogue/`, read once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, cast

import yaml

from akmatori_server.tools.definition import ToolFunction, TypeDefinition

# The parser in C, where PyYAML has it: eleven files at every start.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# In the order in which they get their identifiers; a new one goes to the end.
NAMES = (
    "ssh",
    "zabbix",
    "victoria_metrics",
    "catchpoint",
    "postgresql",
    "grafana",
    "pagerduty",
    "clickhouse",
    "netbox",
    "kubernetes",
    "jira",
)
SSH = "ssh"
# Words that name parts of the product, so that nothing else may be called so.
RESERVED = frozenset({*NAMES, "incidents", "proposals", "qmd"})


@cache
def builtin_types() -> tuple[TypeDefinition, ...]:
    """Return the definitions, in the order of `NAMES`."""
    return tuple(_definition(document_of(name)) for name in NAMES)


@cache
def document_of(name: str) -> Mapping[str, Any]:
    """Return what the catalogue's file says about a type, how its functions are made included."""
    file = files("akmatori_server.tools") / "catalogue" / f"{name}.yaml"
    text = file.read_text(encoding="utf-8")
    return cast("dict[str, Any]", yaml.load(text, Loader=_LOADER))  # noqa: S506  both are safe ones


def _definition(document: Mapping[str, Any]) -> TypeDefinition:
    return TypeDefinition(
        name=document["name"],
        description=document["description"],
        version=document["version"],
        settings=document["settings"],
        functions=tuple(_function(one) for one in document["functions"]),
    )


def _function(document: Mapping[str, Any]) -> ToolFunction:
    # In the files a parameter says by itself that it is required, so that it can be shared.
    members: Mapping[str, Mapping[str, Any]] = document.get("parameters", {})
    properties = {
        name: {key: value for key, value in member.items() if key != "required"}
        for name, member in members.items()
    }
    parameters: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": [name for name, member in members.items() if member.get("required") is True],
    }
    return ToolFunction(
        name=document["name"],
        description=document["description"],
        read_only=document["read_only"],
        parameters=parameters,
        returns=document.get("returns", ""),
    )

"""What is published about a kind of tool: its settings, and the functions its tools offer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, cast

import attrs

Schema: TypeAlias = Mapping[str, Any]
"""A JSON Schema. `x-secret`, `x-multiline`, `x-advanced` and `x-warning` say how a form shows a setting."""

SECRET = "x-secret"  # noqa: S105  a keyword of our schemas

# How the dashboard's forms spell our annotations.
_FORM_WORDS = {SECRET: "secret", "x-advanced": "advanced", "x-warning": "warning"}
_FORM_MULTILINE = "textarea"


@attrs.frozen(kw_only=True)
class ToolFunction:
    """One thing the tools of a type can do. `parameters` is a JSON Schema of an object."""

    name: str
    description: str
    read_only: bool
    parameters: Schema
    returns: str = ""

    @property
    def signature(self) -> str:
        """The parameters as one line of text; those with a star are required."""
        properties: Mapping[str, Mapping[str, Any]] = self.parameters.get("properties", {})
        required: list[str] = self.parameters.get("required", [])
        words = (
            f"{name}{'*' if name in required else ''} ({member.get('type', 'any')})"
            for name, member in properties.items()
        )
        return ", ".join(words)


@attrs.frozen(kw_only=True)
class TypeDefinition:
    """A kind of tool, as it is stored and published."""

    name: str
    description: str
    version: str
    settings: Schema
    functions: tuple[ToolFunction, ...]

    def as_stored(self) -> dict[str, Any]:
        """The functions and version as one JSON object."""
        return {"version": self.version, "functions": [attrs.asdict(one) for one in self.functions]}


def secret_settings(schema: Schema) -> tuple[str, ...]:
    """Name the settings of a type that are secrets."""
    properties: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
    return tuple(name for name, member in properties.items() if member.get(SECRET) is True)


def form_schema(schema: Schema) -> dict[str, Any]:
    """Return a settings schema with the annotations spelt as the dashboard's forms read them."""
    return cast("dict[str, Any]", _for_forms(schema))


def _for_forms(value: object) -> object:
    if isinstance(value, list):
        return [_for_forms(item) for item in cast("list[object]", value)]
    if not isinstance(value, Mapping):
        return value
    members = cast("Mapping[str, object]", value)
    result = {
        _FORM_WORDS.get(key, key): _for_forms(member)
        for key, member in members.items()
        if key not in {"x-multiline", "format"}
    }
    if members.get("x-multiline") is True:
        result["format"] = _FORM_MULTILINE
    return result

"""Schemas of the specification, compiled once into validators that answer with sentences.

The sentences never repeat the offending value: it may be a password.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, cast

import jsonschema_rs

from akmatori_server.errors import BadRequest
from akmatori_server.http.pattern_words import in_words

MOST_NAMED = 5
# Draft 4, which OpenAPI 3.0 builds on, does not know the format.
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Validator:
    """One schema of the specification, compiled when it is first needed: there are many, and most starts are short."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema

    @cached_property
    def _compiled(self) -> jsonschema_rs.Draft4Validator:
        return jsonschema_rs.Draft4Validator(
            plain_schema(self._schema), validate_formats=True, formats={"uuid": _is_uuid}
        )

    def is_valid(self, value: Any) -> bool:
        """Whether the value conforms."""
        return self._compiled.is_valid(value)

    def complaint(self, value: Any) -> str | None:
        """Return None when the value conforms, else a sentence naming the place and the rule."""
        if self._compiled.is_valid(value):
            return None
        error = _of_only_shape(next(iter(self._compiled.iter_errors(value))))
        place = ".".join(str(step) for step in error.instance_path)
        return f"{place}: {_rule(error)}" if place else _capital(_rule(error))

    def check(self, value: Any) -> None:
        """Refuse a value that does not conform.

        Raises:
            BadRequest: with the complaint.
        """
        complaint = self.complaint(value)
        if complaint is not None:
            raise BadRequest(complaint)


def plain_schema(schema: Any) -> Any:
    """Translate OpenAPI 3.0's `nullable` into JSON Schema, and leave out what a validator does not read."""
    if isinstance(schema, list):
        return [plain_schema(item) for item in cast("list[object]", schema)]
    if not isinstance(schema, dict):
        return schema
    typed = cast("dict[str, Any]", schema)
    plain = {
        # A property may be called "example" or "nullable": names under `properties` are not keywords.
        key: {name: plain_schema(sub) for name, sub in value.items()}
        if key == "properties"
        else plain_schema(value)
        for key, value in typed.items()
        if key not in {"nullable", "example", "examples", "components", "description", "discriminator"}
    }
    if typed.get("nullable") is not True:
        return plain
    if "type" in plain and "allOf" not in plain and "oneOf" not in plain and "anyOf" not in plain:
        plain["type"] = [plain["type"], "null"]
        if "enum" in plain and None not in plain["enum"]:
            plain["enum"] = [*plain["enum"], None]
        return plain
    return {"anyOf": [{"type": "null"}, plain]}


def _of_only_shape(error: jsonschema_rs.ValidationError) -> jsonschema_rs.ValidationError:
    """Return what is wrong with the only shape that there is besides null; else the error itself."""
    kind = cast("Any", error.kind)
    if kind.name != "anyOf":
        return error
    shapes: list[list[jsonschema_rs.ValidationError]] = [
        shape for shape in kind.context if not any(_asks_for_null(one) for one in shape)
    ]
    return _of_only_shape(shapes[0][0]) if len(shapes) == 1 and shapes[0] else error


def _asks_for_null(error: jsonschema_rs.ValidationError) -> bool:
    kind = cast("Any", error.kind)
    return kind.name == "type" and list(kind.types) == ["null"]


def _rule(error: jsonschema_rs.ValidationError) -> str:
    kind = cast("Any", error.kind)
    sentence = _SENTENCES.get(kind.name)
    return sentence(kind) if sentence is not None else f"breaks the rule {kind.name}."


def _unknown(kind: Any) -> str:
    names = ", ".join(str(name)[:64] for name in kind.unexpected[:MOST_NAMED])
    return f"unknown member {names}."


def _too_short(kind: Any) -> str:
    return "must not be empty." if kind.limit == 1 else f"needs {kind.limit} characters or more."


def _options(kind: Any) -> str:
    return f"must be {_or([str(option) for option in kind.options if option is not None])}."


_TYPES: Mapping[str, str] = {
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}
_SENTENCES: Mapping[str, Callable[[Any], str]] = {
    "required": lambda kind: f"{kind.property} is required.",
    "additionalProperties": _unknown,
    "type": lambda kind: f"must be {_or([_TYPES.get(name, name) for name in kind.types])}.",
    "enum": _options,
    "minLength": _too_short,
    "maxLength": lambda kind: f"may have {kind.limit} characters at most.",
    "minItems": lambda kind: f"needs {kind.limit} items or more.",
    "maxItems": lambda kind: f"may have {kind.limit} items at most.",
    "maxProperties": lambda kind: f"may have {kind.limit} members at most.",
    "minimum": lambda kind: f"must be at least {kind.limit}.",
    "maximum": lambda kind: f"must be at most {kind.limit}.",
    "format": lambda kind: f"must be a {kind.format}.",
    "pattern": lambda kind: in_words(kind.pattern),
    "oneOf": lambda _kind: "has none of the shapes this accepts.",
    "anyOf": lambda _kind: "has none of the shapes this accepts.",
}


def _is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


def _or(words: list[str]) -> str:
    known = sorted(word for word in words if word != "null")
    return " or ".join(known) if len(known) < 3 else f"one of {', '.join(known)}"


def _capital(sentence: str) -> str:
    return sentence if " is required" in sentence else sentence[:1].upper() + sentence[1:]

"""Rules about schemas: bounds, names, descriptions, and what the generated models cannot express."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from codegen.rules.document import Document, Problem, Schema
from codegen.source import escape, is_array, is_object

_BOUNDING_FORMATS = frozenset({"date-time", "date", "uuid", "binary"})
_NAME = re.compile(r"^[A-Z][A-Za-z0-9]*$")
# Names that would break the body of a generated class, or hide something the class needs.
_RESERVED = frozenset(
    {"self", "attrs", "str", "list", "dict", "int", "float", "bool", "bytes", "UNSET", "extra"}
)
_COMPOSITIONS = ("allOf", "anyOf", "oneOf")


def integers_bounded(document: Document) -> Iterator[Problem]:
    """Every integer says how small and how large it may be."""
    for schema in document.schemas:
        if schema.value.get("type") == "integer" and "enum" not in schema.value:
            missing = [key for key in ("minimum", "maximum") if key not in schema.value]
            if missing:
                sentence = f"The integer needs {' and '.join(missing)}."
                yield document.problem(schema.pointer, "integers-bounded", sentence)


def strings_bounded(document: Document) -> Iterator[Problem]:
    """Every string is bounded: by maxLength, an enum, or a format of known size."""
    for schema in document.schemas:
        value = schema.value
        bounded = "maxLength" in value or "enum" in value or value.get("format") in _BOUNDING_FORMATS
        if value.get("type") == "string" and not bounded:
            yield document.problem(schema.pointer, "strings-bounded", "The string needs maxLength.")


def arrays_bounded(document: Document) -> Iterator[Problem]:
    """Every array says how many items it may hold, and what they are."""
    for schema in document.schemas:
        if schema.value.get("type") == "array":
            for key in ("maxItems", "items"):
                if key not in schema.value:
                    yield document.problem(schema.pointer, "arrays-bounded", f"The array needs {key}.")


def objects_named(document: Document) -> Iterator[Problem]:
    """Objects, enums and unions are named schemas: inline ones get numbered names that shift with edits."""
    for schema in document.schemas:
        if schema.name is None and (shape := _needs_a_name(schema)):
            sentence = f"{shape} must be a named schema, referred to from here."
            yield document.problem(schema.pointer, "objects-named", sentence)


def types_present(document: Document) -> Iterator[Problem]:
    """A schema says its type; one that takes any JSON value is a named schema, so that it is no accident."""
    for schema in document.schemas:
        typed = "type" in schema.value or any(key in schema.value for key in _COMPOSITIONS)
        if not typed and schema.name is None:
            yield document.problem(schema.pointer, "types-present", "The schema needs a type.")


def names_in_pascal_case(document: Document) -> Iterator[Problem]:
    """A schema's name becomes a class name; two that differ only in case would meet in functions' names."""
    seen: dict[str, str] = {}
    for schema in document.schemas:
        name = schema.name
        if name is None:
            continue
        if not _NAME.match(name):
            yield document.problem(schema.pointer, "schema-names", f"Write the name {name} in PascalCase.")
        if name.lower() in seen:
            sentence = f"{name} and {seen[name.lower()]} differ only in case."
            yield document.problem(schema.pointer, "schema-names", sentence)
        seen[name.lower()] = name


def described(document: Document) -> Iterator[Problem]:
    """Every named schema and every property has a description; a property that is a ref has its target's."""
    for schema in document.schemas:
        if (schema.name or schema.member) and not str(schema.value.get("description", "")).strip():
            what = f"The schema {schema.name}" if schema.name else f"The property {schema.member}"
            yield document.problem(schema.pointer, "described", f"{what} needs a description.")


def request_objects_closed(document: Document) -> Iterator[Problem]:
    """A request's objects refuse unknown members, or say that they are free-form."""
    for name in sorted(_request_schemas(document)):
        for schema in document.inside(f"/components/schemas/{name}", document.component("schemas").get(name)):
            extra = schema.value.get("additionalProperties")
            if not _is_object_schema(schema.value) or extra is False:
                continue
            if schema.value.get("properties"):
                sentence = f"{name} is part of a request: it needs additionalProperties: false."
                yield document.problem(schema.pointer, "request-objects-closed", sentence)
            elif extra is None:
                sentence = f"{name} is part of a request: say in additionalProperties what its members are."
                yield document.problem(schema.pointer, "request-objects-closed", sentence)


def property_names_usable(document: Document) -> Iterator[Problem]:
    """A property's name becomes an attribute: none the class needs, and not the same one twice."""
    for schema in document.schemas:
        properties = schema.value.get("properties", {})
        names = list(properties) if is_object(properties) else []
        for name in names:
            if name in _RESERVED:
                sentence = f"A property cannot be called {name}: the generated class needs that name."
                yield document.problem(schema.pointer, "property-names", sentence)
        for attribute, count in Counter(map(snake_case, names)).items():
            if count > 1:
                same = " and ".join(name for name in names if snake_case(name) == attribute)
                sentence = f"The properties {same} would be the same attribute, {attribute}."
                yield document.problem(schema.pointer, "property-names", sentence)


def required_exist(document: Document) -> Iterator[Problem]:
    """What is required is also described."""
    for schema in document.schemas:
        properties = schema.value.get("properties", {})
        if any(key in schema.value for key in _COMPOSITIONS) or not is_object(properties):
            continue
        for name in schema.value.get("required", []):
            if name not in properties:
                sentence = f"{name} is required but is not a property."
                yield document.problem(schema.pointer, "required-exist", sentence)


def defaults_expressible(document: Document) -> Iterator[Problem]:
    """Generated code cannot write the default of a date or of a filled container as a literal."""
    for schema in document.schemas:
        default = schema.value.get("default")
        if default is not None and schema.value.get("format") in {"date", "date-time"}:
            yield document.problem(schema.pointer, "defaults-expressible", "A date cannot have a default.")
        if default and (is_array(default) or is_object(default)):
            sentence = (
                "The default of an array or object can only be empty; say in the description what holds."
            )
            yield document.problem(schema.pointer, "defaults-expressible", sentence)


def enums_usable(document: Document) -> Iterator[Problem]:
    """Enums are strings or integers whose values give different member names."""
    for schema in document.schemas:
        values = schema.value.get("enum")
        if values is None:
            continue
        if schema.value.get("type") not in {"string", "integer"} or None in values:
            sentence = (
                "An enum lists strings or integers and says which; write null as `nullable` at its uses."
            )
            yield document.problem(schema.pointer, "enums-usable", sentence)
        for member, count in Counter(re.sub(r"\W", "_", str(v)).upper() for v in values).items():
            if count > 1:
                sentence = f"Two values of the enum would be the same member, {member}."
                yield document.problem(schema.pointer, "enums-usable", sentence)


def refs_alone(document: Document) -> Iterator[Problem]:
    """OpenAPI 3.0 ignores what stands beside a `$ref`, so it must not look as if it counted."""
    for pointer, value in _references(document.root, ""):
        extra = sorted(set(value) - {"$ref"})
        if extra:
            sentence = f"Nothing may stand beside $ref ({', '.join(extra)}); use allOf with the one $ref."
            yield document.problem(pointer, "refs-alone", sentence)


def snake_case(name: str) -> str:
    """The attribute a property becomes."""
    spaced = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", re.sub(r"\W", "_", name))
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", spaced).lower()


def _needs_a_name(schema: Schema) -> str | None:
    value = schema.value
    if "enum" in value:
        return "An enum"
    if _is_object_schema(value):
        return "An object"
    if "anyOf" in value or "oneOf" in value:
        return "A union"
    members = value.get("allOf")
    # One ref in allOf is the way to add `nullable` or a description to it.
    if members is not None and not (len(members) == 1 and "$ref" in members[0]):
        return "A composition"
    return None


def _is_object_schema(value: dict[str, Any]) -> bool:
    return value.get("type") == "object" or "properties" in value or "additionalProperties" in value


def _request_schemas(document: Document) -> set[str]:
    found: set[str] = set()
    for media in document.bodies:
        if media.status is None:
            found |= document.reachable(media.value.get("schema"))
    return found


def _references(value: Any, pointer: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every ref of the document; examples are data and may hold the word."""
    if is_object(value):
        if isinstance(value.get("$ref"), str):
            yield pointer, value
        for key, each in value.items():
            if key not in {"example", "examples", "value"} and not key.startswith("x-"):
                yield from _references(each, f"{pointer}/{escape(key)}")
    elif is_array(value):
        for index, each in enumerate(value):
            yield from _references(each, f"{pointer}/{index}")


RULES = (
    integers_bounded,
    strings_bounded,
    arrays_bounded,
    objects_named,
    types_present,
    names_in_pascal_case,
    described,
    request_objects_closed,
    property_names_usable,
    required_exist,
    defaults_expressible,
    enums_usable,
    refs_alone,
)

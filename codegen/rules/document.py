"""A bundled specification as the rules see it: its operations, its schemas, and where each was written."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import attrs

from codegen.bundle import Bundle
from codegen.source import escape, is_array, is_object

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@attrs.frozen
class Problem:
    """One thing that is wrong: where, which rule says so, and a sentence for the person who can fix it."""

    where: str
    rule: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.where}: {self.sentence} [{self.rule}]"


@attrs.frozen
class Operation:
    """One operation with the parameters of its path item, refs resolved."""

    pointer: str
    path: str
    method: str
    value: dict[str, Any]
    parameters: tuple[dict[str, Any], ...]

    @property
    def title(self) -> str:
        """How sentences name the operation."""
        return str(self.value.get("operationId") or f"{self.method.upper()} {self.path}")


@attrs.frozen
class Schema:
    """One schema, wherever it stands.

    `name` is its name when it is a component; `member` is the property's name when it is a property.
    """

    pointer: str
    value: dict[str, Any]
    name: str | None = None
    member: str | None = None


@attrs.frozen
class Media:
    """The body of a request, or of one answer, in one media type."""

    pointer: str
    operation: Operation
    type: str
    status: str | None
    value: dict[str, Any]

    @property
    def is_json(self) -> bool:
        """Whether the body is JSON."""
        return self.type.split(";")[0].strip().endswith("json")


@attrs.frozen(slots=False)
class Document:
    """The whole specification."""

    bundle: Bundle

    @property
    def root(self) -> dict[str, Any]:
        """The bundled document."""
        return self.bundle.document

    def problem(self, pointer: str, rule: str, sentence: str) -> Problem:
        """A problem at a pointer of the bundled document, placed in the file it was written in."""
        return Problem(self.bundle.origin(pointer), rule, sentence)

    def component(self, kind: str) -> dict[str, Any]:
        """The components of one kind, by name."""
        found = self.root.get("components", {}).get(kind, {})
        return found if is_object(found) else {}

    def resolve(self, value: Any) -> dict[str, Any]:
        """The object itself, or the component its `$ref` names."""
        if is_object(value) and "$ref" in value:
            kind, name = str(value["$ref"]).split("/")[2:4]
            return self.resolve(self.component(kind).get(name))
        return value if is_object(value) else {}

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """Every operation, in the order of the document."""
        found: list[Operation] = []
        for path, item in self.root["paths"].items():
            shared = item.get("parameters", [])
            for method in METHODS:
                value = item.get(method)
                if is_object(value):
                    own = [self.resolve(p) for p in value.get("parameters", [])]
                    names = {(p.get("name"), p.get("in")) for p in own}
                    inherited = [
                        p for p in map(self.resolve, shared) if (p.get("name"), p.get("in")) not in names
                    ]
                    pointer = f"/paths/{escape(path)}/{method}"
                    found.append(Operation(pointer, path, method, value, (*inherited, *own)))
        return tuple(found)

    def responses(self, operation: Operation) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """An operation's answers: pointer, status, the response object."""
        responses = operation.value.get("responses", {})
        for status, value in responses.items() if is_object(responses) else ():
            pointer = f"{operation.pointer}/responses/{status}"
            yield self._landing(pointer, value), status, self.resolve(value)

    @cached_property
    def bodies(self) -> tuple[Media, ...]:
        """Every request body and every answer's body."""
        found: list[Media] = []
        for operation in self.operations:
            body = operation.value.get("requestBody")
            if body is not None:
                where = self._landing(f"{operation.pointer}/requestBody", body)
                found += _media(operation, where, None, self.resolve(body))
            for where, status, response in self.responses(operation):
                found += _media(operation, where, status, response)
        return tuple(found)

    @cached_property
    def schemas(self) -> tuple[Schema, ...]:
        """Every schema object of the document, named or inline; refs are not schemas."""
        return tuple(self._walk("", self.root, ""))

    def _walk(self, pointer: str, value: Any, key: str) -> Iterator[Schema]:
        """Find the schemas below a value that is not itself one."""
        if is_array(value):
            for index, each in enumerate(value):
                yield from self._walk(f"{pointer}/{index}", each, key)
        elif is_object(value):
            for name, each in value.items():
                below = f"{pointer}/{escape(name)}"
                if pointer == "/components" and name == "schemas":
                    for schema_name, schema in each.items():
                        yield from self.inside(f"{below}/{escape(schema_name)}", schema, name=schema_name)
                elif name == "schema":
                    yield from self.inside(below, each)
                elif name not in {"example", "examples"} and not name.startswith("x-"):
                    yield from self._walk(below, each, name)

    def inside(
        self, pointer: str, value: Any, *, name: str | None = None, member: str | None = None
    ) -> Iterator[Schema]:
        """A schema and the schemas written inside it; a ref ends the walk."""
        if not is_object(value) or "$ref" in value:
            return
        yield Schema(pointer, value, name, member)
        properties = value.get("properties", {})
        for key, each in properties.items() if is_object(properties) else ():
            yield from self.inside(f"{pointer}/properties/{escape(key)}", each, member=key)
        for key in ("items", "additionalProperties", "not"):
            yield from self.inside(f"{pointer}/{key}", value.get(key))
        for key in ("allOf", "anyOf", "oneOf"):
            for index, each in enumerate(value.get(key, [])):
                yield from self.inside(f"{pointer}/{key}/{index}", each)

    def names_in(self, value: Any) -> set[str]:
        """The schemas a schema refers to directly."""
        if is_object(value) and "$ref" in value:
            return {str(value["$ref"]).rpartition("/")[2]}
        found: set[str] = set()
        for schema in self.inside("", value):
            for child in _children(schema.value):
                if is_object(child) and "$ref" in child:
                    found.add(str(child["$ref"]).rpartition("/")[2])
        return found

    def reachable(self, value: Any) -> set[str]:
        """The schemas a schema refers to, directly or through others."""
        found: set[str] = set()
        waiting = self.names_in(value)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting |= self.names_in(self.component("schemas").get(name)) - found
        return found

    def _landing(self, pointer: str, value: Any) -> str:
        """The pointer of the component a value refers to, or its own."""
        if is_object(value) and "$ref" in value:
            return str(value["$ref"])[1:]
        return pointer


def _media(operation: Operation, where: str, status: str | None, holder: dict[str, Any]) -> Iterator[Media]:
    content = holder.get("content", {})
    for media_type, value in content.items() if is_object(content) else ():
        if is_object(value):
            yield Media(f"{where}/content/{escape(media_type)}", operation, media_type, status, value)


def _children(schema: dict[str, Any]) -> Iterator[Any]:
    """The direct subschemas of a schema."""
    properties = schema.get("properties", {})
    yield from properties.values() if is_object(properties) else ()
    for key in ("items", "additionalProperties", "not"):
        yield schema.get(key)
    for key in ("allOf", "anyOf", "oneOf"):
        yield from schema.get(key, [])

"""Rules about examples: they are there, and they are true."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from openapi_schema_validator import OAS30Validator, oas30_format_checker

from codegen.rules.document import Document, Problem
from codegen.source import escape, is_array, is_object

# In 3.0, the schema that only null satisfies.
_NULL = {"type": "string", "nullable": True, "enum": [None]}


def examples_present(document: Document) -> Iterator[Problem]:
    """Every JSON request body and every JSON success answer has an example."""
    for media in document.bodies:
        wanted = media.status is None or media.status[0] == "2"
        schema = document.resolve(media.value.get("schema"))
        if wanted and media.is_json and not any("example" in key for key in (*media.value, *schema)):
            what = "request body" if media.status is None else f"{media.status} answer"
            sentence = f"The {what} of {media.operation.title} needs an example."
            yield document.problem(media.pointer, "examples-present", sentence)


def examples_valid(document: Document) -> Iterator[Problem]:
    """Every example satisfies its schema, formats included."""
    if any(name in document.reachable(s) for name, s in document.component("schemas").items()):
        return  # A recursive schema cannot be written out; `no_recursion` reports it.
    done: set[str] = set()
    for pointer, holder, schema in _holders(document):
        if pointer in done:
            continue
        done.add(pointer)
        for below, example in _examples(document, holder):
            for sentence in _errors(document, schema, example):
                yield document.problem(f"{pointer}/{below}", "examples-valid", sentence)


def _holders(document: Document) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Everything that may hold examples: where, the object, and the schema its examples satisfy."""
    for media in document.bodies:
        yield media.pointer, media.value, media.value.get("schema")
    for name, parameter in document.component("parameters").items():
        yield f"/components/parameters/{escape(name)}", parameter, parameter.get("schema")
    for operation in document.operations:
        for index, parameter in enumerate(operation.value.get("parameters", [])):
            if "$ref" not in parameter:
                yield f"{operation.pointer}/parameters/{index}", parameter, parameter.get("schema")
        for pointer, _, response in document.responses(operation):
            for name, header in response.get("headers", {}).items():
                value = document.resolve(header)
                yield f"{pointer}/headers/{escape(name)}", value, value.get("schema")
    for schema in document.schemas:
        yield schema.pointer, schema.value, schema.value


def _examples(document: Document, holder: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if "example" in holder:
        yield "example", holder["example"]
    named = holder.get("examples", {})
    for name, each in named.items() if is_object(named) else ():
        value = document.resolve(each)
        if "value" in value:
            yield f"examples/{escape(name)}", value["value"]


def _errors(document: Document, schema: Any, example: Any) -> Iterator[str]:
    if not is_object(schema):
        return
    validator = OAS30Validator(written_out(document, schema), format_checker=oas30_format_checker)
    for error in validator.iter_errors(example):
        place = "".join(f"/{part}" for part in error.absolute_path) or "the example"
        yield f"{place}: {error.message.rstrip('.')}."


def written_out(document: Document, schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with its refs replaced by what they name, and `nullable` beside a composition made to count.

    OpenAPI 3.0.3 lets `nullable` work only beside `type`; this project also means it beside `allOf`.
    """

    @cache
    def component(name: str) -> Any:
        return walk(document.component("schemas").get(name, {}))

    def walk(value: Any) -> Any:
        if is_array(value):
            return [walk(each) for each in value]
        if not is_object(value):
            return value
        if isinstance(value.get("$ref"), str):
            return component(value["$ref"].rpartition("/")[2])
        copy = {
            k: v if k in {"example", "default", "enum"} and not is_object(v) else walk(v)
            for k, v in value.items()
        }
        if copy.get("nullable") is True and "type" not in copy:
            return {"nullable": True, "anyOf": [{k: v for k, v in copy.items() if k != "nullable"}, _NULL]}
        if copy.get("nullable") is True and "enum" in copy:
            return copy | {"enum": [*copy["enum"], None]}
        return copy

    result = walk(schema)
    return result if is_object(result) else {}


RULES = (examples_present, examples_valid)

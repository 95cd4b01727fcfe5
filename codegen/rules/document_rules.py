"""Rules about the document as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from openapi_spec_validator import OpenAPIV30SpecValidator

from codegen.rules.document import Document, Problem
from codegen.source import escape, is_object


def openapi_version(document: Document) -> Iterator[Problem]:
    """The server's framework reads 3.0; 3.0.3 is its last wording everybody tests."""
    if document.root.get("openapi") != "3.0.3":
        yield document.problem("", "openapi-version", "`openapi` must be 3.0.3.")


def valid_openapi(document: Document) -> Iterator[Problem]:
    """OpenAPI's own rules, by openapi-spec-validator."""
    for error in OpenAPIV30SpecValidator(document.root).iter_errors():
        path = "".join(f"/{escape(str(part))}" for part in error.absolute_path)
        cause = error
        while cause.context:
            # The branch that got deepest says most about what was meant.
            cause = max(cause.context, key=lambda e: len(e.absolute_path))
        yield document.problem(path, "valid-openapi", f"{str(cause.message).rstrip('.')}.")


def no_recursion(document: Document) -> Iterator[Problem]:
    """The server's framework cannot serve a document whose schemas contain themselves."""
    for name, schema in document.component("schemas").items():
        if name in document.reachable(schema):
            where = f"/components/schemas/{escape(name)}"
            yield document.problem(where, "no-recursion", f"The schema {name} contains itself.")


def no_unused_entries(document: Document) -> Iterator[Problem]:
    """What nothing refers to is not part of the contract, and only looks as if it were."""
    for place in document.bundle.unused:
        yield Problem(place, "no-unused-entries", "Nothing refers to this entry; use it or remove it.")


def tags_described(document: Document) -> Iterator[Problem]:
    """Declared tags are unique, described and used: each becomes a module's handler type."""
    used = {tag for operation in document.operations for tag in operation.value.get("tags", [])}
    seen: set[str] = set()
    for index, tag in enumerate(document.root.get("tags", [])):
        where, name = f"/tags/{index}", str(tag.get("name", "")) if is_object(tag) else ""
        if name in seen:
            yield document.problem(where, "tags-described", f"The tag {name} is declared twice.")
        if name not in used:
            yield document.problem(where, "tags-described", f"No operation has the tag {name}.")
        if not is_object(tag) or not tag.get("description"):
            yield document.problem(where, "tags-described", f"The tag {name} needs a description.")
        seen.add(name)


RULES = (openapi_version, valid_openapi, no_recursion, no_unused_entries, tags_described)

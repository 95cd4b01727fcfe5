"""The reference page of one specification, in Markdown: every operation, by tag, as a person looks it up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from codegen.names import argument
from codegen.spec_types import Api, Body, Media, Operation, Param, Schema

_HEAD = """# {title}: reference

Generated from `spec/{name}/` by `python -m codegen`; do not edit. `client` is `{client}(...)` of the SDK; the
asynchronous one has the same methods. Every answer that is no success has the error shape of its status.

"""
_NOT_IN_ANCHORS = re.compile(r"[^a-z0-9 -]")
_BLANK_LINES = re.compile(r"\n{3,}")


def write_reference(api: Api, file: Path) -> None:
    """Write the page of a specification."""
    file.parent.mkdir(parents=True, exist_ok=True)
    page = _BLANK_LINES.sub("\n\n", "\n".join(_page(api)))
    file.write_text(f"{page.rstrip()}\n", encoding="utf-8")


def _page(api: Api) -> Iterator[str]:
    yield _HEAD.format(title=api.title, name=api.name, client=api.name.title())
    for tag in api.tags:
        yield f"- [{tag.name}](#{_anchor(tag.name)}): {_line(tag.description)}"
    for tag in api.tags:
        operations = [op for op in api.operations if op.tag == tag.name]
        yield f"\n## {tag.name}\n"
        if tag.description:
            yield f"{tag.description.strip()}\n"
        yield from _table(("Request", "SDK", "Who may", "What it does"), _overview(operations))
        for operation in operations:
            yield from _operation(api, operation)


def _overview(operations: list[Operation]) -> Iterator[tuple[str, ...]]:
    for op in operations:
        yield (
            f"[`{op.method} {op.path}`](#{_anchor(op.id)})",
            f"`{'.'.join((*op.resource, op.verb))}`",
            _scope(op),
            _line(op.summary),
        )


def _operation(api: Api, op: Operation) -> Iterator[str]:
    described = _described(api, op)
    yield f"\n### {op.id}\n"
    yield f"`{op.method} {op.path}` · `{_call(api, op)}` · {_notes(op)}\n"
    yield f"{op.summary.strip()}\n"
    if op.description:
        yield f"{op.description.strip()}\n"
    rows = [*_parameters(op.params), *_members(api, op.body)]
    if rows:
        yield from _table(("Parameter", "In", "Type", "Meaning"), rows)
        yield ""
    yield f"Answers {', '.join(_statuses(op))}.\n"
    example = _example(described)
    if example is not None:
        what, text = example
        yield f"{what}:\n\n```json\n{text}\n```\n"


def _call(api: Api, op: Operation) -> str:
    given = [argument(param.wire) for param in op.params if param.where == "path"]
    given += [f"{argument(param.wire)}=…" for param in op.params if param.where != "path" and param.required]
    if op.body is not None and op.body.media is Media.JSON:
        schema = _schema(api, op.body.schema)
        given += [f"{argument(name)}=…" for name in schema.get("required", ())]
        is_open = len(schema.get("properties", {})) > len(schema.get("required", ()))
        given += ["…"] if is_open else []
    elif op.body is not None:
        given.append("…")
    return f"client.{'.'.join((*op.resource, op.verb))}({', '.join(given)})"


def _notes(op: Operation) -> str:
    notes = [_scope(op)]
    if op.paging is not None:
        notes.append("pages, which the SDK reads one after the other as they are needed")
    if op.media_type == "text/event-stream":
        notes.append("a stream of events")
    if op.accepts_key:
        notes.append("once for one `Idempotency-Key`")
    if op.deprecated:
        notes.append("deprecated")
    return " · ".join(notes)


def _scope(op: Operation) -> str:
    return "public" if op.public else f"scope {op.scope}"


def _parameters(params: tuple[Param, ...]) -> Iterator[tuple[str, ...]]:
    for param in params:
        kind = param.enum or (f"{param.item_kind} array" if param.item_kind else param.kind)
        told = _line(param.description)
        if param.default is not None:
            told += f" Default: `{json.dumps(param.default)}`."
        yield (_name(param.wire, required=param.required), param.where, kind, told)


def _members(api: Api, body: Body | None) -> Iterator[tuple[str, ...]]:
    if body is None:
        return
    if body.media is Media.RAW:
        yield ("the body", "body", body.media_type, _line(body.description))
    for part in body.form:
        yield (_name(part.wire, required=part.required), "form", part.kind, _line(part.description))
    if body.media is Media.JSON:
        schema = _schema(api, body.schema)
        for name, member in schema.get("properties", {}).items():
            told = member.get("description") or _schema(api, _reference(member)).get("description", "")
            required = name in schema.get("required", ())
            yield (_name(name, required=required), "body", _kind(member), _line(told))


def _kind(schema: Schema) -> str:
    named = _reference(schema)
    if named is not None:
        return named
    if schema.get("type") == "array":
        return f"{_kind(schema.get('items', {}))} array"
    return str(schema.get("format") or schema.get("type", "any"))


def _reference(schema: Schema) -> str | None:
    inner = schema["allOf"][0] if len(schema.get("allOf", ())) == 1 else schema
    reference = inner.get("$ref")
    return None if reference is None else str(reference).rpartition("/")[2]


def _schema(api: Api, name: str | None) -> Schema:
    found: Schema = api.document.get("components", {}).get("schemas", {}).get(name, {})
    return found


def _statuses(op: Operation) -> Iterator[str]:
    answered = f" ({op.schema or op.media_type})" if op.schema or op.media_type else ""
    yield from (f"{status}{answered}" for status in op.statuses)
    yield from (str(status) for status, _ in op.failures)


def _described(api: Api, op: Operation) -> Schema:
    """Find the operation as the specification has it."""
    for item in api.document["paths"].values():
        found: Schema | None = item.get(op.method.lower())
        if found is not None and found.get("operationId") == op.id:
            return found
    raise LookupError(op.id)


def _example(described: Schema) -> tuple[str, str] | None:
    """Return what is sent, or, of an operation without a body, what is answered."""
    successes = [answer for code, answer in described["responses"].items() if code.startswith("2")]
    for what, holder in (("Request", described.get("requestBody", {})), ("Answer", successes[0])):
        content: Mapping[str, Any] = holder.get("content", {}).get("application/json", {})
        if "example" in content:
            return what, json.dumps(content["example"], indent=2, ensure_ascii=False, default=str)
    return None


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]] | list[tuple[str, ...]]) -> Iterator[str]:
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def _name(wire: str, *, required: bool) -> str:
    return f"`{wire}`, required" if required else f"`{wire}`"


def _line(text: str) -> str:
    return " ".join(text.split())


def _anchor(heading: str) -> str:
    return _NOT_IN_ANCHORS.sub("", heading.lower()).replace(" ", "-")

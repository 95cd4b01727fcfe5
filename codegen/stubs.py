"""Writes the server's `stubs.py`: a protocol per tag, which the handlers of that tag conform to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from codegen.names import argument, pascal, snake
from codegen.spec_types import Answer, Api, Body, Media, Operation, Param

_SCALARS = {"integer": "int", "number": "float", "boolean": "bool", "string": "str", "datetime": "datetime"}
_PLAIN = {Answer.EMPTY: "None", Answer.TEXT: "str", Answer.BYTES: "bytes"}
_PARTS = {"file": "Part", "string": "str", "integer": "int", "boolean": "bool"}
_READERS = {"file": "part", "string": "form_text", "integer": "form_integer", "boolean": "form_boolean"}


@attrs.frozen
class FormMember:
    """One part of a form, as a member of its class."""

    name: str
    wire: str
    annotation: str
    reader: str
    required: bool
    doc: str


@attrs.frozen
class Form:
    """The class of one multipart body."""

    name: str
    members: tuple[FormMember, ...]


@attrs.frozen
class Handler:
    """One method of a protocol."""

    name: str
    is_async: bool
    arguments: tuple[tuple[str, str], ...]
    result: str
    doc: str


@attrs.frozen
class Protocol:
    """One protocol."""

    name: str
    field: str
    doc: str
    handlers: tuple[Handler, ...]


def context(api: Api) -> Mapping[str, Any]:
    """The variables of the template."""
    forms = {
        op.body.schema: form(op.body) for op in api.operations if op.body and op.body.media is Media.MULTIPART
    }
    protocols = [
        Protocol(
            name=pascal(tag.name),
            field=snake(tag.name),
            doc=tag.description or f"The operations of {tag.name}.",
            handlers=tuple(_handler(op) for op in api.of_tag(tag.name)),
        )
        for tag in api.tags
    ]
    return {"forms": list(forms.values()), "protocols": protocols}


def form_name(body: Body) -> str:
    """The class of a multipart body."""
    return f"{(body.schema or '').removesuffix('Request')}Form"


def form(body: Body) -> Form:
    """The class of a multipart body, with its members."""
    return Form(
        form_name(body),
        tuple(
            FormMember(
                name=argument(field.wire),
                wire=field.wire,
                annotation=_PARTS[field.kind],
                reader=_READERS[field.kind],
                required=field.required,
                doc=field.description,
            )
            for field in body.form
        ),
    )


def _handler(op: Operation) -> Handler:
    arguments = [(param.name, _annotation(param)) for param in op.params]
    if op.body is not None:
        arguments.append(("body", _body(op.body)))
    return Handler(
        name=snake(op.id),
        is_async=op.is_async,
        arguments=tuple(arguments),
        result=_result(op),
        doc=f"{op.summary}\n\n`{op.method} {op.path}`",
    )


def _annotation(param: Param) -> str:
    kind = f"models.{param.enum}" if param.enum else _SCALARS.get(param.kind, "str")
    if param.kind == "array":
        kind = f"list[{f'models.{param.enum}' if param.enum else _SCALARS[param.item_kind or 'string']}]"
    return kind if param.required else f"{kind} | Unset"


def _body(body: Body) -> str:
    if body.media is Media.RAW:
        return "bytes"
    kind = form_name(body) if body.media is Media.MULTIPART else f"models.{body.schema}"
    return kind if body.required else f"{kind} | Unset"


def _result(op: Operation) -> str:
    if op.stream is not None:
        return f"StreamAnswer[models.{op.stream.event}]"
    # A named list is a union already, of the page and the bare array.
    kind = _PLAIN[op.answer] if op.schema is None else f"models.{op.schema}"
    return f"{kind} | Answer[{kind}]"

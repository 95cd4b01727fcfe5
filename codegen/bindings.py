"""Writes the server's `bindings.py`: the table by which requests become calls of handlers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from codegen.names import snake
from codegen.spec_types import Api, Media, Operation, Param
from codegen.stubs import form_name


@attrs.frozen
class Row:
    """One binding: its members as Python texts, and its parameters."""

    members: Mapping[str, str]
    params: tuple[Mapping[str, str], ...]


def context(api: Api) -> Mapping[str, Any]:
    """The variables of the template."""
    return {"rows": [_row(op) for op in api.operations]}


def _row(op: Operation) -> Row:
    members = {
        "id": repr(op.id),
        "tag": repr(snake(op.tag)),
        "handler": repr(snake(op.id)),
        "method": repr(op.method),
        "path": repr(op.path),
        "scope": f"Scope.{op.scope.upper()}" if op.scope and not op.public else "None",
        "success": str(op.success),
    }
    if op.body is not None:
        members["body"] = repr(op.body.media.value.lower())
        members |= {"body_required": "True"} if op.body.required else {}
        if op.body.media is Media.JSON:
            members["decode_body"] = f"codec.decode_{snake(op.body.schema or '')}"
        if op.body.media is Media.MULTIPART:
            members["decode_body"] = f"stubs.{form_name(op.body)}.read"
    if op.schema is not None:
        members["encode"] = f"codec.encode_{snake(op.schema)}"
    if op.media_type != "application/json":
        members["media_type"] = repr(op.media_type)
    flags = {
        "accepts_key": op.accepts_key,
        "is_async": op.is_async,
        "bare_list": op.paging is not None and op.paging.bare,
    }
    members |= {name: "True" for name, holds in flags.items() if holds}
    return Row(members, tuple(_param(param) for param in op.params))


def _param(param: Param) -> Mapping[str, str]:
    members = {
        "wire": repr(param.wire),
        "name": repr(param.name),
        "where": repr(param.where),
        "kind": repr(param.kind),
    }
    members |= {
        name: "True" for name, holds in (("required", param.required), ("lenient", param.lenient)) if holds
    }
    limits = {"default": param.default, "minimum": param.minimum, "maximum": param.maximum}
    members |= {name: repr(value) for name, value in limits.items() if value is not None}
    if param.enum is not None:
        members["decode"] = f"models.{param.enum}"
    return members

"""Writes `operations.py`: one record per operation, with the function that decodes its answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from codegen.names import constant, snake
from codegen.spec_types import Answer, Api, Media, Operation

IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
_PLAIN = {Answer.EMPTY: ("None", "nothing"), Answer.TEXT: ("str", "text"), Answer.BYTES: ("bytes", "raw")}


@attrs.frozen
class Record:
    """One record: its name, its class with the type it yields, and its members as Python texts."""

    name: str
    kind: str
    result: str
    members: Mapping[str, str]


def result(op: Operation, unwrapped: Mapping[str, str]) -> str:
    """The type the SDK's method returns; `unwrapped` has the type inside each envelope."""
    if op.paging is not None:
        return f"models.{op.paging.item}"
    if op.schema is None:
        return _PLAIN[op.answer][0]
    return unwrapped.get(op.schema, f"models.{op.schema}") if op.unwrap else f"models.{op.schema}"


def context(api: Api, unwrapped: Mapping[str, str]) -> Mapping[str, Any]:
    """The variables of the template."""
    return {"records": [_record(op, unwrapped) for op in api.operations]}


def _record(op: Operation, unwrapped: Mapping[str, str]) -> Record:
    members = {
        "id": repr(op.id),
        "method": repr(op.method),
        "path": repr(op.path),
        "reply": f"Reply.{op.answer.value}",
        "decode": _decode(op),
    }
    if op.body is not None and op.body.media is not Media.NONE:
        members["body"] = f"Body.{op.body.media.value}"
    if op.success != 200 or len(op.statuses) > 1:
        members["success"] = f"frozenset({{{', '.join(map(str, op.statuses))}}})"
    if op.method in IDEMPOTENT:
        members["idempotent"] = "True"
    if op.accepts_key:
        members["accepts_key"] = "True"
    if op.public:
        members["authenticated"] = "False"
    if op.paging is not None:
        members |= _paging(op)
    if op.stream is not None:
        members["resume"] = repr(op.stream.resume)
    kind = "PagedOperation" if op.paging else "StreamOperation" if op.stream else "Operation"
    return Record(constant(op.id), kind, result(op, unwrapped), members)


def _decode(op: Operation) -> str:
    if op.paging is not None:
        return f"codec.decode_{snake(op.paging.item)}.many()"
    if op.schema is None:
        return _PLAIN[op.answer][1]
    decode = f"codec.decode_{snake(op.schema)}"
    return f"lambda answer: {decode}(answer).{snake(op.unwrap)}" if op.unwrap else decode


def _paging(op: Operation) -> dict[str, str]:
    paging = op.paging
    if paging is None:
        return {}
    members = {
        "decode_item": f"codec.decode_{snake(paging.item)}",
        "items": repr(paging.items),
        "page_info": repr(paging.info),
        "page_param": repr(paging.page),
        "size_param": repr(paging.size),
        "total_field": repr(paging.total),
    }
    optional = {"cursor": paging.cursor, "next_cursor": paging.next, "identity": paging.id}
    return members | {name: repr(value) for name, value in optional.items() if value is not None}

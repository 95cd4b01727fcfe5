"""Rules about streams of server-sent events: that `x-stream` says what is really there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from codegen.rules.document import Document, Operation, Problem
from codegen.source import is_object

EVENT_STREAM = "text/event-stream"
_MEMBERS = {"event", "resume"}


def streams_marked(document: Document) -> Iterator[Problem]:
    """Whatever answers server-sent events says so: it is sent, read and resumed unlike any other answer."""
    for operation in document.operations:
        answers = EVENT_STREAM in _success(document, operation)
        if answers != ("x-stream" in operation.value):
            sentence = f"{operation.title} needs both x-stream and a 200 of {EVENT_STREAM}, or neither."
            yield document.problem(operation.pointer, "streams-marked", sentence)


def streams_fit(document: Document) -> Iterator[Problem]:
    """`x-stream` names the schema of the events and the parameter a reader resumes with."""
    for operation in document.operations:
        if "x-stream" in operation.value:
            for sentence in _misfits(document, operation):
                where = f"{operation.pointer}/x-stream"
                yield document.problem(where, "streams-fit", f"x-stream of {operation.title}: {sentence}")


def _misfits(document: Document, operation: Operation) -> Iterator[str]:
    marks = operation.value["x-stream"]
    if not is_object(marks) or set(marks) != _MEMBERS:
        yield "it needs event and resume, and nothing else."
        return
    content = _success(document, operation)
    schema = document.resolve(content.get(EVENT_STREAM)).get("schema", {})
    if set(content) != {EVENT_STREAM} or schema != {"$ref": f"#/components/schemas/{marks['event']}"}:
        yield f"the 200 must answer {EVENT_STREAM} alone, with the schema {marks['event']}."
    elif "id" not in document.resolve(schema).get("properties", {}):
        yield f"{marks['event']} needs the property id, which a reader resumes with."
    names = {(str(p.get("in")), str(p.get("name")).lower()) for p in operation.parameters}
    if ("query", marks["resume"]) not in names:
        yield f"{marks['resume']} is not a query parameter."
    if ("header", "last-event-id") not in names:
        yield "the header Last-Event-ID must be a parameter: browsers resume with it."
    if operation.method != "get" or operation.value.get("x-handler") != "async":
        yield "a stream is a GET with x-handler: async."


def _success(document: Document, operation: Operation) -> dict[str, Any]:
    for _, status, response in document.responses(operation):
        if status == "200":
            content = response.get("content", {})
            return content if is_object(content) else {}
    return {}


RULES = (streams_marked, streams_fit)

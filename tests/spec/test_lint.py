"""Every rule of the linter catches a minimal bad document, and none complains about a good one."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from codegen.lint import RULES, lint, main

Change = Callable[[dict[str, Any]], object]


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "maxLength": 100, "description": description, **more}


def _number(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "integer", "minimum": 1, "maximum": 1000, "description": description, **more}


def _body(schema: str, example: Any) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": _ref("schemas", schema), "example": example}}}


def _answer(schema: str, example: Any) -> dict[str, Any]:
    return {"description": "What was asked for.", **_body(schema, example)}


_PAGING = {"items": "data", "info": "info", "page": "page", "size": "size", "total": "total", "id": "id"}
_NOTE = {"id": 1, "text": "Hello", "kind": "plain", "written": "2026-03-01T00:00:00Z", "reply": None}

GOOD: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Notes", "version": "1"},
    "security": [{"key": []}],
    "tags": [{"name": "notes", "description": "Notes."}],
    "paths": {
        "/notes": {
            "get": {
                "operationId": "listNotes",
                "tags": ["notes"],
                "summary": "List notes.",
                "x-sdk": "notes.list",
                "x-scope": "read",
                "x-paging": _PAGING,
                "parameters": [_ref("parameters", "Page"), _ref("parameters", "Size")],
                "responses": {
                    "200": _answer("NotePage", {"data": [_NOTE], "info": {"total": 1}}),
                    "400": _ref("responses", "Bad"),
                },
            },
            "post": {
                "operationId": "createNote",
                "tags": ["notes"],
                "summary": "Create a note.",
                "x-sdk": "notes.create",
                "x-scope": "write",
                "requestBody": {"required": True, **_body("NoteRequest", {"text": "Hello"})},
                "responses": {"201": _answer("Note", _NOTE), "400": _ref("responses", "Bad")},
            },
        },
        "/notes/{id}": {
            "parameters": [
                {
                    "name": "id",
                    "in": "path",
                    "required": True,
                    "description": "Which note.",
                    "schema": {"type": "integer", "minimum": 1, "maximum": 9},
                }
            ],
            "get": {
                "operationId": "getNote",
                "tags": ["notes"],
                "summary": "Read a note.",
                "x-sdk": "notes.get",
                "security": [],
                "responses": {"200": _answer("Note", _NOTE)},
            },
        },
    },
    "components": {
        "schemas": {
            "Error": {
                "type": "object",
                "description": "An error.",
                "required": ["error"],
                "properties": {"error": _text("What is wrong.")},
            },
            "Kind": {
                "type": "string",
                "description": "What it is.",
                "enum": ["plain", "rich"],
                "x-terminal": ["rich"],
            },
            "Reply": {
                "type": "object",
                "description": "A reply.",
                "properties": {"text": _text("Its text.")},
            },
            "Note": {
                "type": "object",
                "description": "A note.",
                "required": ["id", "text"],
                "properties": {
                    "id": _number("Its number."),
                    "text": _text("Its text."),
                    "kind": _ref("schemas", "Kind"),
                    "written": {
                        "type": "string",
                        "format": "date-time",
                        "description": "When it was written.",
                    },
                    "reply": {
                        "nullable": True,
                        "description": "The answer; null when there is none.",
                        "allOf": [_ref("schemas", "Reply")],
                    },
                },
            },
            "NoteRequest": {
                "type": "object",
                "description": "A new note.",
                "additionalProperties": False,
                "required": ["text"],
                "properties": {"text": _text("Its text."), "labels": _ref("schemas", "Labels")},
            },
            "Labels": {
                "type": "object",
                "description": "Labels by name.",
                "additionalProperties": {"type": "string", "maxLength": 9},
            },
            "PageInfo": {
                "type": "object",
                "description": "Which page.",
                "required": ["total"],
                "properties": {"total": _number("How many.")},
            },
            "NotePage": {
                "type": "object",
                "description": "A page.",
                "required": ["data", "info"],
                "properties": {
                    "data": {
                        "type": "array",
                        "maxItems": 9,
                        "description": "The notes.",
                        "items": _ref("schemas", "Note"),
                    },
                    "info": _ref("schemas", "PageInfo"),
                },
            },
        },
        "responses": {"Bad": {"description": "Malformed.", **_body("Error", {"error": "No."})}},
        "parameters": {
            "Page": {
                "name": "page",
                "in": "query",
                "description": "The page.",
                "x-lenient": True,
                "schema": {"type": "integer", "minimum": 1, "maximum": 9, "default": 1},
            },
            "Size": {
                "name": "size",
                "in": "query",
                "description": "Its size.",
                "schema": {"type": "integer", "minimum": 1, "maximum": 9, "default": 5},
            },
        },
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-Key", "description": "A key."}
        },
    },
}


def _list(document: dict[str, Any]) -> Any:
    return document["paths"]["/notes"]["get"]


def _create(document: dict[str, Any]) -> Any:
    return document["paths"]["/notes"]["post"]


def _get(document: dict[str, Any]) -> Any:
    return document["paths"]["/notes/{id}"]["get"]


def _schemas(document: dict[str, Any]) -> Any:
    return document["components"]["schemas"]


def _note(document: dict[str, Any]) -> Any:
    return _schemas(document)["Note"]["properties"]


def _media(holder: Any) -> Any:
    return holder["content"]["application/json"]


_JSON = {"application/json": {"schema": _ref("schemas", "Note"), "example": _NOTE}}


def _streamed(document: dict[str, Any]) -> Any:
    """Make the reading of one note a stream of its changes, with nothing wrong about it, and return it."""
    text = {"type": "string", "maxLength": 9}
    resume = {"in": "query", "name": "after", "description": "Where to resume.", "schema": text}
    answer = {
        "description": "Changes.",
        "content": {"text/event-stream": {"schema": _ref("schemas", "Note")}},
    }
    operation = _get(document)
    operation.update(
        {
            "x-stream": {"event": "Note", "resume": "after"},
            "x-handler": "async",
            "parameters": [resume, {**resume, "in": "header", "name": "Last-Event-ID"}],
            "responses": {"200": answer},
        }
    )
    return operation


BAD: list[tuple[str, str, Change]] = [
    ("openapi-version", "another version", lambda d: d.update(openapi="3.0.2")),
    ("valid-openapi", "no title", lambda d: d["info"].pop("title")),
    ("valid-openapi", "a default of another type", lambda d: _note(d)["id"].update(default="one")),
    ("no-recursion", "directly", lambda d: _note(d).update(reply=_ref("schemas", "Note"))),
    (
        "no-recursion",
        "through an array of another",
        lambda d: _schemas(d)["Reply"]["properties"].update(
            notes={"type": "array", "maxItems": 2, "description": "Them.", "items": _ref("schemas", "Note")}
        ),
    ),
    ("tags-described", "no description", lambda d: d["tags"][0].pop("description")),
    ("tags-described", "unused", lambda d: d["tags"].append({"name": "spare", "description": "Spare."})),
    ("tags-described", "twice", lambda d: d["tags"].append(d["tags"][0])),
    ("operation-ids", "missing", lambda d: _list(d).pop("operationId")),
    ("operation-ids", "twice", lambda d: _get(d).update(operationId="listNotes")),
    ("operation-ids", "no verb", lambda d: _get(d).update(operationId="noteGet")),
    ("operation-ids", "snake case", lambda d: _get(d).update(operationId="get_note")),
    ("one-declared-tag", "none", lambda d: _get(d).pop("tags")),
    ("one-declared-tag", "two", lambda d: _get(d).update(tags=["notes", "notes"])),
    ("one-declared-tag", "undeclared", lambda d: _get(d).update(tags=["others"])),
    ("summaries", "no summary", lambda d: _get(d).pop("summary")),
    ("summaries", "a parameter", lambda d: d["components"]["parameters"]["Page"].pop("description")),
    ("sdk-names", "missing", lambda d: _get(d).pop("x-sdk")),
    ("sdk-names", "malformed", lambda d: _get(d).update({"x-sdk": "Notes.get"})),
    ("sdk-names", "twice", lambda d: _get(d).update({"x-sdk": "notes.list"})),
    ("sdk-names", "method and resource", lambda d: _get(d).update({"x-sdk": "notes.list.get"})),
    ("scopes", "missing", lambda d: _list(d).pop("x-scope")),
    ("scopes", "unknown", lambda d: _list(d).update({"x-scope": "root"})),
    ("scopes", "on a public operation", lambda d: _get(d).update({"x-scope": "read"})),
    ("security-declared", "nowhere", lambda d: d.pop("security")),
    ("security-declared", "unknown scheme", lambda d: _get(d).update(security=[{"other": []}])),
    ("security-declared", "an empty alternative", lambda d: _get(d).update(security=[{"key": []}, {}])),
    ("success-present", "only errors", lambda d: _list(d)["responses"].pop("200")),
    (
        "errors-named",
        "a schema of another name",
        lambda d: _list(d)["responses"].update({"400": _answer("Note", _NOTE)}),
    ),
    ("errors-named", "no body", lambda d: d["components"]["responses"]["Bad"].pop("content")),
    ("path-parameters-exact", "missing", lambda d: d["paths"]["/notes/{id}"].pop("parameters")),
    (
        "path-parameters-exact",
        "other name",
        lambda d: d["paths"]["/notes/{id}"]["parameters"][0].update(name="no"),
    ),
    ("path-parameters-exact", "twice", lambda d: _list(d)["parameters"].append(_ref("parameters", "Page"))),
    ("extensions-known", "misspelt", lambda d: _list(d).update({"x-pagging": _PAGING})),
    ("streams-marked", "no mark", lambda d: _streamed(d).pop("x-stream")),
    ("streams-marked", "no stream", lambda d: _get(d).update({"x-stream": {}})),
    ("streams-fit", "no parameter", lambda d: _streamed(d)["x-stream"].pop("resume")),
    ("streams-fit", "another parameter", lambda d: _streamed(d)["x-stream"].update(resume="before")),
    ("streams-fit", "another event", lambda d: _streamed(d)["x-stream"].update(event="Reply")),
    ("streams-fit", "JSON, too", lambda d: _streamed(d)["responses"]["200"]["content"].update(_JSON)),
    ("streams-fit", "no header", lambda d: _streamed(d)["parameters"].pop()),
    ("streams-fit", "not asynchronous", lambda d: _streamed(d).pop("x-handler")),
    (
        "streams-fit",
        "an event without an id",
        lambda d: (_streamed(d), _schemas(d)["Note"].update(required=["text"]), _note(d).pop("id")),
    ),
    ("extensions-fit", "key without its header", lambda d: _create(d).update({"x-idempotency": True})),
    ("extensions-fit", "unknown body", lambda d: _create(d).update({"x-body": "cooked"})),
    (
        "extensions-fit",
        "lenient without default",
        lambda d: d["components"]["parameters"]["Page"]["schema"].pop("default"),
    ),
    (
        "extensions-fit",
        "terminal state that is none",
        lambda d: _schemas(d)["Kind"].update({"x-terminal": ["done"]}),
    ),
    ("lists-paged", "a page without x-paging", lambda d: _list(d).pop("x-paging")),
    ("paging-fits", "a parameter that is none", lambda d: _list(d)["parameters"].pop()),
    ("paging-fits", "incomplete", lambda d: _list(d)["x-paging"].pop("id")),
    ("paging-fits", "no such total", lambda d: _list(d)["x-paging"].update(total="count")),
    ("paging-fits", "no such items", lambda d: _list(d)["x-paging"].update(items="notes")),
    ("paging-fits", "no such id", lambda d: _list(d)["x-paging"].update(id="uuid")),
    ("paging-fits", "bare without an array", lambda d: _list(d)["x-paging"].update(bare=True)),
    ("paging-fits", "cursor without next", lambda d: _list(d)["x-paging"].update(cursor="page")),
    ("integers-bounded", "no maximum", lambda d: _note(d)["id"].pop("maximum")),
    (
        "integers-bounded",
        "in a parameter",
        lambda d: d["components"]["parameters"]["Size"]["schema"].pop("minimum"),
    ),
    ("strings-bounded", "no maxLength", lambda d: _note(d)["text"].pop("maxLength")),
    ("strings-bounded", "in a map", lambda d: _schemas(d)["Labels"]["additionalProperties"].pop("maxLength")),
    (
        "arrays-bounded",
        "no maxItems",
        lambda d: _schemas(d)["NotePage"]["properties"]["data"].pop("maxItems"),
    ),
    ("objects-named", "inline object", lambda d: _note(d).update(reply=_schemas(d)["Reply"])),
    ("objects-named", "inline enum", lambda d: _note(d).update(kind=_schemas(d)["Kind"])),
    (
        "objects-named",
        "inline body",
        lambda d: _media(_create(d)["requestBody"]).update(schema=_schemas(d)["NoteRequest"]),
    ),
    (
        "objects-named",
        "inline union",
        lambda d: _note(d).update(reply={"description": "Either.", "oneOf": [_ref("schemas", "Reply")]}),
    ),
    ("types-present", "no type", lambda d: _note(d)["text"].pop("type")),
    ("schema-names", "camel case", lambda d: _schemas(d).update(note=_schemas(d)["Note"])),
    ("described", "a property", lambda d: _note(d)["text"].pop("description")),
    ("described", "a schema", lambda d: _schemas(d)["Note"].pop("description")),
    ("described", "a composition", lambda d: _note(d)["reply"].pop("description")),
    ("request-objects-closed", "open", lambda d: _schemas(d)["NoteRequest"].pop("additionalProperties")),
    ("request-objects-closed", "open map below", lambda d: _schemas(d)["Labels"].pop("additionalProperties")),
    ("property-names", "reserved", lambda d: _note(d).update(self=_text("Itself."))),
    ("property-names", "one attribute", lambda d: _note(d).update(fooBar=_text("A."), foo_bar=_text("B."))),
    ("required-exist", "unknown member", lambda d: _schemas(d)["Note"]["required"].append("size")),
    ("defaults-expressible", "a date", lambda d: _note(d)["written"].update(default="2026-03-01T00:00:00Z")),
    (
        "defaults-expressible",
        "a filled array",
        lambda d: _schemas(d)["NotePage"]["properties"]["data"].update(default=[_NOTE]),
    ),
    ("enums-usable", "null", lambda d: _schemas(d)["Kind"]["enum"].append(None)),
    ("enums-usable", "one member", lambda d: _schemas(d)["Kind"]["enum"].append("Plain")),
    ("refs-alone", "a sibling", lambda d: _note(d)["kind"].update(nullable=True)),
    ("examples-present", "no request example", lambda d: _media(_create(d)["requestBody"]).pop("example")),
    ("examples-present", "no answer's example", lambda d: _media(_get(d)["responses"]["200"]).pop("example")),
    (
        "examples-valid",
        "wrong type",
        lambda d: _media(_get(d)["responses"]["200"]).update(example={"id": "1", "text": ""}),
    ),
    (
        "examples-valid",
        "unknown member",
        lambda d: _media(_create(d)["requestBody"])["example"].update(size=1),
    ),
    (
        "examples-valid",
        "not a date",
        lambda d: _media(_get(d)["responses"]["200"]).update(example=_NOTE | {"written": "yesterday"}),
    ),
    (
        "examples-valid",
        "null",
        lambda d: _media(_get(d)["responses"]["200"]).update(example=_NOTE | {"text": None}),
    ),
    ("examples-valid", "in a parameter", lambda d: d["components"]["parameters"]["Size"].update(example=10)),
    ("examples-valid", "in a property", lambda d: _note(d)["text"].update(example=7)),
    (
        "examples-valid",
        "a named one",
        lambda d: _media(_get(d)["responses"]["200"]).update(examples={"small": {"value": {}}}),
    ),
]


def _write(folder: Path, document: dict[str, Any]) -> Path:
    # JSON is YAML.
    root = folder / "openapi.yaml"
    root.write_text(json.dumps(document), encoding="utf-8")
    return root


def test_a_good_document_passes(tmp_path: Path) -> None:
    """The document that the others are made from has no problem itself."""
    assert lint(_write(tmp_path, GOOD)) == []


@pytest.mark.parametrize(("rule", "change"), [pytest.param(r, c, id=f"{r}: {why}") for r, why, c in BAD])
def test_a_rule_catches(rule: str, change: Change, tmp_path: Path) -> None:
    """One change makes the document bad, and the rule says so."""
    document = copy.deepcopy(GOOD)
    change(document)
    assert rule in {problem.rule for problem in lint(_write(tmp_path, document))}


def test_every_rule_is_shown_to_catch_something(tmp_path: Path) -> None:
    """A rule added without a bad document above could be one that never fires."""
    silent = {rule.__name__ for rule in RULES}
    from codegen.bundle import bundle
    from codegen.rules.document import Document

    for _, _, change in BAD:
        document = copy.deepcopy(GOOD)
        change(document)
        seen = Document(bundle(_write(tmp_path, document)))
        silent -= {rule.__name__ for rule in RULES if rule.__name__ in silent and any(rule(seen))}
    assert silent == {"no_unused_entries"}, "no_unused_entries needs two files and has its own test"


def test_an_unused_entry_is_named_with_its_file(tmp_path: Path) -> None:
    """Files that no ref reaches are looked at, too."""
    document = copy.deepcopy(GOOD)
    (tmp_path / "more.yaml").write_text("Spare: {type: string}\n", encoding="utf-8")
    [problem] = lint(_write(tmp_path, document))
    assert (problem.rule, problem.where) == ("no-unused-entries", "more.yaml#/Spare")


def test_a_problem_is_placed_in_the_file_it_was_written_in(tmp_path: Path) -> None:
    """People edit files, not the bundled document."""
    document = copy.deepcopy(GOOD)
    note = _schemas(document).pop("Note")
    note["properties"]["text"].pop("maxLength")
    note["properties"]["kind"]["$ref"] = "../openapi.yaml#/components/schemas/Kind"
    note["properties"]["reply"]["allOf"][0]["$ref"] = "../openapi.yaml#/components/schemas/Reply"
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "notes.yaml").write_text(json.dumps({"Note": note}), encoding="utf-8")
    text = json.dumps(document).replace('#/components/schemas/Note"', 'schemas/notes.yaml#/Note"')
    (tmp_path / "openapi.yaml").write_text(text, encoding="utf-8")
    [problem] = lint(tmp_path)
    assert str(problem) == (
        "schemas/notes.yaml#/Note/properties/text: The string needs maxLength. [strings-bounded]"
    )


def test_a_good_stream_passes(tmp_path: Path) -> None:
    """The streams that the others are made from have no problem themselves."""
    document = copy.deepcopy(GOOD)
    _streamed(document)
    assert lint(_write(tmp_path, document)) == []


def test_a_health_check_may_answer_503_with_its_usual_body(tmp_path: Path) -> None:
    """Readiness says what is missing in its own shape."""
    document = copy.deepcopy(GOOD)
    _get(document)["responses"]["503"] = _answer("Note", _NOTE)
    assert lint(_write(tmp_path, document)) == []


def test_a_bare_array_beside_the_page_is_a_list_too(tmp_path: Path) -> None:
    """A union of page and array is a list, and says so by `bare`."""
    document = copy.deepcopy(GOOD)
    array = {"type": "array", "maxItems": 9, "description": "All.", "items": _ref("schemas", "Note")}
    union = {"description": "Both.", "oneOf": [_ref("schemas", "NotePage"), _ref("schemas", "NoteArray")]}
    _schemas(document).update(NoteArray=array, NoteList=union)
    _media(_list(document)["responses"]["200"])["schema"] = _ref("schemas", "NoteList")
    root = _write(tmp_path, document)
    assert [problem.rule for problem in lint(root)] == ["paging-fits"]
    _list(document)["x-paging"]["bare"] = True
    assert lint(_write(tmp_path, document)) == []


def test_what_cannot_be_bundled_is_one_problem(tmp_path: Path) -> None:
    """A broken ref is reported like any other problem."""
    document = copy.deepcopy(GOOD)
    _note(document)["kind"]["$ref"] = "nowhere.yaml#/Kind"
    [problem] = lint(_write(tmp_path, document))
    assert problem.rule == "bundle"
    assert "nowhere.yaml" in problem.sentence


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints every problem and fails if there is one."""
    document = copy.deepcopy(GOOD)
    root = str(_write(tmp_path, document))
    assert main([root]) == 0
    assert capsys.readouterr().out == f"{root}: no problems\n"
    _get(document).pop("summary")
    _write(tmp_path, document)
    assert main([root]) == 1
    first, last = capsys.readouterr().out.splitlines()
    assert first == f"{root}: openapi.yaml#/paths/~1notes~1{{id}}/get: getNote needs a summary. [summaries]"
    assert last == f"{root}: 1 problem"

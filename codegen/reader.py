"""From a bundled document to the records of `spec_types`; what the emitters do not know is refused here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from codegen.errors import SpecError
from codegen.names import argument
from codegen.spec_types import (
    Answer,
    Api,
    Body,
    FormField,
    Media,
    Operation,
    Paging,
    Param,
    Schema,
    Stream,
    Tag,
)

METHODS = ("get", "put", "post", "delete", "patch", "head", "options")
EVENT_STREAM = "text/event-stream"
SAFE_TEXT = ("text/", "application/yaml", "application/x-yaml")
_KINDS = {
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "string": "string",
    "array": "array",
}


def read(name: str, document: Mapping[str, Any]) -> Api:
    """Read a bundled document.

    Raises:
        SpecError: it uses something the generator does not know, or leaves out something it needs.
    """
    return _Reader(name, document).api()


class _Reader:
    def __init__(self, name: str, document: Mapping[str, Any]) -> None:
        self._name = name
        self._document = document
        self._schemas: Mapping[str, Schema] = document.get("components", {}).get("schemas", {})
        self._base = str(document.get("servers", [{"url": "/"}])[0]["url"]).rstrip("/")
        self._forms: set[str] = set()

    def api(self) -> Api:
        operations = tuple(
            self._operation(path, method, item[method], item.get("parameters", []))
            for path, item in self._document["paths"].items()
            for method in METHODS
            if method in item
        )
        self._refuse_twins(operations)
        used = {op.tag for op in operations}
        known = {tag["name"]: tag.get("description", "") for tag in self._document.get("tags", [])}
        names = [name for name in known if name in used] + sorted(used - set(known))
        return Api(
            name=self._name,
            title=self._document["info"]["title"],
            tags=tuple(Tag(name=name, description=known.get(name, "")) for name in names),
            operations=operations,
            schemas={
                name: schema
                for name, schema in self._schemas.items()
                if name not in self._forms and schema.get("format") != "binary"
            },
            document=self._document,
        )

    def _refuse_twins(self, operations: tuple[Operation, ...]) -> None:
        for what, names in (
            ("operationId", [op.id for op in operations]),
            ("x-sdk", [".".join((*op.resource, op.verb)) for op in operations]),
        ):
            for twin in sorted({name for name in names if names.count(name) > 1}):
                raise SpecError(f"{what} {twin}", "The name is given twice.")

    def _operation(self, path: str, method: str, op: Schema, shared: list[Schema]) -> Operation:
        where = f"{method.upper()} {path}"
        for needed in ("operationId", "tags", "summary", "x-sdk", "responses"):
            if needed not in op:
                raise SpecError(where, f"The operation has no {needed}.")
        names = str(op["x-sdk"]).split(".")
        if len(names) < 2:
            raise SpecError(where, "x-sdk must read `resource.method`.")
        params = _told_apart(
            [self._param(where, self._resolve(p)) for p in [*shared, *op.get("parameters", [])]]
        )
        statuses, answer, media_type, schema = self._success(where, op["responses"])
        security = op.get("security", self._document.get("security", []))
        paging = self._paging(where, op.get("x-paging"), schema, params)
        return Operation(
            id=op["operationId"],
            tag=op["tags"][0],
            resource=tuple(names[:-1]),
            verb=names[-1],
            method=method.upper(),
            path=self._base + path,
            summary=op["summary"],
            description=op.get("description", ""),
            params=params,
            body=self._body(where, op),
            answer=answer,
            schema=schema,
            unwrap=None if paging else self._envelope_member(schema),
            media_type=media_type,
            success=statuses[0],
            statuses=statuses,
            failures=self._failures(op["responses"]),
            paging=paging,
            stream=self._stream(where, op.get("x-stream"), answer, schema, params),
            scope=op.get("x-scope"),
            public=not security,
            accepts_key=bool(op.get("x-idempotency")),
            is_async=op.get("x-handler") == "async",
            deprecated=bool(op.get("deprecated")),
        )

    def _resolve(self, node: Schema) -> Schema:
        while "$ref" in node:
            found: Any = self._document
            for part in node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            node = found
        return node

    def _named(self, where: str, schema: Schema) -> str:
        """The name of a schema that stands here by reference."""
        if "allOf" in schema and len(schema["allOf"]) == 1:
            schema = schema["allOf"][0]
        ref = schema.get("$ref", "")
        if not ref.startswith("#/components/schemas/"):
            raise SpecError(where, "The schema must be a $ref to a named one.")
        return str(ref.rpartition("/")[2])

    def _param(self, where: str, param: Schema) -> Param:
        where = f"{where}, parameter {param['name']}"
        outer = param.get("schema", {})
        schema = self._resolve(outer)
        items = self._resolve(schema["items"]) if schema.get("type") == "array" else None
        holder, inner = (schema["items"], items) if items is not None else (outer, schema)
        kind = _KINDS.get(schema.get("type", ""))
        if kind is None or param["in"] not in ("path", "query", "header"):
            raise SpecError(where, "A parameter is a scalar or an array, in path, query or header.")
        if items is not None and (param.get("explode") is False or param.get("style", "form") != "form"):
            raise SpecError(where, "An array is sent by repeating the parameter.")
        if schema.get("format") == "date-time":
            kind = "datetime"
        return Param(
            wire=param["name"],
            name=argument(param["name"]),
            where=param["in"],
            kind=kind,  # type: ignore[arg-type]  # one of the values above
            item_kind=items.get("type") if items is not None else None,
            enum=self._named(where, holder) if "enum" in inner else None,
            enum_is_integer=inner.get("type") == "integer",
            required=bool(param.get("required")),
            lenient=bool(param.get("x-lenient")),
            default=schema.get("default"),
            minimum=schema.get("minimum"),
            maximum=schema.get("maximum"),
            description=param.get("description", schema.get("description", "")),
        )

    def _body(self, where: str, op: Schema) -> Body | None:
        if "requestBody" not in op:
            return None
        body = self._resolve(op["requestBody"])
        required, description = bool(body.get("required")), body.get("description", "")
        media_type = next(iter(body["content"]))
        schema = body["content"][media_type].get("schema", {})
        if op.get("x-body") == "raw" or media_type == "application/octet-stream":
            return Body(media=Media.RAW, media_type=media_type, required=required, description=description)
        name = self._named(f"{where}, request body", schema)
        if media_type == "multipart/form-data":
            self._forms.add(name)
            form = self._form(where, self._schemas[name])
            return Body(
                media=Media.MULTIPART, media_type=media_type, required=required, schema=name, form=form
            )
        if media_type != "application/json":
            raise SpecError(where, f"A request body of {media_type} needs `x-body: raw`.")
        return Body(
            media=Media.JSON, media_type=media_type, required=required, schema=name, description=description
        )

    def _form(self, where: str, schema: Schema) -> tuple[FormField, ...]:
        fields: list[FormField] = []
        for wire, outer in schema.get("properties", {}).items():
            part = self._resolve(outer)
            kind = "file" if part.get("format") == "binary" else part.get("type", "")
            if kind not in ("file", "string", "integer", "boolean"):
                raise SpecError(
                    f"{where}, part {wire}", "A part is a file, a text, an integer or a truth value."
                )
            fields.append(
                FormField(
                    wire=wire,
                    kind=kind,  # type: ignore[arg-type]  # one of the values above
                    required=wire in schema.get("required", ()),
                    description=outer.get("description", part.get("description", "")),
                )
            )
        return tuple(fields)

    def _success(
        self, where: str, responses: Schema
    ) -> tuple[tuple[int, ...], Answer, str | None, str | None]:
        good = {int(code): self._resolve(r) for code, r in responses.items() if code.startswith("2")}
        if not good:
            raise SpecError(where, "The operation names no success (2xx).")
        found = {self._content(f"{where}, {code}", response) for code, response in good.items()}
        if len(found) > 1:
            raise SpecError(where, "All successes of an operation must answer the same schema.")
        return (tuple(sorted(good)), *found.pop())

    def _content(self, where: str, response: Schema) -> tuple[Answer, str | None, str | None]:
        content = response.get("content", {})
        if not content:
            return Answer.EMPTY, None, None
        media_type = next(iter(content))
        if media_type in ("application/json", EVENT_STREAM):
            answer = Answer.JSON if media_type == "application/json" else Answer.EVENTS
            return answer, media_type, self._named(where, content[media_type].get("schema", {}))
        return (Answer.TEXT if media_type.startswith(SAFE_TEXT) else Answer.BYTES), media_type, None

    def _stream(
        self, where: str, marks: Schema | None, answer: Answer, schema: str | None, params: tuple[Param, ...]
    ) -> Stream | None:
        if (marks is None) != (answer is not Answer.EVENTS):
            raise SpecError(where, f"x-stream and an answer of {EVENT_STREAM} belong together.")
        if marks is None:
            return None
        if marks["event"] != schema:
            raise SpecError(
                where, f"x-stream names the event {marks['event']}, but the answer's is {schema}."
            )
        if not any(param.where == "query" and param.wire == marks["resume"] for param in params):
            raise SpecError(where, "x-stream names a parameter the operation does not have.")
        return Stream(event=marks["event"], resume=marks["resume"])

    def _failures(self, responses: Schema) -> tuple[tuple[int, str], ...]:
        found = {int(c): self._resolve(r) for c, r in responses.items() if c.isdigit() and int(c) >= 400}
        return tuple((code, found[code].get("description", "")) for code in sorted(found))

    def _envelope_member(self, schema: str | None) -> str | None:
        """An envelope around one object is `data` and `metadata`; around an array it is a page."""
        if schema is None:
            return None
        properties = self._schemas[schema].get("properties", {})
        if (
            set(properties) != {"data", "metadata"}
            or self._resolve(properties["data"]).get("type") == "array"
        ):
            return None
        return "data"

    def _paging(
        self, where: str, marks: Schema | None, schema: str | None, params: tuple[Param, ...]
    ) -> Paging | None:
        if marks is None:
            return None
        if schema is None:
            raise SpecError(where, "A paged operation answers JSON.")
        arms = [self._named(where, arm) for arm in self._schemas[schema].get("oneOf", [])] or [schema]
        schemas = [self._schemas[arm] for arm in arms]
        pages = [page for page in schemas if marks["items"] in page.get("properties", {})]
        if len(pages) != 1:
            raise SpecError(where, f"x-paging names `{marks['items']}`, which the answer does not have.")
        elements = self._resolve(pages[0]["properties"][marks["items"]])
        sizes = [param for param in params if param.wire == marks["size"]]
        if not sizes or not any(param.wire == marks["page"] for param in params):
            raise SpecError(where, "x-paging names parameters the operation does not have.")
        return Paging(
            items=marks["items"],
            info=marks["info"],
            page=marks["page"],
            size=marks["size"],
            total=marks["total"],
            cursor=marks.get("cursor"),
            next=marks.get("next"),
            id=marks.get("id"),
            bare=bool(marks.get("bare")),
            default_size=sizes[0].default or 50,
            item=self._named(f"{where}, elements", elements.get("items", {})),
        )


def _told_apart(params: list[Param]) -> tuple[Param, ...]:
    """A header that has the name of another parameter is `..._header` to the handler."""
    others = {param.name for param in params if param.where != "header"}
    return tuple(
        attrs.evolve(param, name=f"{param.name}_header")
        if param.where == "header" and param.name in others
        else param
        for param in params
    )

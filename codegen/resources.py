"""Writes `resources/sync.py` and `resources/aio.py`, both from one template, so they cannot drift apart."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Any

import attrs

from akmatori_sdk._core.model import UNSET
from codegen.errors import SpecError
from codegen.loading import Loaded
from codegen.names import argument, constant, pascal, sentence, snake
from codegen.operations import result
from codegen.spec_types import Api, Body, FormField, Media, Operation, Param

# Arguments every method may have, which a member of a body cannot be called.
TAKEN = frozenset({"self", "options", "page_size", "max_items"})
# Headers that the SDK sends by itself.
OWN_HEADERS = frozenset({"idempotency-key", "last-event-id"})
_SCALARS = {"integer": "int", "number": "float", "boolean": "bool", "string": "str", "datetime": "datetime"}
_MISSING = {"Unset": "{0} is UNSET", "None": "{0} is None"}
_ERRORS = {
    400: "BadRequestError",
    401: "UnauthorizedError",
    403: "ForbiddenError",
    404: "NotFoundError",
    409: "ConflictError",
    422: "UnprocessableError",
    429: "RateLimitedError",
    503: "UnavailableError",
}


@attrs.frozen
class Argument:
    """One argument of a method. `value` is the expression for the call, `default` a Python text."""

    name: str
    wire: str
    annotation: str
    default: str | None
    doc: str
    value: str


@attrs.frozen
class Method:
    """One method."""

    name: str
    constant: str
    result: str
    paged: bool
    streamed: bool
    path: tuple[Argument, ...]
    query: tuple[Argument, ...]
    headers: tuple[Argument, ...]
    body: tuple[Argument, ...]
    form: tuple[Argument, ...]
    json: str | None
    content: str | None
    signature: tuple[str, ...]
    doc: str


@attrs.frozen
class Resource:
    """One class."""

    name: str
    attribute: str
    doc: str
    methods: tuple[Method, ...]
    children: tuple[Resource, ...]

    def all(self) -> list[Resource]:
        """This resource behind those below it, as the classes have to be defined."""
        return [*(r for child in self.children for r in child.all()), self]


class ResourceWriter:
    """Makes the tree of resources."""

    def __init__(self, api: Api, loaded: Loaded, unwrapped: Mapping[str, str]) -> None:
        self._api = api
        self._loaded = loaded
        self._unwrapped = unwrapped
        names = sorted((*loaded.models, *loaded.enums, *loaded.aliases), key=len, reverse=True)
        self._names = re.compile(rf"\b({'|'.join(map(re.escape, names))})\b") if names else None

    def context(self) -> Mapping[str, Any]:
        """The variables of the template."""
        tops = tuple(self._resource((name,)) for name in self._below(()))
        return {"resources": [r for top in tops for r in top.all()], "tops": tops}

    def _below(self, path: tuple[str, ...]) -> list[str]:
        depth = len(path)
        paths = [op.resource for op in self._api.operations]
        return list(dict.fromkeys(p[depth] for p in paths if len(p) > depth and p[:depth] == path))

    def _resource(self, path: tuple[str, ...]) -> Resource:
        own = [op for op in self._api.operations if op.resource == path]
        tags = [tag for tag in self._api.tags if any(op.tag == tag.name for op in own)]
        described = tags[0].description if tags and len(path) == 1 else ""
        methods = tuple(self._method(op) for op in own)
        children = tuple(self._resource((*path, name)) for name in self._below(path))
        for twin in {m.name for m in methods} & {c.attribute for c in children}:
            raise SpecError(".".join((*path, twin)), "A method and a resource below have the same name.")
        title = " ".join(snake(part).replace("_", " ") for part in path)
        return Resource(
            name="".join(pascal(part) for part in path),
            attribute=argument(path[-1]),
            doc=described or f"Operations on {title}.",
            methods=methods,
            children=children,
        )

    def _method(self, op: Operation) -> Method:
        hidden = {op.paging.page, op.paging.size, op.paging.cursor} if op.paging else set[str | None]()
        shown = [p for p in op.params if p.wire not in hidden and p.wire.lower() not in OWN_HEADERS]
        path = tuple(self._param(p) for p in shown if p.where == "path")
        taken = TAKEN | {a.name for a in path}
        query = tuple(self._param(p) for p in shown if p.where == "query")
        headers = tuple(self._param(p) for p in shown if p.where == "header")
        if (op.paging or op.stream) and (headers or op.body is not None):
            raise SpecError(op.id, "A paged or streamed operation takes neither headers nor a body.")
        body, json, content, form = self._body(op.body, taken)
        names = [a.name for a in (*path, *query, *headers, *body, *form)]
        for twin in {name for name in names if names.count(name) > 1}:
            raise SpecError(op.id, f"Two arguments would be called {twin}.")
        keywords = sorted([*body, *form, *query, *headers], key=lambda a: a.default is not None)
        if op.body and op.body.media is Media.RAW and op.body.media_type != "application/octet-stream":
            kind = repr(op.body.media_type)
            headers = (Argument("content_type", "Content-Type", "str", kind, "", kind), *headers)
        return Method(
            name=argument(op.verb),
            constant=constant(op.id),
            result=result(op, self._unwrapped),
            paged=op.paging is not None,
            streamed=op.stream is not None,
            path=path,
            query=query,
            headers=headers,
            body=body,
            form=form,
            json=json,
            content=content,
            signature=_signature(op, path, keywords),
            doc=_doc(op, [*path, *keywords]),
        )

    def _param(self, param: Param) -> Argument:
        name = argument(param.wire, TAKEN)
        kind = _SCALARS.get(param.kind, "")
        if param.enum is not None:
            kind = f"models.{param.enum} | {'int' if param.enum_is_integer else 'str'}"
        elif param.kind == "array":
            kind = _SCALARS[param.item_kind or "string"]
        if param.kind == "array":
            kind = f"Sequence[{kind}]"
        return Argument(
            name=name,
            wire=param.wire,
            annotation=kind if param.required else f"{kind} | Unset",
            default=None if param.required else "UNSET",
            doc=param.description,
            value=name,
        )

    def _body(
        self, body: Body | None, taken: frozenset[str] | set[str]
    ) -> tuple[tuple[Argument, ...], str | None, str | None, tuple[Argument, ...]]:
        """The arguments of a body, and the expressions for `json` and `content`, and the parts of a form."""
        if body is None:
            return (), None, None, ()
        if body.media is Media.RAW:
            doc = body.description or "The body, sent as it is."
            return (Argument("body", "", "bytes", None, doc, "body"),), None, "body", ()
        if body.media is Media.MULTIPART:
            return (), None, None, tuple(_form_argument(field, taken) for field in body.form)
        name = body.schema or ""
        encode = f"codec.encode_{snake(name)}"
        cls = self._loaded.models.get(name)
        if cls is None or any(a.name == "extra" for a in attrs.fields(cls)):
            doc = body.description or str(self._api.schema(name).get("description", "The body."))
            annotation, default, json = f"models.{name}", None, f"{encode}(body)"
            if not body.required:
                annotation, default = f"{annotation} | Unset", "UNSET"
                json = f"UNSET if body is UNSET else {json}"
            return (Argument("body", "", annotation, default, doc, "body"),), json, None, ()
        arguments = tuple(self._member(name, a, taken) for a in attrs.fields(cls))
        values = ", ".join(
            f"{a.name}={arg.value}" for a, arg in zip(attrs.fields(cls), arguments, strict=True)
        )
        return arguments, f"{encode}(models.{name}({values}))", None, ()

    def _member(self, schema: str, attribute: Any, taken: frozenset[str] | set[str]) -> Argument:
        """A member of a body as an argument of its own."""
        name: str = attribute.name
        wire: str = attribute.metadata.get("json", name)
        # The path says which one, so the member of the same name is what it becomes.
        name = f"new_{name}" if name in taken - TAKEN else argument(name, TAKEN)
        annotation = self._annotation(attribute.type)
        value = name
        enums = [
            e for e in self._loaded.enums if re.fullmatch(rf"models\.{e}( \| (None|Unset))*", annotation)
        ]
        if enums:
            plain = "int" if issubclass(self._loaded.enums[enums[0]], int) else "str"
            annotation = annotation.replace(f"models.{enums[0]}", f"models.{enums[0]} | {plain}", 1)
            value = f"models.{enums[0]}({name})"
            missing = [test for word, test in _MISSING.items() if word in annotation]
            value = f"{name} if {' or '.join(missing).format(name)} else {value}" if missing else value
        default = self._default(attribute)
        if default is not None and default.endswith("()"):
            # A mutable default is made anew in each call.
            value = f"{default} if {name} is UNSET else {value}"
            annotation, default = f"{annotation} | Unset", "UNSET"
        doc = self._description(self._api.schema(schema), wire)
        return Argument(name, wire, annotation, default, doc, value)

    def _annotation(self, text: str) -> str:
        text = self._names.sub(r"models.\1", text) if self._names else text
        # A method called `list` hides the type from the annotations that follow it.
        return re.sub(r"\blist\[", "list_[", text)

    def _default(self, attribute: Any) -> str | None:
        value = attribute.default
        if value is attrs.NOTHING:
            return None
        if isinstance(value, attrs.Factory):  # type: ignore[arg-type]  # attrs types its class as a function
            return "list_()" if isinstance(value.factory(), list) else "dict()"
        is_member = isinstance(value, enum.Enum) and value is not UNSET
        return f"models.{type(value).__name__}.{value.name}" if is_member else repr(value)

    def _description(self, schema: Mapping[str, Any], wire: str) -> str:
        """What the specification says about a member, or about its type."""
        parts = [schema, *(self._resolved(part) for part in schema.get("allOf", []))]
        found = [part["properties"][wire] for part in parts if wire in part.get("properties", {})]
        member: Mapping[str, Any] = found[0] if found else {}
        while True:
            if member.get("description"):
                return str(member["description"])
            if "$ref" in member:
                member = self._resolved(member)
            elif len(member.get("allOf", [])) == 1:
                member = member["allOf"][0]
            else:
                return ""

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._api.schema(schema["$ref"].rpartition("/")[2]) if "$ref" in schema else schema


def _form_argument(field: FormField, taken: frozenset[str] | set[str]) -> Argument:
    name = argument(field.wire)
    name = f"new_{name}" if name in taken - TAKEN else argument(field.wire, TAKEN)
    kind = {"file": "Upload", "string": "str", "integer": "int", "boolean": "bool"}[field.kind]
    annotation = kind if field.required else f"{kind} | Unset"
    return Argument(
        name, field.wire, annotation, None if field.required else "UNSET", field.description, name
    )


def _signature(op: Operation, path: tuple[Argument, ...], keywords: list[Argument]) -> tuple[str, ...]:
    """The arguments of a method: the path's by position, then what must be given, then the rest."""
    plain = [f"{a.name}: {a.annotation}" for a in path]
    named = [
        f"{a.name}: {a.annotation}" + (f" = {a.default}" if a.default is not None else "") for a in keywords
    ]
    if op.paging is not None:
        named += [f"page_size: int = {op.paging.default_size}", "max_items: int | None = None"]
    return ("self", *plain, "*", *named, "options: CallOptions | None = None")


def _doc(op: Operation, arguments: list[Argument]) -> str:
    """A docstring's text in Google style."""
    parts = [op.summary, op.description] if op.description else [op.summary]
    if op.deprecated:
        parts.append("Deprecated: it will go away in a later version.")
    entries = [
        (a.name, " ".join(a.doc.split()) or f"The {a.name.strip('_').replace('_', ' ')}.") for a in arguments
    ]
    if op.paging is not None:
        entries += [
            ("page_size", "How many items one request fetches."),
            ("max_items", "After how many items to stop; all of them when left out."),
        ]
    entries.append(("options", "Timeout, retries and headers for this call only."))
    parts.append("Args:\n" + "\n".join(f"    {name}: {doc}" for name, doc in entries))
    raised = [f"    {_error(code)}: {code}. {sentence(text)}".rstrip() for code, text in op.failures]
    if raised:
        parts.append("Raises:\n" + "\n".join(raised))
    return "\n\n".join(part.strip() for part in parts)


def _error(status: int) -> str:
    return _ERRORS.get(status, "ServerError" if status >= 500 else "StatusError")

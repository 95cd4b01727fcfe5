"""Rules about operations: names, security, answers, parameters, and the extensions the generators read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from codegen.rules.document import Document, Operation, Problem
from codegen.source import escape, is_array, is_object

# The verbs an operationId may begin with. Add one when the domain has it, not a synonym of one of these.
VERBS = frozenset({
    "acknowledge", "activate", "approve", "cancel", "check", "clear", "complete", "create", "delete", "download", "get",
    "list", "login", "put", "receive", "reject", "replay", "retry", "revoke", "search", "stream", "sync", "test",
    "trigger", "update", "upload", "validate", "verify",
})  # fmt: skip
SCOPES = ("read", "write", "admin")
_OPERATION_ID = re.compile(r"^([a-z]+)(?:[A-Z][A-Za-z0-9]*)?$")
_SDK_NAME = re.compile(r"^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)+$")
_EXTENSIONS = frozenset({
    "x-sdk", "x-scope", "x-paging", "x-idempotency", "x-lenient", "x-secret", "x-terminal", "x-body",
    "x-handler", "x-stream",
})  # fmt: skip


def operation_ids(document: Document) -> Iterator[Problem]:
    """Ids are unique (a second one would silently lose its security), camelCase, and begin with a verb."""
    counts = Counter(operation.value.get("operationId") for operation in document.operations)
    for operation in document.operations:
        name = operation.value.get("operationId")
        if not isinstance(name, str):
            yield document.problem(operation.pointer, "operation-ids", "The operation needs an operationId.")
            continue
        match = _OPERATION_ID.match(name)
        if match is None or match[1] not in VERBS:
            sentence = f"{name} must be camelCase and begin with one of: {', '.join(sorted(VERBS))}."
            yield document.problem(operation.pointer, "operation-ids", sentence)
        if counts[name] > 1:
            sentence = f"Another operation is called {name}, too."
            yield document.problem(operation.pointer, "operation-ids", sentence)


def one_declared_tag(document: Document) -> Iterator[Problem]:
    """An operation has one tag, which the document declares: the tag is the handler type it belongs to."""
    declared = {tag.get("name") for tag in document.root.get("tags", []) if is_object(tag)}
    for operation in document.operations:
        tags = operation.value.get("tags", [])
        if len(tags) != 1:
            sentence = f"{operation.title} needs exactly one tag."
            yield document.problem(operation.pointer, "one-declared-tag", sentence)
        for tag in tags:
            if tag not in declared:
                sentence = f"The tag {tag} of {operation.title} is not declared in `tags`."
                yield document.problem(operation.pointer, "one-declared-tag", sentence)


def summaries(document: Document) -> Iterator[Problem]:
    """Operations have a summary, parameters a description: they become docstrings."""
    for operation in document.operations:
        if not str(operation.value.get("summary", "")).strip():
            yield document.problem(operation.pointer, "summaries", f"{operation.title} needs a summary.")
        for parameter in operation.parameters:
            if not str(parameter.get("description", "")).strip():
                sentence = f"The parameter {parameter.get('name')} of {operation.title} needs a description."
                yield document.problem(operation.pointer, "summaries", sentence)


def sdk_names(document: Document) -> Iterator[Problem]:
    """`x-sdk` names the SDK's method: well-formed, unique, and a method is not also a resource."""
    names = {operation.pointer: operation.value.get("x-sdk") for operation in document.operations}
    counts = Counter(names.values())
    resources = {name.rpartition(".")[0] for name in names.values() if isinstance(name, str)}
    for operation in document.operations:
        name = names[operation.pointer]
        if not isinstance(name, str) or not _SDK_NAME.match(name):
            sentence = f"{operation.title} needs x-sdk in the form resource.method."
        elif counts[name] > 1:
            sentence = f"Another operation has x-sdk {name}, too."
        elif any(name == resource or resource.startswith(f"{name}.") for resource in resources):
            sentence = f"x-sdk {name} is a method here and a resource elsewhere."
        else:
            continue
        yield document.problem(operation.pointer, "sdk-names", sentence)


def scopes(document: Document) -> Iterator[Problem]:
    """An operation that asks for a credential says which scope it must have; a public one has none."""
    for operation in document.operations:
        scope = operation.value.get("x-scope")
        if _security(document, operation) == [] and scope is not None:
            sentence = f"{operation.title} is public, so it has no x-scope."
            yield document.problem(operation.pointer, "scopes", sentence)
        if _security(document, operation) != [] and scope not in SCOPES:
            sentence = f"{operation.title} needs x-scope: {', '.join(SCOPES)}."
            yield document.problem(operation.pointer, "scopes", sentence)


def security_declared(document: Document) -> Iterator[Problem]:
    """Every operation asks for declared schemes, or says `security: []`; an empty one lets all in."""
    schemes = document.component("securitySchemes")
    for operation in document.operations:
        security = _security(document, operation)
        if not is_array(security):
            sentence = f"{operation.title} needs `security`; write [] if it is public."
            yield document.problem(operation.pointer, "security-declared", sentence)
            continue
        for requirement in security:
            if not is_object(requirement) or not requirement:
                sentence = (
                    f"{operation.title} lets everybody in by an empty requirement; write `security: []`."
                )
                yield document.problem(operation.pointer, "security-declared", sentence)
                continue
            for name in requirement:
                if name not in schemes:
                    sentence = f"The security scheme {name} of {operation.title} is not declared."
                    yield document.problem(operation.pointer, "security-declared", sentence)


def success_present(document: Document) -> Iterator[Problem]:
    """Every operation says what it answers when all goes well."""
    for operation in document.operations:
        statuses = [status for _, status, _ in document.responses(operation)]
        if not any(re.match(r"^[23]\d\d$", status) for status in statuses):
            sentence = f"{operation.title} has no success response."
            yield document.problem(operation.pointer, "success-present", sentence)


def errors_named(document: Document) -> Iterator[Problem]:
    """Errors answer a schema called an error; a health check may answer 503 with its usual body."""
    for operation in document.operations:
        bodies = [media for media in document.bodies if media.operation is operation]
        usual = [media.value.get("schema") for media in bodies if media.status and media.status[0] == "2"]
        for pointer, status, response in document.responses(operation):
            if status[0] not in "45" and status != "default":
                continue
            content = response.get("content", {})
            schemas = [media.get("schema", {}) for media in content.values()]
            named = [s for s in schemas if str(s.get("$ref", "")).endswith("Error")]
            if not schemas or (named != schemas and not (status == "503" and schemas[0] in usual)):
                sentence = f"The {status} of {operation.title} must answer a schema whose name ends in Error."
                yield document.problem(pointer, "errors-named", sentence)


def path_parameters_exact(document: Document) -> Iterator[Problem]:
    """The parameters of the path are those in its braces, each required; no parameter is there twice."""
    for operation in document.operations:
        declared = [p for p in operation.parameters if p.get("in") == "path"]
        wanted, names = set(re.findall(r"\{([^}]*)\}", operation.path)), {p.get("name") for p in declared}
        if wanted != names or not all(p.get("required") is True for p in declared):
            listed = ", ".join(sorted(wanted)) or "none"
            sentence = (
                f"{operation.title} must declare the path's parameters, required and no others: {listed}."
            )
            yield document.problem(operation.pointer, "path-parameters-exact", sentence)
        counts = Counter((p.get("name"), p.get("in")) for p in operation.parameters)
        for (name, place), count in counts.items():
            if count > 1:
                sentence = f"{operation.title} declares {name} in {place} twice."
                yield document.problem(operation.pointer, "path-parameters-exact", sentence)


def extensions_known(document: Document) -> Iterator[Problem]:
    """A misspelt extension would be ignored in silence."""
    for pointer, name in _extensions(document.root, ""):
        if name not in _EXTENSIONS:
            sentence = f"{name} is not an extension the generators know."
            yield document.problem(pointer, "extensions-known", sentence)


def extensions_fit(document: Document) -> Iterator[Problem]:
    """The extensions say something that can be."""
    for operation in document.operations:
        headers = {str(p.get("name")).lower() for p in operation.parameters if p.get("in") == "header"}
        if (operation.value.get("x-idempotency") is True) != ("idempotency-key" in headers):
            sentence = (
                f"{operation.title} needs x-idempotency: true and the Idempotency-Key header, or neither."
            )
            yield document.problem(operation.pointer, "extensions-fit", sentence)
        for name, allowed in (("x-body", "raw"), ("x-handler", "async")):
            if operation.value.get(name, allowed) != allowed:
                sentence = f"{name} of {operation.title} can only be {allowed}."
                yield document.problem(operation.pointer, "extensions-fit", sentence)
        for parameter in operation.parameters:
            if "x-lenient" in parameter and "default" not in parameter.get("schema", {}):
                sentence = f"The lenient parameter {parameter.get('name')} needs a default to fall back to."
                yield document.problem(operation.pointer, "extensions-fit", sentence)
    for schema in document.schemas:
        terminal = schema.value.get("x-terminal")
        if terminal is not None and not set(terminal) <= set(schema.value.get("enum", [])):
            sentence = "x-terminal must list values of the enum it stands on."
            yield document.problem(schema.pointer, "extensions-fit", sentence)


def _security(document: Document, operation: Operation) -> object:
    return operation.value.get("security", document.root.get("security"))


def _extensions(value: object, pointer: str) -> Iterator[tuple[str, str]]:
    """Every `x-` member of the document that is a word of the specification, not a name or data."""
    if is_object(value):
        named = pointer.endswith(("/properties", "/headers", "/parameters", "/examples"))
        for key, each in value.items():
            if key.startswith("x-") and not named:
                yield pointer, key
            elif key not in {"example", "default", "value"} or named:
                yield from _extensions(each, f"{pointer}/{escape(key)}")
    elif is_array(value):
        for index, each in enumerate(value):
            yield from _extensions(each, f"{pointer}/{index}")


RULES = (
    operation_ids,
    one_declared_tag,
    summaries,
    sdk_names,
    scopes,
    security_declared,
    success_present,
    errors_named,
    path_parameters_exact,
    extensions_known,
    extensions_fit,
)

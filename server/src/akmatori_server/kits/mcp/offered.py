"""What a server offers, as functions: its words are data, bounded, and never trusted to be well formed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast

import attrs
import jsonschema_rs
import orjson

from akmatori_server.mcp_servers.connection import OfferedTool
from akmatori_server.tools.definition import ToolFunction

MOST_FUNCTIONS = 128
LONGEST_NAME = 64
LONGEST_DESCRIPTION = 1500
LARGEST_SCHEMA = 32 * 1024
DEEPEST_SCHEMA = 24
# Of the sentences about what was left out.
MOST_TOLD = 5

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_REFERENCES = frozenset({"$ref", "$dynamicRef", "$recursiveRef"})
# They name the schema, or the rules it is written by; both would be looked for elsewhere.
_NAMES_OF_SCHEMA = frozenset({"$id", "$schema", "id"})


class BrokenSchemaError(Exception):
    """A schema cannot be used; the sentence says why."""


@attrs.frozen
class RemoteFunction:
    """A function, and what the server calls it."""

    function: ToolFunction
    remote_name: str


@attrs.frozen
class Offered:
    """The functions of a server by our names, and a sentence for each tool that was left out."""

    functions: Mapping[str, RemoteFunction]
    complaints: tuple[str, ...]


def offered(tools: Iterable[OfferedTool], *, server: str, read_functions: Collection[str] = ()) -> Offered:
    """Return the functions that can be used.

    Args:
        tools: what the server told.
        server: its prefix, for the descriptions.
        read_functions: functions that only read whatever the server says of them.
    """
    functions: dict[str, RemoteFunction] = {}
    complaints: list[str] = []
    for tool in tools:
        name = safe_name(tool.name)
        if len(functions) == MOST_FUNCTIONS:
            complaints.append(f"It offers more than {MOST_FUNCTIONS} tools; the others are left out.")
            break
        if not name or name in functions:
            why = f"another tool is called {name}, too" if name else "its name has no letter that can be used"
            complaints.append(f"The tool {tool.name[:LONGEST_NAME]!r} is left out: {why}.")
            continue
        try:
            parameters = checked_schema(tool.input_schema)
        except BrokenSchemaError as error:
            complaints.append(f"The tool {name} is left out: {error}")
            continue
        function = ToolFunction(
            name=name,
            description=description(tool.description, server),
            read_only=tool.is_read_only or name in read_functions,
            parameters=parameters,
        )
        functions[name] = RemoteFunction(function, tool.name)
    return Offered(functions, tuple(complaints))


def told(complaints: Sequence[str]) -> list[str]:
    """Return as many of the sentences as a person reads, and how many more there are."""
    more = len(complaints) - MOST_TOLD
    return [*complaints[:MOST_TOLD], *([f"{more} more are left out."] if more > 0 else [])]


def safe_name(name: str) -> str:
    """Return a name that every provider of models takes."""
    return _UNSAFE.sub("_", name).strip("_")[:LONGEST_NAME]


def description(text: str, server: str) -> str:
    """Return a description that says whose words it is, without characters nobody sees."""
    visible = "".join(letter for letter in text if letter.isprintable() or letter in "\n\t").strip()
    words = visible if len(visible) <= LONGEST_DESCRIPTION else f"{visible[:LONGEST_DESCRIPTION]}…"
    return (
        f"In the words of the MCP server {server}: {words}"
        if words
        else f"A tool of the MCP server {server}."
    )


def checked_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of an object of arguments, small and whole.

    Raises:
        BrokenSchemaError: it is not one, or leads elsewhere.
    """
    try:
        if len(orjson.dumps(schema)) > LARGEST_SCHEMA:
            raise BrokenSchemaError(f"its schema is larger than {LARGEST_SCHEMA:,} bytes.")
    except (TypeError, orjson.JSONEncodeError):
        raise BrokenSchemaError("its schema is nested too deeply.") from None
    own = {name: member for name, member in schema.items() if name not in _NAMES_OF_SCHEMA}
    if own.setdefault("type", "object") != "object":
        raise BrokenSchemaError("its arguments are not an object.")
    _check_references(own)
    try:
        jsonschema_rs.validator_for(own, retriever=_nowhere)
    except ValueError:
        raise BrokenSchemaError("its schema breaks the rules of JSON Schema.") from None
    return own


def _check_references(schema: object) -> None:
    waiting: list[tuple[object, int]] = [(schema, 0)]
    while waiting:
        part, level = waiting.pop()
        if level > DEEPEST_SCHEMA:
            raise BrokenSchemaError("its schema is nested too deeply.")
        if isinstance(part, list):
            waiting += [(member, level + 1) for member in cast("list[object]", part)]
        elif isinstance(part, Mapping):
            members = cast("Mapping[str, object]", part)
            for name in _REFERENCES & members.keys():
                reference = members[name]
                if not isinstance(reference, str) or not reference.startswith("#"):
                    raise BrokenSchemaError("its schema leads to another document, which is not fetched.")
            waiting += [(member, level + 1) for member in members.values()]


def _nowhere(_uri: str) -> Any:
    raise ValueError("not fetched")

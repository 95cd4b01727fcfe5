"""The functions that read what the team wrote: skills, runbooks, context files. They need no tool."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from akmatori_server.agent.library import Library
from akmatori_server.context_files.references import references_in
from akmatori_server.incidents.storable import JSON
from akmatori_server.toolbox.models import ToolFailedError
from akmatori_server.tools.definition import ToolFunction

PAGE = 24 * 1024
EXCERPT = 200


@attrs.frozen
class Reading:
    """What the functions read from."""

    library: Library


@attrs.frozen
class Reader:
    """One function: how it is described, and what it does."""

    function: ToolFunction
    read: Callable[[Reading, Mapping[str, JSON]], str]


def _skill_read(reading: Reading, arguments: Mapping[str, JSON]) -> str:
    name = str(arguments["name"])
    text = reading.library.skill_text(name)
    if text is None:
        known = ", ".join(note.name for note in reading.library.skills()) or "none"
        raise ToolFailedError(f"There is no enabled skill {name[:100]}; there are {known}.")
    files = references_in(text)
    note = (
        f"\n\n(Refers to context files: {', '.join(files)}. Read them by context_file_read.)" if files else ""
    )
    return (text or "(This skill has no text.)") + note


def _runbook_search(reading: Reading, arguments: Mapping[str, JSON]) -> str:
    found = reading.library.search_runbooks(str(arguments["text"]))
    if not found:
        return "No runbook has any of these words."
    lines = [
        f"{match.id}  {match.score:.2f}  {match.title}: {' '.join(match.content.split())[:EXCERPT]}"
        for match in found
    ]
    return "\n".join(["number  score  title: beginning", *lines])


def _runbook_read(reading: Reading, arguments: Mapping[str, JSON]) -> str:
    number = arguments["number"]
    runbook = reading.library.runbook(number) if isinstance(number, int) else None
    if runbook is None:
        raise ToolFailedError(f"There is no runbook {number}; search with runbook_search.")
    return _part(f"# {runbook.title}\n\n{runbook.content}", arguments)


def _context_file_read(reading: Reading, arguments: Mapping[str, JSON]) -> str:
    name = str(arguments["name"])
    text = reading.library.context_text(name)
    if text is None:
        known = ", ".join(file.filename for file in reading.library.context_files()[:100]) or "none"
        raise ToolFailedError(
            f"There is no text to be read in a context file {name[:100]}; there are {known}."
        )
    return _part(text, arguments)


def _part(text: str, arguments: Mapping[str, JSON]) -> str:
    offset = arguments.get("offset")
    begin = offset if isinstance(offset, int) else 0
    part = text[begin : begin + PAGE]
    if begin + PAGE < len(text):
        part += f"\n\n(The text has {len(text):,} characters; read on with offset {begin + PAGE}.)"
    return part or "(Nothing follows.)"


_OFFSET: dict[str, JSON] = {
    "type": "integer",
    "minimum": 0,
    "maximum": 10_000_000,
    "description": "Where to begin, in characters.",
}


def _function(name: str, description: str, parameters: Mapping[str, JSON], *required: str) -> ToolFunction:
    schema: dict[str, JSON] = {
        "type": "object",
        "properties": dict(parameters),
        "required": list(required),
        "additionalProperties": False,
    }
    return ToolFunction(name=name, description=description, read_only=True, parameters=schema)


READERS: Mapping[str, Reader] = {
    "skill_read": Reader(
        _function(
            "skill_read",
            "Read the instructions of an enabled skill before you work on what it is about.",
            {"name": {"type": "string", "maxLength": 64}},
            "name",
        ),
        _skill_read,
    ),
    "runbook_search": Reader(
        _function(
            "runbook_search",
            "Find runbooks by words of the problem: component, symptom, error message.",
            {"text": {"type": "string", "minLength": 1, "maxLength": 1000}},
            "text",
        ),
        _runbook_search,
    ),
    "runbook_read": Reader(
        _function(
            "runbook_read",
            "Read a runbook by the number that runbook_search gave.",
            {
                "number": {"type": "integer", "minimum": 1, "maximum": 9007199254740991},
                "offset": dict(_OFFSET),
            },
            "number",
        ),
        _runbook_read,
    ),
    "context_file_read": Reader(
        _function(
            "context_file_read",
            "Read a context file: what the team wrote down about its systems.",
            {"name": {"type": "string", "maxLength": 255}, "offset": dict(_OFFSET)},
            "name",
        ),
        _context_file_read,
    ),
}

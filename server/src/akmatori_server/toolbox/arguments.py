"""Checking the arguments of a call against its function, with words that help to put them right."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, cast

import jsonschema_rs

from akmatori_server.incidents.storable import JSON
from akmatori_server.toolbox.models import ToolFailedError
from akmatori_server.tools.definition import ToolFunction

MOST_COMPLAINTS = 5
LONGEST_COMPLAINT = 300


def checked_arguments(function: ToolFunction, arguments: Mapping[str, JSON]) -> dict[str, JSON]:
    """Return the arguments with the function's defaults in place of those left out.

    A null for an optional argument is the same as leaving it out: many models send every member.

    Raises:
        ToolFailedError: they do not keep the schema; the sentence says what to change.
    """
    schema = dict(function.parameters)
    properties = cast("Mapping[str, Mapping[str, Any]]", schema.get("properties") or {})
    required = cast("list[str]", schema.get("required") or [])
    given: dict[str, JSON] = {
        name: value for name, value in arguments.items() if value is not None or name in required
    }
    for name, member in properties.items():
        if "default" in member and name not in given:
            given[name] = member["default"]
    complaints = [
        *_missing(given, required),
        *_unknown(given, list(properties), is_open=schema.get("additionalProperties") is not False),
        *_wrong(schema, given),
    ]
    if complaints:
        raise ToolFailedError("The arguments are wrong: " + " ".join(complaints[:MOST_COMPLAINTS]))
    return given


def _missing(given: Mapping[str, JSON], required: list[str]) -> list[str]:
    sentences: list[str] = []
    for name in required:
        if name in given:
            continue
        near = difflib.get_close_matches(name, [other for other in given if other not in required], n=1)
        hint = f" (is {near[0]} meant as that?)" if near else ""
        sentences.append(f"{name} must be given{hint}.")
    return sentences


def _unknown(given: Mapping[str, JSON], known: list[str], *, is_open: bool) -> list[str]:
    if is_open:
        return []
    sentences: list[str] = []
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known) or 'none'}."
            sentences.append(f"{name[:60]} is no argument; {hint}")
    return sentences


def _wrong(schema: dict[str, Any], given: Mapping[str, JSON]) -> list[str]:
    try:
        validator = jsonschema_rs.validator_for(schema)
    except ValueError as unreadable:
        raise ToolFailedError(
            "The function's own description of its arguments cannot be read."
        ) from unreadable
    sentences: list[str] = []
    for error in validator.iter_errors(dict(given)):
        # Said above, with a hint.
        if str(getattr(error.kind, "name", "")) in {"required", "additionalProperties"} and not list(
            error.instance_path
        ):
            continue
        place = ".".join(str(step) for step in error.instance_path) or "the arguments"
        sentences.append(f"{place}: {error.message}"[:LONGEST_COMPLAINT] + ".")
    return sentences

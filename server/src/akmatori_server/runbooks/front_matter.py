"""What stands between two lines of dashes at the top of a runbook: YAML for programs, above the text for people.

It is a part of the runbook's text and shown as such. A text that begins with a line of dashes for its looks, with
prose behind it, has no front matter.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

import attrs

from akmatori_server.incidents.storable import JSON
from akmatori_server.probes import Probe, read_with_faults
from akmatori_server.runbooks.plain_yaml import PlainYamlError, read_plain_yaml

LARGEST = 64 * 1024
MARK = "---"
PROBES = "probes"
NEVER_CLOSED = "The front matter is never closed: a line of three dashes must stand below it."

_HEADING = re.compile(r"# [^\n]*\n\s*")
_MENTIONS_PROBES = re.compile(r"(?m)^[\"']?probes[\"']?[ \t]*:")


class FrontMatterError(ValueError):
    """Front matter that cannot be used; the sentence says why."""


@attrs.frozen
class Parts:
    """A runbook's text in two: the front matter, None when there is none, and what people read."""

    matter: str | None
    body: str


def split(content: str) -> Parts:
    """Take a runbook's text apart."""
    lines = content.removeprefix("\ufeff").lstrip("\r\n").split("\n")
    if lines[0].rstrip() != MARK:
        return Parts(None, content)
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == MARK:
            matter = "\n".join(lines[1:number])
            if _is_prose(matter):
                break
            return Parts(matter, "\n".join(lines[number + 1 :]).lstrip("\r\n"))
    return Parts(None, content)


def body_of(content: str) -> str:
    """Return what people read of a runbook."""
    return split(content).body


def without_heading(text: str) -> str:
    """Return the content of a runbook's file: what follows the title."""
    heading = _HEADING.match(text)
    return text[heading.end() :] if heading and text[heading.end() :].startswith(MARK) else text


def probes_of(content: str) -> tuple[Probe, ...]:
    """Return the probes that a runbook, or a skill's file, declares.

    Raises:
        FrontMatterError: its front matter cannot be used; the sentence says what is wrong.
    """
    probes, faults = probes_with_faults(content)
    if faults:
        raise FrontMatterError(faults[0])
    return probes


def probes_with_faults(content: str) -> tuple[tuple[Probe, ...], tuple[str, ...]]:
    """Return the probes that can be used, and all that is wrong with the front matter, a sentence each."""
    matter = split(content).matter
    if matter is None:
        return (), ((NEVER_CLOSED,) if _is_never_closed(content) else ())
    try:
        members = _members(matter)
    except FrontMatterError as error:
        return (), (str(error),)
    declared = members.get(PROBES)
    if declared is not None:
        return read_with_faults(declared)
    meant = [name for name in members if difflib.get_close_matches(name.lower(), [PROBES], cutoff=0.8)]
    if meant and PROBES not in members:
        return (), (f"{meant[0]}: is not known in the front matter; did you mean {PROBES}?",)
    return (), ()


def complaint_of(content: str) -> str:
    """Return what is wrong with a runbook's front matter as a sentence; "" when nothing is."""
    try:
        probes_of(content)
    except FrontMatterError as error:
        return str(error)
    return ""


def _is_never_closed(content: str) -> bool:
    """Whether probes stand under a first line of dashes that has no second one."""
    lines = content.removeprefix("\ufeff").lstrip("\r\n").split("\n")
    is_open = lines[0].rstrip() == MARK and all(line.rstrip() != MARK for line in lines[1:])
    return is_open and _MENTIONS_PROBES.search(content) is not None


def _is_prose(matter: str) -> bool:
    if _MENTIONS_PROBES.search(matter):
        return False
    try:
        return len(matter) > LARGEST or not isinstance(read_plain_yaml(matter), dict)
    except PlainYamlError:
        return True


def _members(matter: str) -> Mapping[str, JSON]:
    if len(matter) > LARGEST:
        raise FrontMatterError(f"The front matter may have {LARGEST} characters at most.")
    try:
        loaded = read_plain_yaml(matter)
    except PlainYamlError as error:
        # The line of dashes is the first.
        where = f"line {error.line + 1}"
        raise FrontMatterError(f"The front matter is not valid YAML at {where}: {error.reason}.") from None
    if not isinstance(loaded, dict):
        raise FrontMatterError("The front matter must be a mapping, such as probes: followed by a list.")
    return loaded

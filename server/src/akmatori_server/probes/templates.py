r"""Putting what an alert says into the arguments of a call: `{{ labels.instance }}`.

An alert's texts are data that anybody who can raise an alert may have chosen. Where nothing is known of what an
argument means, a value is put in only when none of its characters could end a text, a word or a path. A filter
says what the argument is (`promql`, `shell`, `sql`, `json`, `url`) and writes the value as one literal of it,
its quotes included; then it may hold anything.
"""

from __future__ import annotations

import enum
import json
import re
import shlex
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from urllib.parse import quote

import attrs

from akmatori_server.correlation.durations import parse_duration
from akmatori_server.incidents.storable import JSON

LONGEST_TEMPLATE = 16_384
LONGEST_VALUE = 1000
GROUPS = ("labels", "annotations", "context")
TIMES = ("started_at", "now")
EXPRESSION = "expression"
NAMES = (
    "alert_name", "severity", "status", "summary", "description", "host", "hostname", "service", "source", "task",
    "metric_name", "metric_value", "threshold", "runbook_url", EXPRESSION, "listed_host",
)  # fmt: skip
"""What an alert's facts are called, beside `labels.…`, `annotations.…`, `context.…`, `started_at` and `now`."""

# Arguments that are a language: a value that is all of one would be a program that the alert brought along.
LANGUAGES = (
    "command",
    "query",
    "expr",
    "expression",
    "sql",
    "jql",
    "path",
    "script",
    "code",
    "filter",
    "match",
)

_SLOT = re.compile(r"(\\?)\{\{(.*?)\}\}", re.DOTALL)
_INSIDE = re.compile(
    r"\s*(?P<path>(?:started_at|now)(?=[\s|+-]|$)|[A-Za-z_][^\s|{}]*)"
    r"\s*(?:(?P<sign>[+-])\s*(?P<shift>[0-9a-z]+)\s*)?(?:\|\s*(?P<filter>[a-z_]+)\s*)?"
)
_HARMLESS = re.compile(r"[A-Za-z0-9_./:-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")


class TemplateError(ValueError):
    """A template that cannot be used; the sentence is for its author."""


class MissingValueError(Exception):
    """The alert does not say what a template asks for; the text is the path."""


class UnfitValueError(Exception):
    """What the alert says cannot be put where the template has it; the sentence says why."""


class Filter(enum.StrEnum):
    """What a value becomes part of."""

    NONE = ""
    PROMQL = "promql"
    SHELL = "shell"
    SQL = "sql"
    JSON = "json"
    URL = "url"
    TEXT = "text"
    UNIX = "unix"


_QUOTING = frozenset((Filter.PROMQL, Filter.SHELL, Filter.SQL, Filter.JSON))


@attrs.frozen
class Known:
    """What is known of an alert, by path."""

    texts: Mapping[str, str]
    now: datetime
    started_at: datetime | None = None

    def moment(self, name: str) -> datetime | None:
        """Return a time."""
        return self.now if name == "now" else self.started_at

    def with_texts(self, texts: Mapping[str, str]) -> Known:
        """Return the same and more."""
        return attrs.evolve(self, texts={**self.texts, **texts})


@attrs.frozen
class Slot:
    """Where a value is put in."""

    path: str
    shift: timedelta | None = None
    filter: Filter = Filter.NONE


@attrs.frozen
class Template:
    """A text with slots."""

    parts: tuple[str | Slot, ...]

    @property
    def slots(self) -> list[Slot]:
        """The places for values."""
        return [part for part in self.parts if isinstance(part, Slot)]

    def filled(self, known: Known) -> str:
        """Return the text with its values, as an argument of a call.

        Raises:
            MissingValueError: the alert does not say one of them.
            UnfitValueError: one of them could mean something else there.
        """
        return "".join(part if isinstance(part, str) else _argument(part, known) for part in self.parts)

    def told(self, known: Known, *, missing: str = "?") -> str:
        """Return the text with its values, for people: nothing is escaped, and what is missing is shown so."""
        return "".join(part if isinstance(part, str) else _shown(part, known, missing) for part in self.parts)


Argument: TypeAlias = "Template | dict[str, Argument] | list[Argument] | int | float | bool | None"
"""An argument as it is declared: JSON with templates for texts."""


def parse_template(text: str, *, more: Collection[str] = (), argument: str = "") -> Template:
    """Read a template.

    Args:
        text: as it is written.
        more: further names (or beginnings of names, when they end with a dot) that are known.
        argument: the argument that it is for; "" for a text that people read.

    Raises:
        TemplateError: it cannot be used.
    """
    if len(text) > LONGEST_TEMPLATE:
        raise TemplateError(f"may have {LONGEST_TEMPLATE} characters at most.")
    parts: list[str | Slot] = []
    end = 0
    for found in _SLOT.finditer(text):
        parts.append(text[end : found.start()])
        end = found.end()
        if found[1]:
            # \{{ is what is written, for languages that use the same braces.
            parts.append(found[0][1:])
            continue
        slot = _slot(found[2], more)
        if argument:
            whole = found.start() == 0 and found.end() == len(text)
            _check_place(
                slot, "".join(part if isinstance(part, str) else "x" for part in parts), argument, whole=whole
            )
        parts.append(slot)
    rest = text[end:]
    if re.search(r"(?<!\\)\{\{", rest):
        raise TemplateError("has {{ without }}; write \\{{ for the braces themselves.")
    parts.append(rest.replace("\\{{", "{{"))
    return Template(tuple(part for part in parts if part != ""))


def filled(argument: Argument, known: Known) -> JSON:
    """Return an argument with its values; raises what `Template.filled` raises."""
    if isinstance(argument, Template):
        return argument.filled(known)
    if isinstance(argument, dict):
        return {name: filled(member, known) for name, member in argument.items()}
    if isinstance(argument, list):
        return [filled(item, known) for item in argument]
    return argument


def _slot(inside: str, more: Collection[str]) -> Slot:
    shown = "{{" + inside + "}}"
    found = _INSIDE.fullmatch(inside)
    if found is None:
        raise TemplateError(
            f"{shown} is not understood: write {{{{ labels.instance }}}} or {{{{ started_at - 15m }}}}."
        )
    path, shift, kind = found["path"], None, found["filter"] or ""
    if not _is_known(path, more):
        raise TemplateError(
            f"{shown}: {path} is not known; there are labels.NAME, annotations.NAME, context.NAME,"
            f" {', '.join((*TIMES, *NAMES, *(name.rstrip('.') for name in more)))}."
        )
    if kind not in set(Filter):
        raise TemplateError(
            f"{shown}: {kind} is no filter; there are {', '.join(one for one in Filter if one)}."
        )
    if found["sign"]:
        if path not in TIMES:
            raise TemplateError(f"{shown}: only started_at and now can be added to.")
        try:
            shift = parse_duration(found["shift"]) * (-1 if found["sign"] == "-" else 1)
        except ValueError as error:
            raise TemplateError(f"{shown}: {found['shift']} {error}") from None
    if kind == Filter.UNIX and path not in TIMES:
        raise TemplateError(f"{shown}: unix is for started_at and now.")
    return Slot(path, shift, Filter(kind))


def _is_known(path: str, more: Collection[str]) -> bool:
    group, dot, name = path.partition(".")
    if dot and name and group in GROUPS:
        return True
    return path in TIMES or path in NAMES or any(
        path == one or (one.endswith(".") and path.startswith(one) and path != one) for one in more
    )  # fmt: skip


def _check_place(slot: Slot, before: str, argument: str, *, whole: bool) -> None:
    shown = f"{{{{ {slot.path} }}}}"
    if slot.filter in _QUOTING and _is_quoted(before, slot.filter):
        raise TemplateError(f"{shown}: {slot.filter} writes the quotes itself; take away those around it.")
    if slot.filter is Filter.TEXT and not whole:
        raise TemplateError(f"{shown}: text is for a value that is all of an argument.")
    if whole and argument.lower() in LANGUAGES and slot.path not in {EXPRESSION, *TIMES}:
        raise TemplateError(f"{shown}: the alert would choose the whole {argument}; write it yourself.")
    if slot.path == EXPRESSION and not whole:
        raise TemplateError(f"{shown}: the alert's expression can only be all of an argument.")


def _is_quoted(before: str, kind: Filter) -> bool:
    """Whether what follows this text stands between quotes."""
    opened, skip = "", False
    for character in before:
        if skip:
            skip = False
        elif character == "\\" and kind is not Filter.SQL and not (kind is Filter.SHELL and opened == "'"):
            skip = True
        elif opened:
            opened = "" if character == opened else opened
        elif character in "\"'`":
            opened = character
    return bool(opened)


def _argument(slot: Slot, known: Known) -> str:
    if slot.path in TIMES:
        return _time(slot, known)
    value = known.texts.get(slot.path, "")
    if not value:
        raise MissingValueError(slot.path)
    if slot.path == EXPRESSION:
        return value
    if len(value) > LONGEST_VALUE:
        raise UnfitValueError(f"{slot.path} has more than {LONGEST_VALUE} characters.")
    return _WRITERS[slot.filter](slot.path, value)


def _time(slot: Slot, known: Known) -> str:
    moment = known.moment(slot.path)
    if moment is None:
        raise MissingValueError(slot.path)
    moment = (moment + (slot.shift or timedelta())).astimezone(UTC)
    return str(int(moment.timestamp())) if slot.filter is Filter.UNIX else f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _shown(slot: Slot, known: Known, missing: str) -> str:
    if slot.path in TIMES:
        return missing if known.moment(slot.path) is None else _time(slot, known)
    return known.texts.get(slot.path, "") or missing


def _plainly(path: str, value: str) -> str:
    if _HARMLESS.fullmatch(value) and not value.startswith("-") and ".." not in value and "--" not in value:
        return value
    raise UnfitValueError(
        f"{path} is {json.dumps(value[:100], ensure_ascii=False)}, which could mean something else where it is put;"
        f" write {{{{ {path} | promql }}}} (or shell, sql, json, url, text) without quotes around it."
    )


def _promql(_path: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'


def _shell(path: str, value: str) -> str:
    _refuse_control(path, value)
    if value.startswith("-"):
        raise UnfitValueError(f"{path} begins with a dash, so a command would take it for an option.")
    return shlex.quote(value)


def _sql(path: str, value: str) -> str:
    _refuse_control(path, value)
    if "\\" in value:
        raise UnfitValueError(f"{path} holds a backslash, which some databases take for an escape.")
    return "'" + value.replace("'", "''") + "'"


def _text(path: str, value: str) -> str:
    _refuse_control(path, value)
    return value


def _refuse_control(path: str, value: str) -> None:
    if _CONTROL.search(value):
        raise UnfitValueError(f"{path} holds the end of a line, or another character that is not written.")


def _url(path: str, value: str) -> str:
    # A dot cannot be escaped, and a step of dots only leads elsewhere.
    if not value.strip("."):
        raise UnfitValueError(f"{path} is a step that leads up in a path.")
    return quote(value.encode("utf-8", "replace"), safe="")


_WRITERS: Mapping[Filter, Callable[[str, str], str]] = {
    Filter.NONE: _plainly,
    Filter.PROMQL: _promql,
    Filter.SHELL: _shell,
    Filter.SQL: _sql,
    Filter.JSON: lambda _path, value: json.dumps(value),
    Filter.URL: _url,
    Filter.TEXT: _text,
}

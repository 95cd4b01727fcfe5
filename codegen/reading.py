"""The expressions that read one JSON value; checks stand inline, because a call per member costs twice."""

from __future__ import annotations

import re
import typing
from datetime import date, datetime
from typing import Any

import attrs

from codegen.errors import SpecError
from codegen.names import constant


@attrs.frozen
class Expression:
    """An expression over the variable `v`; `guard` must hold first, or the value is wrong."""

    text: str
    guard: str | None = None

    @property
    def is_plain(self) -> bool:
        """Whether the value is taken as it is."""
        return self.text == "v"


def enum_table(name: str) -> str:
    """The name of an enumeration's table."""
    return f"_{constant(name)}"


def element(expression: Expression, variable: str) -> str:
    """Read a variable, checked."""
    text = _renamed(expression.text, variable)
    if expression.guard is None:
        return text
    return f"{text} if {_renamed(expression.guard, variable)} else wrong()"


def present(expression: Expression, source: str, *, nullable: bool) -> str:
    """Read a member that is there; `source` is the expression that fetches it."""
    if not nullable:
        if expression.guard is None:
            return _renamed(expression.text, source)
        return _choice(expression.text, expression.guard, "wrong()", source)
    if not expression.is_plain:
        return _choice("None", "v is None", element(expression, "v"), source)
    if expression.guard is None:
        return source
    return _choice("v", f"v is None or {expression.guard}", "wrong()", source)


def _choice(value: str, condition: str, otherwise: str, source: str) -> str:
    """A conditional expression that fetches the value into `v` where its condition first looks at it."""
    walrus = f"v := {source}"
    if condition.startswith("type(v)"):
        return f"{value} if type({walrus}){condition.removeprefix('type(v)')} else {otherwise}"
    return f"{value} if ({walrus}){condition.removeprefix('v')} else {otherwise}"


def _renamed(text: str, variable: str) -> str:
    return variable if text == "v" else re.sub(r"\bv\b", lambda _: variable, text)


def json_type(kind: Any) -> str:
    """The class of the JSON value a type is written as, by which the arms of a union are told apart."""
    origin = typing.get_origin(kind)
    if origin in (list, dict):
        return "list" if origin is list else "dict"
    if isinstance(kind, type):
        cls: type[Any] = kind
        if attrs.has(cls):
            return "dict"
        if issubclass(cls, (str, datetime, date)):
            return "str"
        if cls in (int, float, bool):
            return cls.__name__
    raise SpecError(str(kind), "The generator cannot tell this arm of a union from the others.")

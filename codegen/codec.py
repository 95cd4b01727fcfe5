"""Writes `codec.py`: a function per model that reads it from parsed JSON, and one that writes it.

The types are taken from the generated models themselves, so the two cannot disagree.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal

import attrs

from akmatori_sdk._core.model import UNSET, UnknownVariant
from codegen.errors import SpecError
from codegen.loading import Loaded
from codegen.names import snake
from codegen.reading import Expression, element, enum_table, json_type, present

_SCALARS: Mapping[Any, Expression] = {
    Any: Expression("v"),
    str: Expression("v", "type(v) is str"),
    int: Expression("v", "type(v) is int"),
    bool: Expression("v", "type(v) is bool"),
    float: Expression("v", "type(v) is float or type(v) is int"),
    datetime: Expression("_datetime(v)"),
    date: Expression("_date(v)"),
}
# Names of the variables of nested comprehensions.
ELEMENTS = "xyzwst"


@attrs.frozen
class Field:
    """One member of a model."""

    name: str
    wire: str
    arms: tuple[Any, ...]
    nullable: bool
    optional: bool
    # The Python text of the default, or None where there is none.
    default: str | None


@attrs.frozen
class Reader:
    """How one model is read and written: the lines of the two functions' bodies."""

    name: str
    function: str
    is_open: bool
    # Of what must be there: name and expression.
    required: tuple[tuple[str, str], ...]
    # Of what may be absent: name, wire name, expression, and what stands for an absent value.
    optional: tuple[tuple[str, str, str, str], ...]
    # What is always written: wire name and expression. What may be absent: name, wire name and expression.
    always: tuple[tuple[str, str], ...]
    sometimes: tuple[tuple[str, str, str], ...]


@attrs.frozen
class Alias:
    """How a named type that is no class is read and written."""

    name: str
    function: str
    read: str
    write: str


@attrs.frozen
class Union:
    """A union told apart by the value of one member."""

    function: str
    type: str
    wire: str
    arms: tuple[tuple[Any, str], ...]
    # (class, function) of each arm, for writing.
    classes: tuple[tuple[str, str], ...]


class CodecWriter:
    """Collects what `codec.py.jinja` needs from a loaded module of models."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._named = {
            frozenset(typing.get_args(value)): name
            for name, value in loaded.aliases.items()
            if typing.get_origin(value) in (typing.Union, types.UnionType)
        }
        self.enums: set[str] = set()
        self.unions: dict[str, Union] = {}

    def context(self) -> Mapping[str, Any]:
        """The variables of the template."""
        readers = [self._reader(cls) for cls in self._loaded.models.values()]
        aliases = [self._alias(name, value) for name, value in self._loaded.aliases.items()]
        functions = [*(reader.function for reader in readers), *(alias.function for alias in aliases)]
        for twin in sorted({name for name in functions if functions.count(name) > 1}):
            raise SpecError(twin, "Two schemas have names that give the same Python function.")
        return {
            "readers": readers,
            "aliases": aliases,
            "enums": sorted(self.enums),
            "unions": sorted(self.unions.values(), key=lambda union: union.function),
            "names": sorted((*self._loaded.models, *self._loaded.aliases, *self.enums)),
            "enum_table": enum_table,
        }

    def _reader(self, cls: type[Any]) -> Reader:
        hints = typing.get_type_hints(cls)
        fields = [_field(a, hints[a.name]) for a in attrs.fields(cls) if a.name != "extra"]
        read = {f.name: present(self.reading(f.arms), f"d[{f.wire!r}]", nullable=f.nullable) for f in fields}
        absent = {f.name: "UNSET" if f.optional else f.default for f in fields}
        return Reader(
            name=cls.__name__,
            function=snake(cls.__name__),
            is_open=any(a.name == "extra" for a in attrs.fields(cls)),
            required=tuple((f.name, read[f.name]) for f in fields if absent[f.name] is None),
            optional=tuple((f.name, f.wire, read[f.name], text) for f in fields if (text := absent[f.name])),
            always=tuple((f.wire, self._writing_member(f, f"o.{f.name}")) for f in fields if not f.optional),
            sometimes=tuple(
                (f.name, f.wire, self._writing_member(f, f"v_{f.name}")) for f in fields if f.optional
            ),
        )

    def _alias(self, name: str, value: Any) -> Alias:
        arms, nullable, _ = _arms(value)
        read = element(self.reading(arms, name), "v")
        write = self.writing(arms, "o")
        if nullable:
            read = f"None if v is None else {read}"
            write = f"None if o is None else {write}" if write != "o" else write
        return Alias(name=name, function=snake(name), read=read, write=write)

    def reading(self, arms: tuple[Any, ...], name: str | None = None, depth: int = 0) -> Expression:
        """How a value of one of these types, neither null nor absent, is read from the variable `v`."""
        if len(arms) != 1:
            return self._reading_union(arms, name)
        kind = arms[0]
        origin = typing.get_origin(kind)
        if origin in (list, dict):
            return self._reading_container(origin, typing.get_args(kind)[-1], depth)
        if origin is Literal:
            return Expression("literal(v)")
        if kind in _SCALARS:
            return _SCALARS[kind]
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            self.enums.add(kind.__name__)
            # True is 1 to a dictionary.
            guard = "type(v) is int" if issubclass(kind, int) else None
            return Expression(f"{enum_table(kind.__name__)}[v]", guard)
        if isinstance(kind, type) and attrs.has(kind):
            return Expression(f"_read_{snake(kind.__name__)}(v)")
        raise SpecError(str(kind), "The generator does not know how to read this type.")

    def _reading_container(self, origin: type[Any], inner: Any, depth: int) -> Expression:
        arms, nullable, _ = _arms(inner)
        if len(arms) == 1 and not nullable and arms[0] in (str, int, bool):
            return Expression(f"{'items_of' if origin is list else 'members_of'}(v, {arms[0].__name__})")
        variable = ELEMENTS[depth]
        each = element(self.reading(arms, depth=depth + 1), variable)
        if nullable and each != variable:
            each = f"None if {variable} is None else {each}"
        if origin is list:
            return Expression("items(v)" if each == variable else f"[{each} for {variable} in items(v)]")
        if each == variable:
            return Expression("members(v)")
        return Expression(f"{{k: {each} for k, {variable} in members(v).items()}}")

    def _reading_union(self, arms: tuple[Any, ...], name: str | None) -> Expression:
        if UnknownVariant in arms:
            return Expression(f"_read_{self._tagged(arms)}(v)")
        known = self._named.get(frozenset(arms))
        if known is not None and known != name:
            return Expression(f"_read_{snake(known)}(v)")
        kinds = [json_type(arm) for arm in arms]
        if len(set(kinds)) != len(kinds):
            raise SpecError(name or str(arms), "A oneOf of several objects needs a discriminator.")
        tests = [
            f"{element(self.reading((arm,)), 'v')} if type(v) is {kind}"
            for arm, kind in zip(arms, kinds, strict=True)
        ]
        return Expression(" else ".join([*tests, "wrong()"]))

    def _tagged(self, arms: tuple[Any, ...]) -> str:
        models = [arm for arm in arms if arm is not UnknownVariant]
        name = self._named.get(frozenset(arms)) or "Or".join(cls.__name__ for cls in models)
        function = f"one_of_{snake(name)}"
        tags = [(self._tag(cls), cls) for cls in models]
        wires = {wire for (wire, _), _ in tags}
        if len(wires) != 1:
            raise SpecError(name, "The arms of the union are not told apart by one member.")
        self.unions[function] = Union(
            function=function,
            type=" | ".join([*(cls.__name__ for cls in models), "UnknownVariant"]),
            wire=wires.pop(),
            arms=tuple((value, snake(cls.__name__)) for (_, values), cls in tags for value in values),
            classes=tuple((cls.__name__, snake(cls.__name__)) for cls in models),
        )
        return function

    def _tag(self, cls: type[Any]) -> tuple[str, tuple[Any, ...]]:
        hints = typing.get_type_hints(cls)
        for a in attrs.fields(cls):
            if typing.get_origin(hints[a.name]) is Literal:
                return a.metadata.get("json", a.name), typing.get_args(hints[a.name])
        raise SpecError(cls.__name__, "An arm of a union needs the discriminator's member.")

    def _writing_member(self, field: Field, variable: str) -> str:
        text = self.writing(field.arms, variable)
        return f"None if {variable} is None else {text}" if field.nullable and text != variable else text

    def writing(self, arms: tuple[Any, ...], variable: str, depth: int = 0) -> str:
        """The expression that makes JSON of a variable; the variable itself where there is nothing to do."""
        if len(arms) != 1:
            return self._writing_union(arms, variable)
        kind = arms[0]
        origin = typing.get_origin(kind)
        if origin in (list, dict):
            each = ELEMENTS[depth]
            inner, nullable, _ = _arms(typing.get_args(kind)[-1])
            text = self.writing(inner, each, depth + 1)
            if text == each:
                return variable
            text = f"None if {each} is None else {text}" if nullable else text
            if origin is list:
                return f"[{text} for {each} in {variable}]"
            return f"{{k: {text} for k, {each} in {variable}.items()}}"
        if isinstance(kind, type) and attrs.has(kind):
            return f"encode_{snake(kind.__name__)}({variable})"
        return variable

    def _writing_union(self, arms: tuple[Any, ...], variable: str) -> str:
        if UnknownVariant in arms:
            return f"_write_{self._tagged(arms)}({variable})"
        texts = [(self.writing((arm,), variable), arm) for arm in arms]
        different = [(text, arm) for text, arm in texts if text != variable]
        if not different:
            return variable
        tests = [f"{text} if isinstance({variable}, {_class_name(arm)})" for text, arm in different[:-1]]
        last, arm = different[-1]
        if len(different) == len(texts):
            return " else ".join([*tests, last])
        return " else ".join([*tests, f"{last} if isinstance({variable}, {_class_name(arm)})", variable])


def _arms(hint: Any) -> tuple[tuple[Any, ...], bool, bool]:
    """The types a value may have, whether it may be null, and whether it may be absent."""
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    arms = typing.get_args(hint) if union else (hint,)
    plain = tuple(arm for arm in arms if arm is not type(None) and typing.get_args(arm) != (UNSET,))
    return plain, type(None) in arms, any(typing.get_args(arm) == (UNSET,) for arm in arms)


def _field(attribute: Any, hint: Any) -> Field:
    arms, nullable, optional = _arms(hint)
    has_default = attribute.default is not attrs.NOTHING and not optional
    return Field(
        name=attribute.name,
        wire=attribute.metadata.get("json", attribute.name),
        arms=arms,
        nullable=nullable,
        optional=optional,
        default=_default(attribute, arms) if has_default else None,
    )


def _default(attribute: Any, arms: tuple[Any, ...]) -> str:
    value = attribute.default
    if isinstance(value, attrs.Factory):  # type: ignore[arg-type]  # attrs types its class as a function
        made = value.factory()
        if made:
            raise SpecError(attribute.name, "The default of a container can only be the empty one.")
        return "[]" if typing.get_origin(arms[0]) is list else "{}"
    return f"{type(value).__name__}.{value.name}" if isinstance(value, enum.Enum) else repr(value)


def _class_name(kind: Any) -> str:
    known: type[Any] = typing.get_origin(kind) or kind
    return known.__name__

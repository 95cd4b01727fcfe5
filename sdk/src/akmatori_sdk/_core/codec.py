"""What the generated decoders and encoders stand on.

The generated readers assume that the JSON has the shape the specification promises, and check it as cheaply
as they can. Only when a check fails does `Decoder` walk the value again, slowly, to say where it is wrong.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, Generic, Literal, NoReturn, TypeVar, Union

import attrs
import orjson

from akmatori_sdk._core.model import UNSET, UnknownVariant

T = TypeVar("T")
E = TypeVar("E", bound=enum.Enum)

LONGEST_SHOWN_VALUE = 40


class Mismatch(Exception):  # noqa: N818 - never leaves this module: `Decoder` turns it into a DecodeError
    """A value is not what the specification says."""


# What a reader may stumble over: its own checks, a missing member, no container at all, an unreadable date.
_STUMBLES = (Mismatch, KeyError, TypeError, AttributeError, ValueError)


def wrong() -> NoReturn:
    """Say that the value at hand has the wrong type."""
    raise Mismatch


def items(value: Any) -> list[Any]:
    """The value, which must be an array."""
    if type(value) is not list:
        raise Mismatch
    return value  # pyright: ignore[reportUnknownVariableType]  # what the elements are is checked one by one


def members(value: Any) -> dict[str, Any]:
    """The value, which must be an object."""
    if type(value) is not dict:
        raise Mismatch
    return value  # pyright: ignore[reportUnknownVariableType]  # what the members are is checked one by one


def items_of(value: Any, kind: type[T]) -> list[T]:
    """The value, which must be an array of texts, integers or truth values."""
    for element in items(value):
        if type(element) is not kind:
            raise Mismatch
    return value  # type: ignore[no-any-return]  # just looked at


def members_of(value: Any, kind: type[T]) -> dict[str, T]:
    """The value, which must be an object whose members are texts, integers or truth values."""
    for member in members(value).values():
        if type(member) is not kind:
            raise Mismatch
    return value  # type: ignore[no-any-return]  # just looked at


def literal(value: Any) -> Any:
    """The value of an enumeration with a single value; a newer server may send another one."""
    if type(value) not in (str, int):
        raise Mismatch
    return value


def unknown(value: dict[str, Any], model: type[Any]) -> dict[str, Any]:
    """The members of an object that a model does not name."""
    known = _known.get(model)
    if known is None:
        names = (f.metadata.get("json", f.name) for f in attrs.fields(model) if f.name != "extra")
        known = _known[model] = frozenset(names)
    return {name: value[name] for name in value if name not in known}


# What each model names, by model; filled as newer servers send more.
_known: dict[type[Any], frozenset[str]] = {}


class EnumTable(dict[Any, E]):
    """From a JSON value to the member of an open enumeration."""

    def __init__(self, cls: type[E]) -> None:
        super().__init__((member.value, member) for member in cls)
        self._cls = cls
        self._kind = str if issubclass(cls, str) else int

    def __missing__(self, value: Any) -> E:
        if type(value) is not self._kind:
            raise Mismatch
        return self._cls(value)


def given(value: object, model: type[Any], error: Exception) -> dict[str, Any]:
    """JSON of what was given where a model belongs: of a mapping, its members by their names in JSON.

    Args:
        value: what was given.
        model: the model that belongs there.
        error: why it could not be written as that model.

    Raises:
        TypeError: it is no mapping, or lacks a member that the model needs, or has one that nobody knows.
    """
    if isinstance(value, model):
        raise error
    name = model.__name__
    if not isinstance(value, Mapping):
        raise TypeError(f"Expected {name} or a mapping of its members, got {type(value).__name__}.") from None
    made: dict[Any, Any] = dict(value)  # pyright: ignore[reportUnknownArgumentType]  # looked at next
    fields = {f.metadata.get("json", f.name): f for f in attrs.fields(model)}
    missing = [wire for wire, field in fields.items() if field.default is attrs.NOTHING and wire not in made]
    if missing:
        raise TypeError(f"The mapping given as {name} lacks {', '.join(missing)}.") from None
    # A model without room for others is one that the server takes as it is described.
    strange = [str(wire) for wire in made if wire not in fields]
    if strange and "extra" not in fields:
        raise TypeError(f"{name} has no member {', '.join(strange)}; it has {', '.join(fields)}.") from None
    return made


def variant(value: object) -> dict[str, Any]:
    """JSON of what is no known member of a union: one that a newer server sent, or a mapping.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(value, UnknownVariant):
        return value.raw
    if isinstance(value, Mapping):
        return dict(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # passed on
    raise TypeError(f"Expected a member of the union or a mapping, got {type(value).__name__}.")


class Decoder(Generic[T]):
    """Turns parsed JSON into a model; a value of the wrong shape raises `DecodeError` with the path to it."""

    __slots__ = ("_hint", "_read")

    def __init__(self, read: Callable[[Any], T], hint: Any) -> None:
        self._read = read
        self._hint = hint

    def __call__(self, value: Any) -> T:
        """Decode a value that came from a JSON parser; the value itself is left as it is.

        Raises:
            DecodeError: The value does not have the shape the specification gives.
        """
        try:
            return self._read(value)
        except _STUMBLES as error:
            fault = next(_faults(value, self._hint, "$"), None)
            path, sentence = fault or ("$", "the value does not have the documented shape")
            raise _decode_error(path, sentence) from (None if fault else error)

    def many(self) -> Decoder[list[T]]:
        """A decoder for an array of these."""
        read = self._read
        return Decoder(lambda value: [read(x) for x in items(value)], types.GenericAlias(list, (self._hint,)))


def nothing(value: Any) -> None:
    """Decode an empty answer."""


def text(value: Any) -> str:
    """Decode an answer that is a text."""
    return str(value)


def raw(value: Any) -> bytes:
    """Decode an answer that is bytes."""
    return bytes(value)


def dumps(value: Any) -> bytes:
    """Write what an encoder returned as JSON; a time without a zone is UTC, which is written as `Z`."""
    return orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC)


def _decode_error(path: str, sentence: str) -> Exception:
    # Imported when needed: decoding is on the way to every first call, failing is not.
    from akmatori_sdk._core.errors import DecodeError

    return DecodeError(sentence, path)


Fault = tuple[str, str]


def _faults(value: Any, hint: Any, path: str, *, secret: bool = False) -> Iterator[Fault]:
    """Every place where a value is not what a type says: the path and a sentence."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        yield from _union_faults(value, arguments, path, secret=secret)
    elif origin is list:
        yield from _list_faults(value, arguments[0], path)
    elif origin is dict:
        yield from _map_faults(value, arguments[1], path)
    elif isinstance(hint, type) and attrs.has(hint):
        yield from _model_faults(value, hint, path)
    elif not _fits(value, hint):
        yield path, f"expected {_expected(hint)}, got {_got(value, secret=secret)}"


def _list_faults(value: Any, inner: Any, path: str) -> Iterator[Fault]:
    if not isinstance(value, list):
        yield path, f"expected an array, got {_got(value)}"
        return
    for index, element in enumerate(items(value)):
        yield from _faults(element, inner, f"{path}[{index}]")


def _map_faults(value: Any, inner: Any, path: str) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield path, f"expected an object, got {_got(value)}"
        return
    for key, member in members(value).items():
        yield from _faults(member, inner, _member_path(path, key))


def _model_faults(value: Any, cls: type[Any], path: str) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield path, f"expected an object, got {_got(value)}"
        return
    known = members(value)
    hints = typing.get_type_hints(cls)
    for field in attrs.fields(cls):
        wire = field.metadata.get("json", field.name)
        if field.name == "extra":
            continue
        if wire in known:
            hint, secret = hints[field.name], bool(field.metadata.get("secret"))
            yield from _faults(known[wire], hint, _member_path(path, wire), secret=secret)
        elif field.default is attrs.NOTHING:
            yield _member_path(path, wire), "the required member is missing"


def _union_faults(value: Any, arms: tuple[Any, ...], path: str, *, secret: bool) -> Iterator[Fault]:
    arms = tuple(arm for arm in arms if typing.get_args(arm) != (UNSET,))
    tagged = [(arm, tag) for arm in arms if (tag := _tag(arm)) is not None]
    if UnknownVariant in arms and isinstance(value, dict):
        known = members(value)
        for arm, (wire, values) in tagged:
            if wire not in known:
                yield _member_path(path, wire), "the required member is missing"
                return
            if known[wire] in values:
                yield from _model_faults(known, arm, path)
        return
    faults = [list(_faults(value, arm, path, secret=secret)) for arm in arms]
    if any(not found for found in faults):
        return
    # The arm that fits the outside says most about the inside.
    inside = [found for found in faults if found[0][0] != path]
    if inside:
        yield from inside[0]
    else:
        expected = " or ".join(dict.fromkeys(_expected(arm) for arm in arms))
        yield path, f"expected {expected}, got {_got(value, secret=secret)}"


def _tag(arm: Any) -> tuple[str, tuple[Any, ...]] | None:
    """The member that tells the arms of a union apart, and the values that mean this arm."""
    if not (isinstance(arm, type) and attrs.has(arm)):
        return None
    hints = typing.get_type_hints(arm)
    for field in attrs.fields(arm):
        if typing.get_origin(hints[field.name]) is Literal:
            return field.metadata.get("json", field.name), typing.get_args(hints[field.name])
    return None


def _fits(value: Any, hint: Any) -> bool:
    if hint in (datetime, date):
        return _is_time(value, hint)
    if hint is float:
        return type(value) in (int, float)
    return hint is Any or type(value) is _plain(hint)


def _plain(hint: Any) -> Any:
    """The JSON type behind an enumeration."""
    if typing.get_origin(hint) is Literal:
        example: object = typing.get_args(hint)[0]
        return type(example)
    cls: type[Any] = hint
    if isinstance(hint, type) and issubclass(cls, enum.Enum):
        return str if issubclass(cls, str) else int
    return hint


def _is_time(value: Any, cls: type[date]) -> bool:
    try:
        cls.fromisoformat(value)
    except (TypeError, ValueError):
        return False
    return True


_WORDS: dict[Any, str] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    datetime: "a date-time",
    date: "a date",
    type(None): "null",
    list: "an array",
    dict: "an object",
}


def _expected(hint: Any) -> str:
    plain = _plain(hint)
    return _WORDS.get(typing.get_origin(plain) or plain, "an object")


def _got(value: Any, *, secret: bool = False) -> str:
    if isinstance(value, (list, dict)):
        return "an array" if isinstance(value, list) else "an object"
    if secret and value is not None:
        return f"{_WORDS.get(type(value), 'something')} that is not shown"
    text = orjson.dumps(value).decode()
    return text if len(text) <= LONGEST_SHOWN_VALUE else text[: LONGEST_SHOWN_VALUE - 1] + "…"


def _member_path(path: str, name: str) -> str:
    return f"{path}.{name}" if name.isidentifier() else f"{path}[{orjson.dumps(name).decode()}]"

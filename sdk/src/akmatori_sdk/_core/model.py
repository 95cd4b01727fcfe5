"""What generated models are made of: the missing value, open enumerations and the common base class."""

from __future__ import annotations

import enum
import html
from typing import Any, Final, Literal, TypeAlias, cast

import attrs

SHOWN_FIRST = ("uuid", "id", "name", "title", "alert_name", "status", "state", "phase", "severity")
LONGEST_SHOWN_VALUE = 60
MOST_SHOWN_FIELDS = 5


class _UnsetType(enum.Enum):
    UNSET = 0

    def __bool__(self) -> Literal[False]:
        return False

    def __repr__(self) -> str:
        return "UNSET"

    # Of an enumeration `print` and f-strings would show the name of the class, too.
    __str__ = __repr__


Unset: TypeAlias = Literal[_UnsetType.UNSET]
"""The type of a member that is absent, which is not the same as null."""

UNSET: Final = _UnsetType.UNSET
"""The member is absent. Falsy, and a singleton: compare with `is`."""


class OpenStrEnum(enum.StrEnum):
    """A StrEnum that keeps values this version of the SDK does not know."""

    @property
    def is_known(self) -> bool:
        """Whether the specification this SDK was made from names the value."""
        return self._name_ != "UNKNOWN"

    @classmethod
    def _missing_(cls, value: object) -> OpenStrEnum | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = "UNKNOWN"
        member._value_ = value
        return member


class OpenIntEnum(enum.IntEnum):
    """An IntEnum that keeps values this version of the SDK does not know."""

    @property
    def is_known(self) -> bool:
        """Whether the specification this SDK was made from names the value."""
        return self._name_ != "UNKNOWN"

    @classmethod
    def _missing_(cls, value: object) -> OpenIntEnum | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = "UNKNOWN"
        member._value_ = value
        return member


class Model:
    """Base of every generated model: a short `repr` without secrets, equality by value, a table in notebooks.

    Subclasses are attrs classes with slots. A field whose metadata says `secret` never shows its value.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        fields = fields_of(self)
        order = [f for name in SHOWN_FIRST for f in fields if f.name == name]
        order += [f for f in fields if f not in order]
        shown: list[str] = []
        for field in order:
            value = getattr(self, field.name)
            if value is UNSET or field.name == "extra":
                continue
            if len(shown) == MOST_SHOWN_FIELDS:
                shown.append("…")
                break
            shown.append(f"{field.name}={_short(value, secret=bool(field.metadata.get('secret')))}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, f.name) == getattr(other, f.name) for f in fields_of(self))

    __hash__ = None  # type: ignore[assignment]  # models are mutable, so they have no stable hash

    def _repr_html_(self) -> str:
        """Return a small table for notebooks: every value escaped, secrets masked, long text cut."""
        rows = [
            f"<tr><th>{html.escape(field.name)}</th>"
            f"<td>{html.escape(_short(value, secret=bool(field.metadata.get('secret'))))}</td></tr>"
            for field in fields_of(self)
            if (value := getattr(self, field.name)) is not UNSET and not (field.name == "extra" and not value)
        ]
        return f"<table><caption>{html.escape(type(self).__name__)}</caption>{''.join(rows)}</table>"

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain dicts, lists and scalars, for a table or a file.

        Absent members are left out, names are the attributes', times stay `datetime`, nothing is masked.
        """
        return {
            f.name: _plain(value) for f in fields_of(self) if (value := getattr(self, f.name)) is not UNSET
        }


@attrs.define(kw_only=True, slots=True)
class UnknownVariant:
    """A member of a discriminated union that this version of the SDK does not know; `raw` is its JSON."""

    raw: dict[str, Any]


def fields_of(model: Model) -> tuple[attrs.Attribute[Any], ...]:
    """Return the attrs fields of a generated model."""
    # `Model` itself is no attrs class, every subclass is.
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(cast("type[attrs.AttrsInstance]", type(model)))
    return fields


def _plain(value: object) -> Any:
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, list):
        return [_plain(one) for one in cast("list[object]", value)]
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in cast("dict[str, object]", value).items()}
    if isinstance(value, UnknownVariant):
        return value.raw
    return value.value if isinstance(value, enum.Enum) else value


def _short(value: object, *, secret: bool) -> str:
    if secret and value:
        return "'****'"
    if isinstance(value, (list, dict)):
        return f"<{len(value)} {'items' if isinstance(value, list) else 'keys'}>"  # pyright: ignore[reportUnknownArgumentType]
    text = (
        repr(str(value))
        if isinstance(value, str)
        else str(value)
        if isinstance(value, Model)
        else repr(value)
    )
    return text if len(text) <= LONGEST_SHOWN_VALUE else text[: LONGEST_SHOWN_VALUE - 1] + "…"

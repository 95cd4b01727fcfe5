"""Templates of what is sent: JSON values in which `$name` stands for an argument.

- `$name` is the argument, `$setting:name` a setting of the tool, and `$name|filter` what a filter makes of it.
- What was not given is left out, with the member or entry it stands in.
- Every other text is what it says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias, cast

import attrs

from akmatori_server.incidents.storable import JSON

_REFERENCE = re.compile(r"\$(?P<setting>setting:)?(?P<name>[a-z0-9_]+)(\|(?P<filter>[a-z0-9_]+))?")


@attrs.frozen(kw_only=True)
class Scope:
    """The values that templates are filled with."""

    arguments: Mapping[str, JSON] = attrs.field(repr=False)
    # Of the tool, secrets in clear, with the defaults of their schema.
    settings: Mapping[str, Any] = attrs.field(repr=False)


Filter: TypeAlias = Callable[[JSON, Scope], JSON]


class _Absent:
    """Nothing was given."""


ABSENT: Final = _Absent()


@attrs.frozen
class Reference:
    """One `$name` of a template."""

    name: str
    is_setting: bool
    filter: str


def references(template: JSON) -> Iterator[Reference]:
    """Find what a template refers to."""
    if isinstance(template, dict):
        for member in template.values():
            yield from references(member)
    elif isinstance(template, list):
        for entry in template:
            yield from references(entry)
    elif isinstance(template, str) and (found := _reference(template)) is not None:
        yield found


def filled(template: JSON, scope: Scope, filters: Mapping[str, Filter]) -> JSON | _Absent:
    """Return the template with its values; ABSENT where there is none."""
    if isinstance(template, dict):
        members = {name: filled(member, scope, filters) for name, member in template.items()}
        return {name: cast("JSON", value) for name, value in members.items() if value is not ABSENT}
    if isinstance(template, list):
        entries = [filled(entry, scope, filters) for entry in template]
        return [cast("JSON", value) for value in entries if value is not ABSENT]
    reference = _reference(template) if isinstance(template, str) else None
    return template if reference is None else _value(reference, scope, filters)


def _value(reference: Reference, scope: Scope, filters: Mapping[str, Filter]) -> JSON | _Absent:
    values = scope.settings if reference.is_setting else scope.arguments
    value = values.get(reference.name)
    if value is None:
        return ABSENT
    return filters[reference.filter](value, scope) if reference.filter else value


def _reference(text: str) -> Reference | None:
    if not text.startswith("$"):
        return None
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text} is not a reference such as $name, $name|filter or $setting:name.")
    return Reference(match["name"], match["setting"] is not None, match["filter"] or "")

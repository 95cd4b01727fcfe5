"""One condition on one member of an alert."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs

from akmatori_server.alerts.fields import LABELS
from akmatori_server.matching.regex import MatcherError, Regex, compile_regex, matches_whole

LONGEST_NAME = 255
LONGEST_VALUE = 4096
# What a name cannot hold unless it is quoted; the same set as Alertmanager's.
RESERVED = frozenset("{}!=~,\\\"'`")


class Operator(enum.StrEnum):
    """How a member's text is compared; the two with `~` take a regular expression for the whole text."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCHES = "=~"
    NOT_MATCHES = "!~"

    @property
    def takes_regex(self) -> bool:
        """Whether the value is a regular expression."""
        return self in {Operator.MATCHES, Operator.NOT_MATCHES}

    @property
    def is_negative(self) -> bool:
        """Whether it holds for what is different."""
        return self in {Operator.NOT_EQUAL, Operator.NOT_MATCHES}


def _compiled(matcher: Matcher) -> Regex | None:
    return compile_regex(matcher.value) if matcher.operator.takes_regex else None


@attrs.frozen
class Matcher:
    """A condition: the member with this name has, or has not, this text.

    Raises:
        MatcherError: the name is empty, name or value is too long, or the expression cannot be compiled.
    """

    name: str = attrs.field()
    operator: Operator
    value: str = attrs.field()
    _regex: Regex | None = attrs.field(
        init=False, eq=False, repr=False, default=attrs.Factory(_compiled, takes_self=True)
    )

    def __attrs_post_init__(self) -> None:
        if not self.name:
            raise MatcherError("A matcher needs the name of what it looks at.")
        if len(self.name) > LONGEST_NAME:
            raise MatcherError(f"The name of a matcher has {LONGEST_NAME} characters at most.")
        if len(self.value) > LONGEST_VALUE:
            raise MatcherError(f"The value of a matcher has {LONGEST_VALUE} characters at most.")

    def matches(self, fields: Mapping[str, str]) -> bool:
        """Whether the alert with these fields (see `alerts.fields.fields_of`) fulfils the condition."""
        return self._accepts(value_of(fields, self.name))

    @property
    def matches_empty(self) -> bool:
        """Whether it also holds for an alert that has no such member."""
        return self._accepts("")

    def _accepts(self, text: str) -> bool:
        is_same = text == self.value if self._regex is None else matches_whole(self._regex, text)
        return is_same != self.operator.is_negative

    def __str__(self) -> str:
        name = _quoted(self.name) if needs_quotes(self.name) else self.name
        return f"{name}{self.operator.value}{_quoted(self.value)}"


def value_of(fields: Mapping[str, str], name: str) -> str:
    """Return the member with this name; a name that is no member's is a label's. "" when there is neither."""
    value = fields.get(name)
    return fields.get(f"{LABELS}{name}", "") if value is None else value


def needs_quotes(name: str) -> bool:
    """Whether the name can only be written between quotes."""
    return any(character in RESERVED or character.isspace() for character in name)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
    return f'"{escaped}"'

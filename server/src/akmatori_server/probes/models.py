"""Probes as values."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs

from akmatori_server.matching import Matcher
from akmatori_server.probes.templates import Argument, Template


class ProbeError(ValueError):
    """A declaration that cannot be used; the sentence names the probe and the member."""


class Severity(enum.StrEnum):
    """How much a finding weighs."""

    CRITICAL = "critical"
    HIGH = "high"
    WARNING = "warning"
    INFO = "info"

    @property
    def weight(self) -> int:
        """The more, the worse."""
        return {"critical": 4, "high": 3, "warning": 2, "info": 1}[self.value]

    @property
    def is_grave(self) -> bool:
        """Whether such a finding explains an alert by itself."""
        return self in {Severity.CRITICAL, Severity.HIGH}


class Operator(enum.StrEnum):
    """How a value is compared. Whatever it holds for is a finding."""

    ABOVE = "above"
    BELOW = "below"
    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    MATCHES = "matches"
    NOT_MATCHES = "not_matches"
    PRESENT = "present"
    ABSENT = "absent"
    COUNT_ABOVE = "count_above"
    COUNT_BELOW = "count_below"


@attrs.frozen(kw_only=True)
class Expectation:
    """What in an answer is a finding."""

    path: str
    operator: Operator
    # A number, a text, or true for `present` and `absent`.
    threshold: float | str | bool
    says: Template | None = None
    severity: Severity = Severity.WARNING
    unit: str = ""


@attrs.frozen(kw_only=True)
class Probe:
    """One question to a tool."""

    name: str
    # A tool's logical name, or the name of its type.
    tool: str
    function: str
    arguments: Mapping[str, Argument]
    when: tuple[Matcher, ...] = ()
    expect: tuple[Expectation, ...] = ()
    # Numbers of the runbook's steps that need not be done once this is answered.
    answers: tuple[int, ...] = ()
    # The same for the same declaration, and different for any other.
    digest: str = ""

"""What probes brought to light, as values for the report."""

from __future__ import annotations

import enum
from collections.abc import Sequence

import attrs

from akmatori_server.probes import Severity


class Verdict(enum.StrEnum):
    """How a check came out."""

    FINE = "✅"
    # Good to know, and nothing wrong.
    NOTED = "💡"
    NOTABLE = "⚠️"
    GRAVE = "❌"
    UNKNOWN = "❔"
    # There was nothing to compare it with.
    SHOWN = "📄"

    @property
    def is_finding(self) -> bool:
        """Whether it says something that is worth a sentence."""
        return self in {Verdict.NOTED, Verdict.NOTABLE, Verdict.GRAVE}

    @property
    def is_wrong(self) -> bool:
        """Whether it says that something is wrong."""
        return self in {Verdict.NOTABLE, Verdict.GRAVE}

    @property
    def is_judged(self) -> bool:
        """Whether an answer was compared with something, and could be."""
        return self is Verdict.FINE or self.is_finding


@attrs.frozen(kw_only=True)
class Check:
    """One comparison of an answer, or an answer without any."""

    verdict: Verdict
    value: str = ""
    threshold: str = ""
    # The finding as a sentence; or why it is not known.
    says: str = ""
    severity: Severity = Severity.WARNING


@attrs.frozen(kw_only=True)
class Evidence:
    """One probe's answer."""

    probe: str
    # Who declared it: "runbook", "skill NAME" or "first look".
    origin: str
    # What was asked: the tool's function and its arguments.
    asked: str
    call_id: str
    checks: tuple[Check, ...]
    answers: tuple[int, ...] = ()
    # The command that was run, where one was.
    command: str = ""
    # The tool's name; and why it did not answer, where it did not.
    tool: str = ""
    failure: str = ""

    @property
    def is_known(self) -> bool:
        """Whether every check of it has an outcome."""
        return all(check.verdict is not Verdict.UNKNOWN for check in self.checks)


@attrs.frozen(kw_only=True)
class Unasked:
    """A probe that was not asked, and why."""

    probe: str
    origin: str
    why: str
    # Whether its answer would have been compared with something.
    compares: bool = True


@attrs.frozen(kw_only=True)
class Findings:
    """All that probes say about a case."""

    evidence: tuple[Evidence, ...] = ()
    unasked: tuple[Unasked, ...] = ()
    # What is wrong with declarations and tools, a sentence each.
    complaints: tuple[str, ...] = ()

    @property
    def problems(self) -> list[tuple[Evidence, Check]]:
        """What was found, the gravest first."""
        found = [(one, check) for one in self.evidence for check in one.checks if check.verdict.is_finding]
        return sorted(found, key=lambda pair: -pair[1].severity.weight)

    @property
    def decided(self) -> list[Evidence]:
        """The probes whose answers were compared with something, and could be."""
        return [one for one in self.evidence if any(check.verdict.is_judged for check in one.checks)]

    @property
    def weighing(self) -> list[Evidence]:
        """The probes whose answers speak for a runbook or against it: what is only good to know does neither."""
        return [
            one
            for one in self.decided
            if any(check.verdict.is_judged and check.severity is not Severity.INFO for check in one.checks)
        ]

    @property
    def unanswered(self) -> int:
        """How many probes should have been compared with something, and could not."""
        silent = [
            one
            for one in self.evidence
            if one not in self.decided and any(check.verdict is Verdict.UNKNOWN for check in one.checks)
        ]
        return len(silent) + sum(one.compares for one in self.unasked)

    @property
    def explaining(self) -> list[Evidence]:
        """The probes that found something wrong."""
        return [one for one in self.decided if any(check.verdict.is_wrong for check in one.checks)]

    def of(self, origin: str) -> Findings:
        """Return those that one origin declared."""
        return Findings(
            evidence=tuple(one for one in self.evidence if one.origin == origin),
            unasked=tuple(one for one in self.unasked if one.origin == origin),
        )


def answered_steps(evidence: Sequence[Evidence], commands: Sequence[Sequence[str]]) -> frozenset[int]:
    """Return the numbers of the steps that need not be done any more.

    Args:
        evidence: what is known.
        commands: those of each step, in order.
    """
    known = [one for one in evidence if one.is_known]
    numbers = {number for one in known for number in one.answers}
    run = {_plain(one.command) for one in known if one.command}
    for number, of_step in enumerate(commands, start=1):
        lines = [_plain(line) for command in of_step for line in command.splitlines() if line.strip()]
        if lines and all(line in run for line in lines):
            numbers.add(number)
    return frozenset(numbers)


def _plain(command: str) -> str:
    return " ".join(command.removeprefix("$ ").split())
